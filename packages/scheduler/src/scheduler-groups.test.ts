import fc from 'fast-check'
import { toResourceSet, unitsOf } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { HeldBundle } from './bundles.ts'
import type { ReadyTask } from './ready-queue.ts'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import { Scheduler } from './scheduler.ts'
import { workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

type Event = SchedulerEvent<string>
type Effect = SchedulerEffect<string>
type Amounts = Readonly<Record<string, number>>

const GROUP: ObjectId = { owner: 'a'.repeat(32) as NodeId, number: 7 }
const OTHER: ObjectId = { ...GROUP, number: 8 }
/** `index` -1: any bundle. */
const within = (index: number, resources: Amounts = { CPU: 1 }, group = GROUP): WorkShape =>
  workShape({
    resources: toResourceSet(resources),
    strategy: 'DEFAULT',
    bundle: { group, bundle: index + 1, captures: false },
  })
const OUTSIDE = workShape({ resources: toResourceSet({ CPU: 1 }), strategy: 'DEFAULT' })
const create = (resources: Amounts = { CPU: 4 }): Scheduler<string> =>
  new Scheduler<string>({ self: 'me', resources: toResourceSet(resources), maxLanes: 16 })
const task = (key: string, isGuest = false): ReadyTask<string> => ({
  key,
  kind: key,
  staysHere: isGuest,
  isGuest,
  depth: 0,
  isExclusive: false,
  inputs: [],
})
const ready = (key: string, shape: WorkShape): Event => ({ type: 'ready', task: task(key), shape })
const held = (index: number, resources: Amounts, group = GROUP): HeldBundle => ({
  key: `${group.number}/${index}`,
  group,
  index,
  resources: toResourceSet(resources),
})
const hold = (bundle: HeldBundle): Event => ({ type: 'bundle-held', bundle })
const open = ({ key }: HeldBundle): Event => ({ type: 'bundle-open', key })
const drop = ({ key }: HeldBundle): Event => ({ type: 'bundle-dropped', key })
const peer = (node: string): Event => ({ type: 'peer', node, resources: toResourceSet({ CPU: 4 }) })
const placed = (...nodes: string[]): Event => ({
  type: 'group',
  group: GROUP,
  places: nodes.map((node, index) => ({ index, node, resources: toResourceSet({ CPU: 1 }) })),
})
const seen = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => {
    if (effect.type === 'start') return `${effect.task.key}>me`
    if (effect.type === 'send') return `${effect.task.key}>${effect.node}`
    if (effect.type === 'refuse') return `${effect.task.key}>back`
    if (effect.type === 'grant') return `grant ${effect.count} ${effect.node}`
    return effect.type === 'want' && effect.queued > 0 ? `want ${effect.node}` : []
  })
const laneOf = (effects: readonly Effect[], key: string): number => {
  const start = effects.find((effect) => effect.type === 'start' && effect.task.key === key)
  if (start?.type !== 'start') throw new Error(`${key} was not started`)
  return start.lane
}
const ended = (lane: number, key: string): Event => ({ type: 'finished', lane, kind: key, ms: 50 })

describe('bundles of placement groups', () => {
  it("[SC17] what a bundle sets aside is nobody else's, and its own work has it alone", () => {
    const scheduler = create({ CPU: 3 })
    const bundle = held(0, { CPU: 2 })
    scheduler.step([hold(bundle), open(bundle)])
    const began = scheduler.step([
      ready('out 1', OUTSIDE),
      ready('out 2', OUTSIDE),
      ready('in 1', within(0)),
      ready('in 2', within(-1)),
      ready('in 3', within(0)),
    ])
    expect(seen(began).sort()).toEqual(['in 1>me', 'in 2>me', 'out 1>me'])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 3 }))
    expect(scheduler.bundleOf(laneOf(began, 'in 2'))).toBe(bundle.key)
    expect(scheduler.bundleOf(laneOf(began, 'out 1'))).toBeUndefined()
    expect(seen(scheduler.step([ended(laneOf(began, 'in 1'), 'in 1')]))).toEqual(['in 3>me'])
    expect(seen(scheduler.step([ended(laneOf(began, 'out 1'), 'out 1')]))).toEqual(['out 2>me'])
  })

  it('[SC17] a bundle takes nothing in before it is open, and none of another group or another index', () => {
    const scheduler = create()
    const bundle = held(1, { CPU: 1 })
    const work = [ready('here', within(1)), ready('index', within(0)), ready('group', within(1, { CPU: 1 }, OTHER))]
    expect(seen(scheduler.step([hold(bundle), ...work]))).toEqual([])
    expect(scheduler.hasRoom(toResourceSet({ CPU: 4 }))).toBe(false)
    expect(scheduler.free).toEqual(toResourceSet({ CPU: 3 }))
    expect(seen(scheduler.step([open(bundle)]))).toEqual(['here>me'])
  })

  it('[SC17] work that asks for more than any bundle has does not run in two of them', () => {
    const scheduler = create()
    const bundles = [held(0, { CPU: 1 }), held(1, { CPU: 1 })]
    scheduler.step([...bundles.map(hold), ...bundles.map(open)])
    expect(seen(scheduler.step([ready('large', within(-1, { CPU: 2 }))]))).toEqual([])
  })

  it('[SC17] what is given back is free for others, and guests that wait for it go back', () => {
    const scheduler = create({ CPU: 1 })
    const bundle = held(0, { CPU: 1 })
    scheduler.step([peer('x'), hold(bundle), open(bundle)])
    expect(seen(scheduler.step([{ type: 'wanted', node: 'x', shape: within(0), queued: 2 }]))).toEqual(['grant 1 x'])
    const began = scheduler.step([
      { type: 'guest', node: 'x', task: task('g1', true), shape: within(0) },
      { type: 'guest', node: 'x', task: task('g2', true), shape: within(0) },
      ready('out', OUTSIDE),
    ])
    expect(seen(began)).toEqual(['g1>me', 'want x'])
    const over = scheduler.step([{ type: 'lane-gone', lane: laneOf(began, 'g1') }, drop(bundle)])
    expect(seen(over).sort()).toEqual(['g2>back', 'out>me'])
    expect(seen(scheduler.step([{ type: 'wanted', node: 'x', shape: within(0), queued: 4 }]))).toEqual([])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 1 }))
  })

  it('[SC17] an actor holds its part of its bundle for its life', () => {
    const scheduler = create()
    const bundle = held(0, { CPU: 2 })
    const resources = toResourceSet({ CPU: 1 })
    scheduler.step([hold(bundle), open(bundle)])
    const began = scheduler.step([ready('a', within(0)), ready('b', within(0)), ready('c', within(0))])
    const reserve = (change: 1 | -1): Event => ({ type: 'reserve', resources, change, bundle: bundle.key })
    expect(seen(scheduler.step([reserve(1), { type: 'lane-gone', lane: laneOf(began, 'a') }]))).toEqual([])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 2 }))
    expect(seen(scheduler.step([reserve(-1)]))).toEqual(['c>me'])
    // Of a bundle that is no more there is nothing to give back.
    expect(seen(scheduler.step([drop(bundle), reserve(-1)]))).toEqual([])
    expect(scheduler.used).toEqual([])
  })

  it('[SC18] work of a group goes to the nodes of its bundles, and nobody else hears of it', () => {
    const scheduler = create()
    const any = within(-1)
    scheduler.step([peer('x'), peer('y'), peer('z'), ready('a', any), ready('b', any)])
    expect(seen(scheduler.step([placed('x', 'y')]))).toEqual(['want x', 'want y'])
    expect(seen(scheduler.step([{ type: 'granted', node: 'y', shape: any, count: 1 }]))).toEqual([
      'a>y',
      'want x',
      'want y',
    ])
    // The bundle moved: what was promised where it was is void.
    scheduler.step([{ type: 'granted', node: 'x', shape: within(0), count: 1 }])
    expect(seen(scheduler.step([placed('z', 'y'), ready('c', within(0))]))).toEqual(['want z', 'want z'])
    expect(seen(scheduler.step([{ type: 'granted', node: 'z', shape: within(0), count: 1 }]))).toEqual(['c>z'])
  })

  it('[SC18] work of a group that is nowhere is told of, each time anew', () => {
    const scheduler = create()
    const told = (effects: readonly Effect[]): number => effects.filter(({ type }) => type === 'infeasible').length
    scheduler.step([peer('x'), ready('a', within(0))])
    const passed: Event = { type: 'passed', timer: 'infeasible', shape: within(0) }
    expect(told(scheduler.step([passed]))).toBe(1)
    expect(scheduler.infeasible()).toMatchObject([{ tasks: 1 }])
    expect(scheduler.step([ready('b', within(0))]).map(({ type }) => type)).toContain('timer')
    expect(told(scheduler.step([passed]))).toBe(1)
    scheduler.step([placed('x')])
    expect(told(scheduler.step([passed]))).toBe(0)
  })

  it('[S1] reservations, tasks inside and tasks outside never exceed what the tab has, whatever happens', () => {
    const step = fc.record({
      what: fc.constantFrom('hold', 'open', 'drop', 'in', 'any', 'out', 'end'),
      index: fc.integer({ min: 0, max: 3 }),
      amount: fc.integer({ min: 1, max: 30_000 }),
    })
    let most = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const scheduler = create({ CPU: 4 })
        const bundles = new Map<number, HeldBundle>()
        const lanes = new Map<number, { index: number | undefined; units: number }>()
        const take = (effects: readonly Effect[]): void => {
          for (const effect of effects) {
            if (effect.type !== 'start') continue
            const key = scheduler.bundleOf(effect.lane)
            const index = key === undefined ? undefined : Number(key.split('/')[1])
            if (!lanes.has(effect.lane))
              lanes.set(effect.lane, { index, units: unitsOf(effect.shape.resources, 'CPU') })
          }
        }
        for (const { what, index, amount } of steps) {
          const resources = { CPU: amount / 10_000 }
          const bundle = bundles.get(index)
          if (what === 'hold') {
            if (bundle !== undefined || !scheduler.hasRoom(toResourceSet(resources))) continue
            bundles.set(index, held(index, resources))
            take(scheduler.step([hold(held(index, resources))]))
          } else if (what === 'open' && bundle) take(scheduler.step([open(bundle)]))
          else if (what === 'drop' && bundle) {
            bundles.delete(index)
            // As a node does: what runs there ends first.
            const gone = [...lanes].filter(([, lane]) => lane.index === index).map(([lane]) => lane)
            for (const lane of gone) lanes.delete(lane)
            take(scheduler.step([...gone.map((lane): Event => ({ type: 'lane-gone', lane })), drop(bundle)]))
          } else if (what === 'in') take(scheduler.step([ready('t', within(index, resources))]))
          else if (what === 'any') take(scheduler.step([ready('t', within(-1, resources))]))
          else if (what === 'out')
            take(scheduler.step([ready('t', workShape({ resources: toResourceSet(resources), strategy: 'DEFAULT' }))]))
          else if (what === 'end') {
            const [first] = lanes.keys()
            if (first === undefined) continue
            lanes.delete(first)
            take(scheduler.step([{ type: 'lane-gone', lane: first }]))
          }
          const sum = (of: number | undefined): number =>
            [...lanes.values()].filter((lane) => lane.index === of).reduce((total, lane) => total + lane.units, 0)
          let reserved = sum(undefined)
          for (const [at, { resources: set }] of bundles) {
            reserved += unitsOf(set, 'CPU')
            expect(sum(at)).toBeLessThanOrEqual(unitsOf(set, 'CPU'))
          }
          expect(reserved).toBeLessThanOrEqual(40_000)
          expect(unitsOf(scheduler.used, 'CPU')).toBe(reserved)
          most = Math.max(most, reserved)
        }
      }),
      { numRuns: 400, seed: 7 },
    )
    // It was full at times.
    expect(most).toBeGreaterThan(35_000)
  })
})

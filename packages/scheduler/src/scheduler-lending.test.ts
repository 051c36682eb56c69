import { toResourceSet } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { Scheduler } from './scheduler.ts'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import { workShape } from './shape.ts'

type Event = SchedulerEvent<string>

const ONE = workShape({ resources: toResourceSet({ CPU: 1 }), strategy: 'DEFAULT' })
const create = (): Scheduler<string> =>
  new Scheduler({ self: 'me', resources: toResourceSet({ CPU: 4, memory: 100 }), maxLanes: 16 })

const base = { kind: 'k', depth: 0, isExclusive: false, inputs: [] }
const own = (key: string): Event => ({
  type: 'ready',
  task: { ...base, key, staysHere: false, isGuest: false },
  shape: ONE,
})
/** What a guest submitted: this tab owns it. */
const child = (key: string): Event => ({
  type: 'ready',
  task: { ...base, key, staysHere: false, isGuest: false, isOthers: true, depth: 2 },
  shape: ONE,
})
const guest = (key: string): Event => ({
  type: 'guest',
  node: 'b',
  task: { ...base, key, staysHere: true, isGuest: true, isOthers: true },
  shape: ONE,
})
const lend = (cpus: number): Event => ({
  type: 'lending',
  isOn: true,
  most: toResourceSet({ CPU: cpus, memory: 100 }),
})
const started = (effects: readonly SchedulerEffect<string>[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'start' ? effect.task.key : []))
const ofType = (effects: readonly SchedulerEffect<string>[], type: string): SchedulerEffect<string>[] =>
  effects.filter((effect) => effect.type === type)

it('[SC25] guests and their children have what is lent, and the own job the rest', () => {
  const scheduler = create()
  const effects = scheduler.step([lend(2), guest('g1'), guest('g2'), guest('g3'), child('c'), own('a'), own('b')])
  // The deepest first; then what is left is for the own job, though a guest came before it.
  expect(started(effects)).toEqual(['c', 'g1', 'a', 'b'])
  expect(scheduler.othersRunning).toBe(2)
  expect(started(scheduler.step([{ type: 'finished', lane: 3, kind: 'k', ms: 50 }]))).toEqual([])
  expect(started(scheduler.step([{ type: 'finished', lane: 1, kind: 'k', ms: 50 }]))).toEqual(['g2'])
  expect(started(scheduler.step([lend(4)]))).toEqual(['g3'])
})

it('[SC25] a guest that waits for its children gives back what is lent, too', () => {
  const scheduler = create()
  expect(started(scheduler.step([lend(1), guest('parent')]))).toEqual(['parent'])
  expect(started(scheduler.step([child('c')]))).toEqual([])
  expect(started(scheduler.step([{ type: 'blocked', lane: 1, kind: 'k' }]))).toEqual(['c'])
  scheduler.step([
    { type: 'finished', lane: 2, kind: 'k', ms: 5 },
    { type: 'resumed', lane: 1 },
  ])
  expect(scheduler.othersRunning).toBe(1)
  scheduler.step([{ type: 'finished', lane: 1, kind: 'k', ms: 5 }])
  expect([scheduler.othersRunning, scheduler.used]).toEqual([0, []])
  expect(scheduler.freeForOthers).toEqual(toResourceSet({ CPU: 1, memory: 100 }))
})

it('[SC25] credits are for what is lent, and none are given while others may not start', () => {
  const scheduler = create()
  const peer: Event = { type: 'peer', node: 'b', resources: [] }
  const wanted: Event = { type: 'wanted', node: 'b', shape: ONE, queued: 100 }
  const [grant] = ofType(scheduler.step([lend(1), peer, wanted]), 'grant')
  expect(grant).toMatchObject({ node: 'b', count: 1 })
  expect(ofType(scheduler.step([lend(4), { type: 'others', mayStart: false }]), 'grant')).toEqual([])
  expect(started(scheduler.step([guest('g'), child('c'), own('a')]))).toEqual(['a'])
  const effects = scheduler.step([{ type: 'others', mayStart: true }])
  expect(started(effects)).toEqual(['c', 'g'])
  expect(ofType(effects, 'grant')).toHaveLength(1)
})

it('[SC25] an actor and a bundle of others take of what is lent, and a guest that fits no more goes back', () => {
  const scheduler = create()
  const resources = toResourceSet({ CPU: 1 })
  scheduler.step([lend(2), { type: 'reserve', resources, change: 1, isOthers: true }])
  expect(scheduler.hasRoom(toResourceSet({ CPU: 2 }), true)).toBe(false)
  expect(scheduler.hasRoom(toResourceSet({ CPU: 2 }))).toBe(true)
  const bundle = { key: 'x', group: { owner: 'b', number: 1 } as never, index: 0, resources }
  const effects = scheduler.step([{ type: 'bundle-held', bundle }, guest('g')])
  // The actor's CPU and the bundle's are all there is of it.
  expect(ofType(effects, 'refuse')).toHaveLength(1)
  scheduler.step([
    { type: 'reserve', resources, change: -1, isOthers: true },
    { type: 'bundle-dropped', key: 'x' },
  ])
  expect(scheduler.freeForOthers).toEqual(toResourceSet({ CPU: 2, memory: 100 }))
})

it('[SC15] labels may change: work that asks for one starts once this node has it', () => {
  const scheduler = create()
  const fast = workShape({
    resources: toResourceSet({ CPU: 1 }),
    strategy: 'DEFAULT',
    labels: { hard: [{ key: 'gpu', isNot: false, values: ['yes'] }], soft: [] },
  })
  const task: Event = { ...(own('a') as Extract<Event, { type: 'ready' }>), shape: fast }
  expect(started(scheduler.step([task]))).toEqual([])
  expect(started(scheduler.step([{ type: 'labels', labels: [{ key: 'gpu', value: 'yes' }] }]))).toEqual(['a'])
})

import { NODE_ID_LABEL, toResourceSet } from '@shoal/protocol'
import type { LabelTerm, NodeLabels } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import { Scheduler } from './scheduler.ts'
import { workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

type Event = SchedulerEvent<string>
type Labels = Readonly<Record<string, string>>

const CPU = toResourceSet({ CPU: 1 })
const is = (key: string, ...values: string[]): LabelTerm => ({ key, isNot: false, values })
const not = (key: string, ...values: string[]): LabelTerm => ({ key, isNot: true, values })
const shape = (hard: LabelTerm[], soft: LabelTerm[] = [], strategy: 'DEFAULT' | 'SPREAD' = 'DEFAULT'): WorkShape =>
  workShape({ resources: CPU, strategy, labels: { hard, soft } })
const told = (labels: Labels): NodeLabels => Object.entries(labels).map(([key, value]) => ({ key, value }))
const create = (labels: Labels = {}): Scheduler<string> =>
  new Scheduler<string>({ self: 'me', resources: toResourceSet({ CPU: 2 }), labels: told(labels), maxLanes: 16 })
const ready = (key: string, of: WorkShape): Event => ({
  type: 'ready',
  task: { key, kind: 'k', staysHere: false, isGuest: false, depth: 0, isExclusive: false, inputs: [] },
  shape: of,
})
const peer = (node: string, labels: Labels, cpus = 2): Event => ({
  type: 'peer',
  node,
  resources: toResourceSet({ CPU: cpus }),
  labels: told(labels),
})
const granted = (node: string, of: WorkShape, count = 1): Event => ({ type: 'granted', node, shape: of, count })
const seen = (effects: readonly SchedulerEffect<string>[]): string[] =>
  effects.flatMap((effect) => {
    if (effect.type === 'start') return `${effect.task.key}>me`
    if (effect.type === 'send') return `${effect.task.key}>${effect.node}`
    return effect.type === 'want' && effect.queued > 0 ? `want ${effect.node}` : []
  })

describe('labels', () => {
  it('[SC15] all hard ones hold where work runs: here, or there and nobody else is asked', () => {
    const eu = shape([is('region', 'eu', 'uk')])
    expect(seen(create({ region: 'eu' }).step([ready('a', eu)]))).toEqual(['a>me'])
    const scheduler = create({ region: 'us' })
    expect(seen(scheduler.step([peer('x', { region: 'us' }), peer('y', { region: 'uk' }), ready('a', eu)]))).toEqual([
      'want y',
    ])
    expect(seen(scheduler.step([granted('y', eu)]))).toEqual(['a>y'])
  })

  it('[SC15] what must not hold is fulfilled by a node without the label', () => {
    const noGpu = shape([not('gpu', 'none', 'broken')])
    expect(seen(create().step([ready('a', noGpu)]))).toEqual(['a>me'])
    expect(seen(create({ gpu: 'good' }).step([ready('a', noGpu)]))).toEqual(['a>me'])
    expect(seen(create({ gpu: 'none' }).step([ready('a', noGpu)]))).toEqual([])
  })

  it('[SC15] a node is named by its id, and work for one that is not there is told of each time', () => {
    const scheduler = create()
    const there = shape([is(NODE_ID_LABEL, 'x')])
    scheduler.step([ready('a', there)])
    const passed: Event = { type: 'passed', timer: 'infeasible', shape: there }
    expect(scheduler.step([passed]).map(({ type }) => type)).toEqual(['infeasible'])
    expect(scheduler.step([ready('b', there)]).map(({ type }) => type)).toEqual(['timer'])
    expect(seen(scheduler.step([peer('x', {})]))).toEqual(['want x'])
    expect(seen(scheduler.step([granted('x', there, 2)]))).toEqual(['a>x', 'b>x'])
    expect(scheduler.infeasible()).toEqual([])
  })

  it('[SC15] grants nothing for what may not run here', () => {
    const scheduler = create({ region: 'us' })
    const wanted = (of: WorkShape): Event => ({ type: 'wanted', node: 'x', shape: of, queued: 5 })
    expect(scheduler.step([peer('x', {}), wanted(shape([is('region', 'eu')]))])).toEqual([])
    expect(scheduler.step([wanted(shape([is('region', 'us')]))]).map(({ type }) => type)).toEqual(['grant'])
  })

  it('[SC16] soft ones: the work waits for a busy node that has them, and runs anywhere when that is gone', () => {
    const scheduler = create()
    const soft = shape([], [is('gpu', 'good')])
    expect(seen(scheduler.step([peer('x', { gpu: 'good' }), peer('y', {}), ready('a', soft)]))).toEqual(['want x'])
    expect(seen(scheduler.step([granted('y', soft)]))).toEqual([])
    expect(seen(scheduler.step([{ type: 'peer-gone', node: 'x' }]))).toContain('a>me')
  })

  it('[SC16] others hear of the backlog when the last such node is gone', () => {
    const scheduler = create({ role: 'driver' })
    const soft = shape([not('role', 'driver')], [is(NODE_ID_LABEL, 'x')])
    expect(seen(scheduler.step([peer('x', {}), peer('y', {}), ready('a', soft)]))).toEqual(['want x'])
    expect(seen(scheduler.step([{ type: 'peer-gone', node: 'x' }]))).toEqual(['want y'])
    expect(seen(scheduler.step([granted('y', soft)]))).toEqual(['a>y'])
  })

  it('[SC16] one that has not got what the work asks for is not waited for', () => {
    const soft = shape([], [is('gpu', 'good')])
    expect(seen(create().step([peer('x', { gpu: 'good' }, 0.5), ready('a', soft)]))).toEqual(['a>me'])
  })

  it('[SC12] [SC15] SPREAD goes round among the nodes that may', () => {
    const scheduler = create({ region: 'us' })
    const eu = shape([is('region', 'eu')], [], 'SPREAD')
    const first = scheduler.step([
      peer('x', { region: 'eu' }),
      peer('y', { region: 'eu' }),
      peer('z', { region: 'us' }),
      ...['a', 'b', 'c', 'd'].map((key) => ready(key, eu)),
    ])
    expect(seen(first).sort()).toEqual(['want x', 'want y'])
    const sent = seen(scheduler.step([granted('x', eu, 2), granted('y', eu, 2)]))
    expect(sent.map((each) => each.slice(2)).sort()).toEqual(['x', 'x', 'y', 'y'])
  })
})

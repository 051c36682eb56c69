import { describe, expect, it } from 'vitest'
import { Scheduler } from './scheduler.ts'
import { toResourceSet } from '@shoal/protocol'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import type { ReadyTask } from './ready-queue.ts'
import { workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

type Event = SchedulerEvent<string>
type Effect = SchedulerEffect<string>

function task(key: string, fields: Partial<ReadyTask<string>> = {}): ReadyTask<string> {
  return { key, kind: 'k', staysHere: false, isGuest: false, depth: 0, isExclusive: false, inputs: [], ...fields }
}

function shape(resources: Record<string, number>, strategy: 'DEFAULT' | 'SPREAD' = 'DEFAULT'): WorkShape {
  return workShape({ resources: toResourceSet(resources), strategy })
}

const ONE = shape({ CPU: 1 })

function ready(key: string, fields: Partial<ReadyTask<string>> = {}, of = ONE): Event {
  return { type: 'ready', task: task(key, fields), shape: of }
}

function create(cpus = 1, maxLanes = 16, others: Record<string, number> = {}): Scheduler<string> {
  return new Scheduler<string>({ self: 'me', resources: toResourceSet({ CPU: cpus, ...others }), maxLanes })
}

const started = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'start' ? effect.task.key : []))
const sent = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? `${effect.task.key}>${effect.node}` : []))
const laneOf = (effects: readonly Effect[], key: string): number => {
  const start = effects.find((effect) => effect.type === 'start' && effect.task.key === key)
  if (start?.type !== 'start') throw new Error(`${key} was not started`)
  return start.lane
}
const peer = (node: string, resources: Record<string, number> = { CPU: 1 }): Event => ({
  type: 'peer',
  node,
  resources: toResourceSet(resources),
})
const granted = (node: string, count: number, of = ONE): Event => ({ type: 'granted', node, shape: of, count })
const wanted = (node: string, queued: number, of = ONE): Event => ({ type: 'wanted', node, shape: of, queued })
const others = (effects: readonly Effect[]): Effect[] => effects.filter(({ type }) => type !== 'start')

describe('starting at home', () => {
  it('[S1] starts what fits, and the rest when something ends', () => {
    const scheduler = create(2)
    const effects = scheduler.step([ready('a'), ready('b'), ready('c'), ready('half', {}, shape({ CPU: 0.5 }))])
    expect(started(effects)).toEqual(['a', 'b'])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 2 }))
    const next = scheduler.step([{ type: 'finished', lane: laneOf(effects, 'a'), kind: 'k', ms: 50 }])
    expect(started(next)).toEqual(['c'])
    expect(scheduler.queued).toBe(1)
  })

  it('[S4] the deepest first, then first come first served, given back ones before', () => {
    const scheduler = create(1)
    const first = scheduler.step([ready('running', { kind: 'long' })])
    let lane = laneOf(first, 'running')
    scheduler.step([ready('a'), ready('b'), ready('deep', { depth: 3 }), ready('guest', { staysHere: true })])
    const order: string[] = []
    for (let i = 0; i < 4; i++) {
      const effects = scheduler.step([{ type: 'finished', lane, kind: 'k', ms: 50 }])
      const [key = ''] = started(effects)
      order.push(key)
      lane = laneOf(effects, key)
      if (key === 'deep') {
        const again = scheduler.step([{ type: 'given-back', task: task('a again'), shape: ONE }])
        expect(started(again)).toEqual([])
      }
    }
    expect(order).toEqual(['deep', 'a again', 'a', 'b'])
  })

  it('[SC1] a waiting task gives its slot back and takes it again; its kind is never queued behind another', () => {
    const scheduler = create(1)
    const first = scheduler.step([ready('parent', { kind: 'p' }), ready('child', { kind: 'c', depth: 1 })])
    expect(started(first)).toEqual(['child'])
    const second = scheduler.step([{ type: 'finished', lane: laneOf(first, 'child'), kind: 'c', ms: 0.01 }])
    const parent = laneOf(second, 'parent')
    const third = scheduler.step([
      { type: 'blocked', lane: parent, kind: 'p' },
      ready('c2', { kind: 'c' }),
      ready('c3', { kind: 'c' }),
    ])
    expect(started(third)).toEqual(['c2', 'c3'])
    expect(laneOf(third, 'c2')).not.toBe(parent)
    const child = laneOf(third, 'c2')
    expect(started(scheduler.step([ready('p2', { kind: 'p' })]))).toEqual([])
    scheduler.step([{ type: 'resumed', lane: parent }])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 2 }))
    // One too many runs: nothing starts until both ended.
    const done: Event = { type: 'finished', lane: child, kind: 'c', ms: 0.01 }
    expect(started(scheduler.step([done, done]))).toEqual([])
    expect(started(scheduler.step([{ type: 'finished', lane: parent, kind: 'p', ms: 1 }]))).toEqual(['p2'])
  })

  it('[SC2] queues short tasks behind each other, and none behind or before an exclusive one', () => {
    const scheduler = create(1)
    const [lane] = [laneOf(scheduler.step([ready('measure')]), 'measure')]
    const effects = scheduler.step([
      { type: 'finished', lane, kind: 'k', ms: 0.5 },
      ...Array.from({ length: 20 }, (_, n) => ready(`t${n}`)),
      ready('alone', { isExclusive: true }),
    ])
    expect(started(effects)).toHaveLength(8)
    const slow = create(1)
    const slowLane = laneOf(slow.step([ready('measure')]), 'measure')
    expect(
      started(slow.step([{ type: 'finished', lane: slowLane, kind: 'k', ms: 20 }, ready('a'), ready('b')])),
    ).toEqual(['a'])
    const exclusive = create(1)
    expect(started(exclusive.step([ready('x', { isExclusive: true }), ready('y')]))).toEqual(['x'])
  })

  it('[SC9] an idle lane of one shape serves another', () => {
    const scheduler = create(1, 2)
    for (let tenths = 1; tenths <= 5; tenths++) {
      const effects = scheduler.step([ready(`t${tenths}`, {}, shape({ CPU: tenths / 10 }))])
      expect(started(effects)).toEqual([`t${tenths}`])
      scheduler.step([{ type: 'finished', lane: laneOf(effects, `t${tenths}`), kind: 'k', ms: 5 }])
    }
    expect(scheduler.used).toEqual([])
  })

  it('[S3] goes on in a lane whose task never started', () => {
    const scheduler = create(1)
    const lane = laneOf(scheduler.step([ready('a'), ready('b')]), 'a')
    expect(started(scheduler.step([{ type: 'left', lane }]))).toEqual(['b'])
    expect(scheduler.used).toEqual(ONE.resources)
  })

  it('[S3] goes on without a lane that is gone', () => {
    const scheduler = create(1)
    const lane = laneOf(scheduler.step([ready('a'), ready('b')]), 'a')
    expect(started(scheduler.step([{ type: 'lane-gone', lane }]))).toEqual(['b'])
    expect(scheduler.used).toEqual(ONE.resources)
    expect(scheduler.takeWhere((key) => key === 'c')).toEqual([])
    scheduler.step(['c', 'd', 'c', 'e'].map((key) => ready(key)))
    expect(scheduler.takeWhere((key) => key === 'c')).toEqual(['c', 'c'])
    expect(scheduler.queued).toBe(2)
    expect(scheduler.takeWhere(() => true)).toEqual(['d', 'e'])
    expect(scheduler.queued).toBe(0)
  })
})

describe('credits', () => {
  it('[SC3] [SC4] a backlog is told, spent on credits, and credits that are left go back', () => {
    const scheduler = create(1)
    const first = scheduler.step([peer('b'), ready('a'), ready('b1'), ready('b2'), ready('b3')])
    const settle: Effect = { type: 'timer', timer: 'settle', shape: ONE, afterMs: 50 }
    expect(others(first)).toEqual([settle, { type: 'want', node: 'b', shape: ONE, queued: 3 }])
    expect(others(scheduler.step([peer('c')]))).toEqual([{ type: 'want', node: 'c', shape: ONE, queued: 3 }])
    expect(others(scheduler.step([ready('b4')]))).toEqual([])
    expect(others(scheduler.step([{ type: 'passed', timer: 'settle', shape: ONE }]))).toEqual([])
    const spent = scheduler.step([granted('b', 2), granted('c', 3)])
    expect(sent(spent)).toHaveLength(4)
    expect(sent(spent).filter((line) => line.endsWith('>b'))).toHaveLength(2)
    const idle: Effect = { type: 'timer', timer: 'idle', shape: ONE, afterMs: 50 }
    expect(others(spent).filter(({ type }) => type !== 'send')).toEqual([idle])
    // Credits were spent a moment ago: what is left is kept for one more while.
    expect(scheduler.step([{ type: 'passed', timer: 'idle', shape: ONE }])).toEqual([idle])
    expect(scheduler.step([{ type: 'passed', timer: 'idle', shape: ONE }])).toEqual([
      { type: 'want', node: 'b', shape: ONE, queued: 0 },
      { type: 'want', node: 'c', shape: ONE, queued: 0 },
      { type: 'return', node: 'c', shape: ONE, count: 1 },
    ])
    expect(others(scheduler.step([peer('d')]))).toEqual([])
  })

  it('[SC3] only those that could take such a task, or may for all that is known, hear of a backlog and of its end', () => {
    const scheduler = create(1)
    const camera = shape({ camera: 1 })
    const wants = (effects: readonly Effect[]): string[] =>
      effects.flatMap((effect) => (effect.type === 'want' ? `${effect.node} ${effect.queued}` : []))
    const unknown: Event = { type: 'peer', node: 'unknown', resources: undefined }
    const waiting = [peer('none'), peer('one', { camera: 1 }), unknown, ready('a', {}, camera)]
    expect(wants(scheduler.step(waiting))).toEqual(['one 1', 'unknown 1'])
    // What it lends has come, or changed.
    expect(wants(scheduler.step([peer('unknown'), peer('none', { camera: 2 })]))).toEqual(['none 1'])
    expect(wants(scheduler.step([ready('b', {}, camera)]))).toEqual(['none 2', 'one 2', 'unknown 2'])
    expect(sent(scheduler.step([granted('one', 1, camera), granted('none', 1, camera)]))).toHaveLength(2)
    const passed: Event = { type: 'passed', timer: 'idle', shape: camera }
    expect(wants([...scheduler.step([passed]), ...scheduler.step([passed])])).toEqual(['one 0', 'unknown 0', 'none 0'])
  })

  it('[S2] guests and tasks that may not leave are never sent', () => {
    const scheduler = create(1)
    const guest: Event = {
      type: 'guest',
      node: 'b',
      task: task('guest', { staysHere: true, isGuest: true }),
      shape: ONE,
    }
    const effects = scheduler.step([
      peer('b'),
      ready('a'),
      guest,
      ready('home', { staysHere: true }),
      granted('b', 5),
      ready('away'),
    ])
    expect(started(effects)).toEqual(['a'])
    expect(sent(effects)).toEqual(['away>b'])
  })

  it('[SC5] are granted to who has a backlog, when nothing waits at home, and evenly', () => {
    const scheduler = create(4)
    const [one, two] = scheduler.step([peer('b'), peer('c'), wanted('b', 100), wanted('c', 1)])
    expect([one, two]).toEqual([
      { type: 'grant', node: 'b', shape: ONE, count: 2 },
      { type: 'grant', node: 'c', shape: ONE, count: 2 },
    ])
    const busy = create(1)
    const waiting = [peer('b'), ready('x', { kind: 'long' }), ready('y', { kind: 'long' }), wanted('b', 100)]
    expect(others(busy.step(waiting)).filter(({ type }) => type === 'grant')).toEqual([])
    expect(others(scheduler.step([wanted('b', 0), wanted('c', 0)]))).toEqual([])
  })

  it('[SC6] are not granted while lending is off', () => {
    const scheduler = create(4)
    expect(scheduler.step([{ type: 'lending', isOn: false }, peer('b'), wanted('b', 9), ready('own')])).toHaveLength(1)
    expect(scheduler.step([{ type: 'lending', isOn: true }])).toMatchObject([{ type: 'grant', node: 'b' }])
  })

  it('[SC23] one long task may wait behind each that runs, and none behind one that is not here yet', () => {
    const scheduler = create(1)
    const guest = (key: string): Event => ({ type: 'guest', node: 'b', shape: ONE, task: task(key, { isGuest: true }) })
    const grants = (effects: readonly Effect[]): number[] =>
      effects.flatMap((effect) => (effect.type === 'grant' ? effect.count : []))
    expect(grants(scheduler.step([peer('b'), wanted('b', 9)]))).toEqual([1])
    expect(grants(scheduler.step([guest('runs')]))).toEqual([1])
    expect(grants(scheduler.step([guest('waits')]))).toEqual([])
  })

  it('[SC23] a long task is put behind another only once whoever has a free slot had the time to say so', () => {
    const scheduler = create(1)
    const tasks = ['home', 'one', 'two', 'three'].map((key) => ready(key))
    scheduler.step([peer('near'), peer('far'), ...tasks])
    expect(sent(scheduler.step([granted('near', 1)]))).toEqual(['one>near'])
    expect(sent(scheduler.step([granted('near', 1)]))).toEqual([])
    expect(sent(scheduler.step([granted('far', 1)]))).toEqual(['two>far'])
    expect(sent(scheduler.step([{ type: 'passed', timer: 'settle', shape: ONE }]))).toEqual(['three>near'])
    // What is known to be short need not wait.
    const bulk = create(1)
    const finished: Event = { type: 'sent-ended', node: 'near', kind: 'k', ms: 20 }
    bulk.step([peer('near'), finished, ...tasks])
    expect(sent(bulk.step([granted('near', 3)]))).toHaveLength(3)
  })

  it('[SC7] end with their peer', () => {
    const scheduler = create(1)
    scheduler.step([peer('b'), wanted('b', 50)])
    expect(scheduler.step([{ type: 'peer-gone', node: 'b' }])).toEqual([])
    expect(scheduler.step([peer('b'), wanted('b', 50)])).toMatchObject([{ type: 'grant', count: 1 }])
    const owner = create(1)
    owner.step([peer('b'), ready('a', { kind: 'l' }), granted('b', 3), { type: 'peer-gone', node: 'b' }])
    expect(sent(owner.step([ready('x', { kind: 'l' })]))).toEqual([])
  })

  it('[SC8] [S3] a task goes to its large inputs, and the next one takes the slot at home', () => {
    const scheduler = create(1)
    const inputs = [{ bytes: 50e6, holders: ['b'] }]
    const effects = scheduler.step([peer('b'), granted('b', 1), ready('pulled', { inputs }), ready('next')])
    expect(sent(effects)).toEqual(['pulled>b'])
    expect(started(effects)).toEqual(['next'])
    const home = create(1)
    const here = [{ bytes: 50e6, holders: ['me'] }]
    expect(started(home.step([peer('b'), granted('b', 1), ready('stays', { inputs: here })]))).toEqual(['stays'])
  })
})

import { toResourceSet } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { ReadyTask } from './ready-queue.ts'
import type { SchedulerEffect, SchedulerEvent } from './scheduler-event.ts'
import { Scheduler } from './scheduler.ts'
import { workShape } from './shape.ts'
import type { WorkShape } from './shape.ts'

type Event = SchedulerEvent<string>
type Effect = SchedulerEffect<string>
type Amounts = Readonly<Record<string, number>>

function shape(resources: Amounts, strategy: 'DEFAULT' | 'SPREAD' = 'DEFAULT'): WorkShape {
  return workShape({ resources: toResourceSet(resources), strategy })
}

function task(key: string, fields: Partial<ReadyTask<string>> = {}): ReadyTask<string> {
  return { key, kind: 'k', staysHere: false, isGuest: false, depth: 0, isExclusive: false, inputs: [], ...fields }
}

const create = (resources: Amounts): Scheduler<string> =>
  new Scheduler<string>({ self: 'me', resources: toResourceSet(resources), maxLanes: 16 })
const ready = (key: string, of: WorkShape, fields: Partial<ReadyTask<string>> = {}): Event => ({
  type: 'ready',
  task: task(key, fields),
  shape: of,
})
const peer = (node: string, resources: Amounts): Event => ({ type: 'peer', node, resources: toResourceSet(resources) })
const granted = (node: string, of: WorkShape, count: number): Event => ({ type: 'granted', node, shape: of, count })
const passed = (timer: 'idle' | 'spread' | 'infeasible', of: WorkShape): Event => ({ type: 'passed', timer, shape: of })
const places = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) =>
    effect.type === 'start'
      ? `${effect.task.key}>me`
      : effect.type === 'send'
        ? `${effect.task.key}>${effect.node}`
        : [],
  )
const laneOf = (effects: readonly Effect[], key: string): number => {
  const start = effects.find((effect) => effect.type === 'start' && effect.task.key === key)
  if (start?.type !== 'start') throw new Error(`${key} was not started`)
  return start.lane
}
const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type)

const CAMERA = shape({ CPU: 1, camera: 1 })
const ONE = shape({ CPU: 1 })
const SPREAD = shape({ CPU: 1 }, 'SPREAD')

describe('resources', () => {
  it('[S1] [S3] of all names are reserved together; what lacks one of them waits and holds up nobody else', () => {
    const scheduler = create({ CPU: 4, camera: 1 })
    const first = scheduler.step([ready('a', CAMERA), ready('b', CAMERA), ready('c', ONE)])
    expect(places(first)).toEqual(['a>me', 'c>me'])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 2, camera: 1 }))
    const next = scheduler.step([{ type: 'finished', lane: laneOf(first, 'a'), kind: 'k', ms: 50 }])
    expect(places(next)).toEqual(['b>me'])
  })

  it('[S1] add up exactly: ten tenths are one', () => {
    const scheduler = create({ camera: 1 })
    const tenth = shape({ camera: 0.1 })
    const tasks = Array.from({ length: 11 }, (_, n) => ready(`t${n}`, tenth))
    const effects = scheduler.step(tasks)
    expect(places(effects)).toHaveLength(10)
    for (let n = 0; n < 10; n++)
      scheduler.step([{ type: 'finished', lane: laneOf(effects, `t${n}`), kind: 'k', ms: 50 }])
    expect(scheduler.used).toEqual(toResourceSet({ camera: 0.1 }))
  })

  it('[S4] first come first served among tasks of different shapes', () => {
    const scheduler = create({ CPU: 1, camera: 1 })
    let effects = scheduler.step([ready('running', ONE), ready('a', CAMERA), ready('b', ONE), ready('c', CAMERA)])
    const order: string[] = []
    for (let key = 'running'; key !== 'c';) {
      effects = scheduler.step([{ type: 'finished', lane: laneOf(effects, key), kind: 'k', ms: 50 }])
      key = places(effects)[0]?.split('>')[0] ?? 'c'
      order.push(key)
    }
    expect(order).toEqual(['a', 'b', 'c'])
  })

  it('[SC10] a task that waits gives its CPUs to its child and keeps its camera', () => {
    const scheduler = create({ CPU: 1, camera: 1 })
    const lane = laneOf(scheduler.step([ready('parent', CAMERA)]), 'parent')
    const effects = scheduler.step([
      { type: 'blocked', lane, kind: 'k' },
      ready('child', ONE, { depth: 1 }),
      ready('other', CAMERA),
    ])
    expect(places(effects)).toEqual(['child>me'])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 1, camera: 1 }))
    scheduler.step([
      { type: 'finished', lane: laneOf(effects, 'child'), kind: 'c', ms: 1 },
      { type: 'resumed', lane },
    ])
    expect(places(scheduler.step([{ type: 'lane-gone', lane }]))).toEqual(['other>me'])
    expect(scheduler.used).toEqual(toResourceSet({ CPU: 1, camera: 1 }))
  })

  it('[SC10] what an actor holds is in use for its life: 2.7 of 3 leave room for 0.3 and not for 0.7', () => {
    const scheduler = create({ CPU: 4, camera: 3 })
    const birth = laneOf(scheduler.step([ready('actor', shape({ camera: 2.7 }))]), 'actor')
    scheduler.step([
      { type: 'reserve', resources: toResourceSet({ camera: 2.7 }), change: 1 },
      { type: 'lane-gone', lane: birth },
    ])
    const effects = scheduler.step([ready('seven', shape({ camera: 0.7 })), ready('three', shape({ camera: 0.3 }))])
    expect(places(effects)).toEqual(['three>me'])
    expect(scheduler.infeasible()).toEqual([])
    const end: Event = { type: 'reserve', resources: toResourceSet({ camera: 2.7 }), change: -1 }
    expect(places(scheduler.step([end]))).toEqual(['seven>me'])
  })
})

describe('what fits nowhere', () => {
  it('[SC11] waits, is told once, and goes to the node that comes with it', () => {
    const scheduler = create({ CPU: 2 })
    const first = scheduler.step([ready('a', CAMERA), ready('b', CAMERA), peer('b', { CPU: 8 })])
    expect(places(first)).toEqual([])
    expect(first).toContainEqual({ type: 'timer', timer: 'infeasible', shape: CAMERA, afterMs: 5_000 })
    expect(scheduler.infeasible()).toEqual([{ shape: '1 CPU, 1 camera', tasks: 2 }])
    expect(typesOf(scheduler.step([passed('infeasible', CAMERA)]))).toEqual(['infeasible'])
    expect(typesOf(scheduler.step([ready('c', CAMERA)]))).toEqual([])
    expect(typesOf(scheduler.step([peer('c', { CPU: 3, camera: 3 })]))).toEqual(['want'])
    expect(scheduler.infeasible()).toEqual([])
    expect(places(scheduler.step([granted('c', CAMERA, 4)]))).toEqual(['a>c', 'b>c', 'c>c'])
  })

  it('[SC11] is not told of when the node comes before people would hear of it', () => {
    const scheduler = create({ CPU: 2 })
    scheduler.step([ready('a', CAMERA)])
    scheduler.step([peer('b', { CPU: 1, camera: 1 })])
    expect(typesOf(scheduler.step([passed('infeasible', CAMERA)]))).toEqual([])
    // The node goes: the wait begins anew.
    const gone = scheduler.step([{ type: 'peer-gone', node: 'b' }])
    expect(gone).toEqual([{ type: 'timer', timer: 'infeasible', shape: CAMERA, afterMs: 5_000 }])
  })

  it('[SC11] counts what may not leave this node even when another one has it', () => {
    const scheduler = create({ CPU: 2 })
    scheduler.step([peer('b', { CPU: 1, camera: 1 }), ready('stays', CAMERA, { staysHere: true })])
    expect(scheduler.infeasible()).toEqual([{ shape: '1 CPU, 1 camera', tasks: 1 }])
  })

  it('[SC5] is never granted', () => {
    const scheduler = create({ CPU: 2, camera: 0.5 })
    const wanted: Event = { type: 'wanted', node: 'b', shape: CAMERA, queued: 5 }
    expect(scheduler.step([peer('b', {}), wanted])).toEqual([])
  })

  it('[SC14] is forgotten with what asked for it, and peers cannot fill the table', () => {
    const scheduler = create({ CPU: 2 })
    const odd = (n: number): WorkShape => shape({ [`odd${n}`]: 1 })
    const want = (n: number, queued: number): Event => ({ type: 'wanted', node: 'b', shape: odd(n), queued })
    scheduler.step([peer('b', { odd7: 1 })])
    scheduler.step(Array.from({ length: 1_000 }, (_, n) => want(n, 1)))
    expect(scheduler.shapeCount).toBe(256)
    scheduler.step(Array.from({ length: 256 }, (_, n) => want(n, 0)))
    scheduler.step([{ type: 'wanted', node: 'b', shape: ONE, queued: 4 }])
    expect(scheduler.shapeCount).toBe(1)
    expect(typesOf(scheduler.step([ready('own', odd(7))]))).toContain('want')
  })
})

describe('guests and actors', () => {
  it('[SC13] a guest that an actor leaves no room for goes back, and nobody is promised any more of it', () => {
    const scheduler = create({ CPU: 2, camera: 1 })
    const wanted: Event = { type: 'wanted', node: 'b', shape: CAMERA, queued: 5 }
    const grants = scheduler.step([peer('b', { CPU: 1 }), wanted])
    expect(grants).toEqual([{ type: 'grant', node: 'b', shape: CAMERA, count: 1 }])
    const guest = (key: string): Event => ({
      type: 'guest',
      node: 'b',
      shape: CAMERA,
      task: task(key, { staysHere: true, isGuest: true }),
    })
    const started = scheduler.step([guest('one'), guest('two'), ready('home', CAMERA, { staysHere: true })])
    expect(places(started)).toEqual(['one>me'])
    const born = scheduler.step([
      { type: 'reserve', resources: toResourceSet({ camera: 1 }), change: 1 },
      { type: 'lane-gone', lane: laneOf(started, 'one') },
    ])
    expect(born).toMatchObject([{ type: 'refuse', task: { key: 'two' } }])
    const after = scheduler.step([{ type: 'reserve', resources: toResourceSet({ camera: 1 }), change: -1 }])
    expect(places(after)).toEqual(['home>me'])
  })
})

describe('SPREAD', () => {
  it('[SC12] goes round the nodes that fit, its own included, as soon as they have answered', () => {
    const scheduler = create({ CPU: 8 })
    const tasks = Array.from({ length: 8 }, (_, n) => ready(`t${n}`, SPREAD))
    const first = scheduler.step([peer('b', { CPU: 8 }), peer('none', { camera: 1 }), peer('c', { CPU: 8 }), ...tasks])
    expect(places(first)).toEqual(['t0>me'])
    expect(typesOf(first)).toEqual(['start', 'timer', 'want', 'want'])
    expect(places(scheduler.step([granted('b', SPREAD, 10)]))).toEqual(['t1>b'])
    expect(places(scheduler.step([granted('c', SPREAD, 10)]))).toEqual([
      't2>c',
      't3>me',
      't4>b',
      't5>c',
      't6>me',
      't7>b',
    ])
  })

  it('[SC12] passes over who is busy, and waits for nobody longer than a while', () => {
    const scheduler = create({ CPU: 2 })
    const tasks = Array.from({ length: 5 }, (_, n) => ready(`t${n}`, SPREAD))
    const first = scheduler.step([peer('b', { CPU: 1 }), peer('c', { CPU: 1 }), ...tasks])
    expect(first).toContainEqual({ type: 'timer', timer: 'spread', shape: SPREAD, afterMs: 250 })
    expect(places(scheduler.step([granted('c', SPREAD, 2)]))).toEqual([])
    // b has not answered: c is next, then this node, and c once more; then nobody has room.
    expect(places(scheduler.step([passed('spread', SPREAD)]))).toEqual(['t1>c', 't2>me', 't3>c'])
    expect(places(scheduler.step([granted('b', SPREAD, 1)]))).toEqual(['t4>b'])
  })

  it('[SC12] takes a credit that came late for no answer to the next backlog', () => {
    const scheduler = create({ CPU: 8 })
    scheduler.step([peer('b', { CPU: 8 }), ready('a', SPREAD), granted('b', SPREAD, 1)])
    const tasks = Array.from({ length: 4 }, (_, n) => ready(`t${n}`, SPREAD))
    expect(places(scheduler.step(tasks))).toEqual(['t0>b', 't1>me'])
    expect(places(scheduler.step([granted('b', SPREAD, 8)]))).toEqual(['t2>b', 't3>me'])
  })

  it('[SC12] runs at home at once while it is alone', () => {
    const scheduler = create({ CPU: 2 })
    expect(places(scheduler.step([ready('a', SPREAD), ready('b', SPREAD), ready('c', SPREAD)]))).toEqual([
      'a>me',
      'b>me',
    ])
    expect(scheduler.queued).toBe(1)
  })

  it('[SC12] goes where it has to even when this node has no such thing, and wherever its inputs are', () => {
    const scheduler = create({ CPU: 2 })
    const spread = shape({ camera: 1 }, 'SPREAD')
    const inputs = [{ bytes: 50e6, holders: ['b'] }]
    scheduler.step([peer('b', { camera: 1 }), peer('c', { camera: 1 })])
    scheduler.step([ready('x', spread, { inputs }), ready('y', spread, { inputs })])
    expect(places(scheduler.step([granted('b', spread, 2), granted('c', spread, 2)]))).toEqual(['x>b', 'y>c'])
  })

  it('[S3] does not hold back a guest of the same shape', () => {
    const scheduler = create({ CPU: 2 })
    scheduler.step([peer('b', { CPU: 1 }), ready('first', SPREAD), ready('waits for b', SPREAD)])
    const guest: Event = {
      type: 'guest',
      node: 'b',
      shape: SPREAD,
      task: task('guest', { staysHere: true, isGuest: true }),
    }
    expect(places(scheduler.step([guest]))).toEqual(['guest>me'])
  })

  it('[SC5] two nodes that spread over each other both grant', () => {
    const scheduler = create({ CPU: 1 })
    scheduler.step([peer('b', { CPU: 1 }), ready('a', SPREAD), ready('b', SPREAD)])
    const effects = scheduler.step([{ type: 'wanted', node: 'b', shape: SPREAD, queued: 2 }])
    expect(effects).toMatchObject([{ type: 'grant', node: 'b', count: 1 }])
  })
})

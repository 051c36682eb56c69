// Long because each thing that people may ask of a room is a story of its own, told over the same rooms.
import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import type { StateQuestion, StateRows } from '@shoal/node'
import { LIMITS } from '@shoal/protocol'
import type { NodeId, ObjectRow, TaskRow, WorkerRow, ActorRow } from '@shoal/protocol'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>

const QUESTION: StateQuestion = {
  kind: 'tasks',
  id: undefined,
  filters: [],
  limit: 100,
  detail: false,
  timeoutMs: 5_000,
}

/** What the page would see of a row of any kind. */
type Shown = Omit<TaskRow & Omit<ObjectRow, 'state'> & Omit<WorkerRow, 'state'> & Omit<ActorRow, 'state'>, 'state'> & {
  readonly state: string
  readonly isSelf: boolean
  readonly ledgers: readonly NodeId[]
  readonly stateCounts: unknown
}
interface Answer extends Omit<StateRows, 'rows'> {
  readonly rows: readonly Shown[]
}

class Room {
  readonly world: SimWorld
  readonly tabs = new Map<string, SimNode>()

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  async open(tabs: Readonly<Record<string, SimNodeOptions>>): Promise<void> {
    for (const [name, options] of Object.entries(tabs)) {
      const ports = this.world.ports(await this.world.identity(name), 1)
      const tab = await createSimNode(ports, {
        slots: 2,
        resources: { [name]: 100 },
        ...(name === 'driver' && { ownerKeyPair: this.world.ownerKeyPair }),
        ...options,
      })
      this.tabs.set(name, tab)
    }
    const others = this.tabs.size - 1
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) => node.status().members.filter(({ card }) => card !== undefined).length === others,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }

  tab(name: string): SimNode {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    return tab
  }

  node(name: string): NodeId {
    return this.tab(name).ports.node
  }

  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.clock.settle(promise, limitMs)
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  ask(question: Partial<StateQuestion>, by = 'driver'): Promise<Answer> {
    return this.settle(this.tab(by).node.state({ ...QUESTION, ...question })) as Promise<Answer>
  }

  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  close(): void {
    for (const tab of this.tabs.values()) tab.close('left')
  }
}

const at = (name: string): { resources: Record<string, number>; numCpus: number } => ({
  resources: { [name]: 1 },
  numCpus: 0,
})

let room: Room
afterEach(() => room.close())

const brief = ({ name, state, nodeId }: Shown): unknown[] => [name, state, nodeId]

describe('questions about state across a room', () => {
  it('[Q1] tell of every task of every owner, whoever asks, and where each runs', async () => {
    room = new Room(1)
    await room.open({ driver: {}, a: {}, b: {} })
    const { remote, get } = room.tab('driver').api
    const slow = remote(async (ms: number) => simSleep(ms), { name: 'slow', ...at('b') })
    const parent = remote({ slow }, async ({ slow: child, get: wait }) => wait(child.remote(4_000)), {
      name: 'parent',
      ...at('a'),
    })
    // A task may send on what its own tab was given leave to run.
    await room.settle(get(slow.options(at('a')).remote(1)))
    const refs = [parent.remote(), slow.remote(4_000)]
    await room.pass(1_000)
    const [a, b] = [room.node('a'), room.node('b')]
    for (const by of ['driver', 'a', 'b']) {
      const open = [{ column: 'state', isEqual: false, value: 'FINISHED' }] as const
      const { rows, total, missing, warnings } = await room.ask({ filters: open }, by)
      expect(rows.map(brief).sort()).toEqual([
        ['parent', 'RUNNING_IN_RAY_GET', a],
        ['slow', 'RUNNING', b],
        ['slow', 'RUNNING', b],
      ])
      expect({ total, missing, warnings }).toEqual({ total: 4, missing: [], warnings: [] })
      const [of, child] = [rows.find(({ name }) => name === 'parent'), rows.find(({ ownerId }) => ownerId === a)]
      expect(child?.parentTaskId).toBe(of?.taskId)
    }
    const running = await room.ask({ filters: [{ column: 'state', isEqual: true, value: 'RUNNING' }], limit: 1 })
    expect([running.rows.length, running.numFiltered, running.isTruncated]).toEqual([1, 2, true])
    await room.settle(get(refs))
    const summary = await room.ask({ kind: 'summary' }, 'b')
    expect(summary.rows.map((row) => [row.name, row.stateCounts])).toEqual([
      ['slow', { FINISHED: 3 }],
      ['parent', { FINISHED: 1 }],
    ])
  })

  it('[Q4] say how many tasks are before one on the tab that has it, and why one is still at home', async () => {
    room = new Room(2)
    await room.open({ driver: { slots: 0 }, a: { slots: 1 } })
    const { remote } = room.tab('driver').api
    const slow = remote(async () => simSleep(60_000), { name: 'slow' })
    const refs = Array.from({ length: 6 }, () => slow.remote())
    await room.pass(2_000)
    const { rows } = await room.ask({})
    const a = `a (${room.node('a').slice(0, 8)})`
    expect(rows[0]).toMatchObject({ state: 'RUNNING', pendingReason: undefined })
    expect(rows[1]).toMatchObject({ state: 'SUBMITTED_TO_WORKER', pendingReason: `next on ${a}, whose slots all run` })
    const reasons = rows.slice(2).map(({ pendingReason }) => pendingReason)
    expect(reasons).toContain('queued: this tab has not got 1 CPU, and the others gave no credits')
    const names = await room.ask({ filters: [{ column: 'state', isEqual: true, value: 'RUNNING' }] }, 'a')
    expect(names.rows.map(({ workerId }) => workerId)).toEqual([1])
    for (const ref of refs) ref.release()
  })

  it('[Q2] name a node that does not answer, and do not wait for one that is dead', async () => {
    room = new Room(3)
    await room.open({ driver: {}, a: {}, b: {} })
    const b = room.node('b')
    room.kill('b')
    // Nobody knows of its death yet.
    const early = await room.ask({ kind: 'nodes', timeoutMs: 200 })
    expect(early.missing).toEqual([b])
    expect(early.rows.map(({ isSelf }) => isSelf)).toEqual([true, false, false])
    expect(early.warnings.join()).toContain('did not answer within 200 ms')
    const before = room.world.clock.now()
    // The verdict comes while it waits.
    const late = await room.ask({ kind: 'nodes', timeoutMs: 60_000 })
    expect(room.world.clock.now() - before).toBeLessThan(8_000)
    expect([late.missing, late.rows.length]).toEqual([[], 2])
    expect(room.tab('driver').node.holdings().stateQuestions).toBe(0)
  })

  it('[Q1] tell of a dead owner’s tasks and objects by whoever took its ledger over', async () => {
    room = new Room(4)
    await room.open({ driver: {}, a: {}, b: {}, c: {} })
    const { remote, get } = room.tab('driver').api
    const slow = remote(async (ms: number) => simSleep(ms), { name: 'slow', ...at('b') })
    await room.settle(get(slow.options(at('a')).remote(1)))
    const make = remote({ slow }, ({ slow: child, put }) => [child.remote(30_000), put('kept')], at('a'))
    const refs = (await room.settle(get(make.remote()))) as ObjectRef[]
    await room.pass(1_000)
    const a = room.node('a')
    const by = (kind: 'tasks' | 'objects'): Promise<Answer> =>
      room.ask({ kind, filters: [{ column: 'ownerId', isEqual: true, value: a }], detail: true })
    expect((await by('tasks')).rows.map(brief)).toContainEqual(['slow', 'RUNNING', room.node('b')])
    const held = (await by('objects')).rows.find(({ taskName }) => taskName === 'slow')
    expect([held?.answeredBy, held?.referenceCounts.borrowers]).toEqual([a, 1])
    expect(held?.replicated?.successors.length).toBeGreaterThan(0)
    room.kill('a')
    await room.pass(9_000)
    expect((await by('tasks')).rows.map(brief)).toEqual([['slow', 'RUNNING', room.node('b')]])
    const { rows } = await by('objects')
    expect(rows.map(({ state }) => state).sort()).toEqual(['AVAILABLE', 'PENDING'])
    const [first] = rows
    expect(first?.answeredBy).not.toBe(a)
    expect(first?.replicated?.epoch).toBeGreaterThan(0)
    const nodes = await room.ask({ kind: 'nodes' })
    expect(nodes.rows.filter(({ ledgers }) => ledgers.includes(a)).length).toBe(1)
    for (const ref of refs) ref.release()
  })

  it('[Q6] tell what would make an object again, and who knows of it', async () => {
    room = new Room(5)
    await room.open({ driver: { slots: 0 }, a: {}, b: {} })
    const { remote, put, wait } = room.tab('driver').api
    const grow = remote((of: Uint8Array) => new Uint8Array(of.length + 1), { name: 'grow' })
    const first = put(new Uint8Array(200_000))
    const second = grow.remote(first)
    const third = grow.remote(second)
    await room.settle(wait([third]))
    second.release()
    await room.pass(1_000)
    const number = Number(third.id.split('/')[1])
    const { rows } = await room.ask({ kind: 'objects', id: { owner: room.node('driver'), number }, detail: true })
    const [row] = rows
    expect(row?.lineage?.objects.map(({ taskName, depth }) => [taskName, depth])).toEqual([
      ['grow', 0],
      ['grow', 1],
      [undefined, 2],
    ])
    expect(row).toMatchObject({ state: 'AVAILABLE', sizeBytes: expect.any(Number) as number, taskName: 'grow' })
    const needed = await room.ask({ kind: 'objects', filters: [{ column: 'taskName', isEqual: true, value: 'grow' }] })
    expect(needed.rows.map(({ referenceCounts }) => referenceCounts.recipes).sort()).toEqual([0, 1])
    third.release()
    first.release()
  })

  it('[Q4] tell of actors: where they live, what waits for them, and why one does not live', async () => {
    room = new Room(6)
    await room.open({ driver: {}, a: {} })
    const { actor, remote, get } = room.tab('driver').api
    const Counter = actor(
      class Counter {
        async add(ms: number): Promise<void> {
          await simSleep(ms)
        }
      },
      at('a'),
    )
    const counter = Counter.remote()
    await room.settle(get(counter.add.remote(1)))
    const slow = remote(async (ms: number) => simSleep(ms), { name: 'slow' })
    const calls = [counter.add.remote(20_000), counter.add.remote(1), counter.add.remote(slow.remote(20_000) as never)]
    const Gpu = actor(class Gpu {}, { numGpus: 1 })
    const gpu = Gpu.remote()
    await room.pass(1_000)
    const { rows } = await room.ask({ kind: 'actors' })
    expect(
      rows.map(({ className, state, nodeId, pendingReason }) => [className, state, nodeId, pendingReason]),
    ).toEqual([
      ['Counter', 'ALIVE', room.node('a'), undefined],
      ['Gpu', 'PENDING_CREATION', undefined, 'needs 1 GPU and no node has one'],
    ])
    expect(rows[0]?.pendingCalls).toBe(2)
    const tasks = await room.ask({ filters: [{ column: 'type', isEqual: false, value: 'NORMAL_TASK' }] }, 'a')
    expect(tasks.rows.map(({ name, state, type }) => [name, state, type])).toEqual([
      ['Gpu', 'PENDING_NODE_ASSIGNMENT', 'ACTOR_CREATION_TASK'],
      ['Counter.add', 'RUNNING', 'ACTOR_TASK'],
      ['Counter.add', 'SUBMITTED_TO_WORKER', 'ACTOR_TASK'],
      ['Counter.add', 'PENDING_ARGS_AVAIL', 'ACTOR_TASK'],
      ['Counter.add', 'FINISHED', 'ACTOR_TASK'],
      ['Counter', 'FINISHED', 'ACTOR_CREATION_TASK'],
    ])
    const workers = await room.ask({ kind: 'workers', filters: [{ column: 'state', isEqual: true, value: 'ACTOR' }] })
    expect(workers.rows.map(({ nodeId, numRuns }) => [nodeId, numRuns])).toEqual([[room.node('a'), 2]])
    expect([calls.length, gpu]).toBeDefined()
  })

  it('[Q3] keep failed attempts with their errors, retried ones too', async () => {
    room = new Room(7)
    await room.open({ driver: {} })
    const { remote, get } = room.tab('driver').api
    const fails = remote(
      () => {
        throw new RangeError('too far')
      },
      { name: 'fails', maxRetries: 2, retryExceptions: true },
    )
    await expect(room.settle(get(fails.remote()))).rejects.toThrow('too far')
    const { rows } = await room.ask({ filters: [{ column: 'state', isEqual: true, value: 'FAILED' }] })
    expect(rows.map(({ attempt, errorType, errorMessage }) => [attempt, errorType, errorMessage])).toEqual([
      [2, 'task-failed', 'fails failed: RangeError: too far'],
      [1, 'task-failed', 'fails failed: RangeError: too far'],
      [0, 'task-failed', 'fails failed: RangeError: too far'],
    ])
  })

  it('[Q5] cut what does not fit into a message, count it, and never more than is asked for', async () => {
    room = new Room(8)
    await room.open({ driver: {}, a: {} })
    const { remote } = room.tab('driver').api
    const never = remote(() => 1, { name: 'never', numGpus: 1 })
    const refs = Array.from({ length: 3_000 }, () => never.remote())
    await room.pass(500)
    const own = await room.ask({ limit: LIMITS.stateRows })
    expect([own.rows.length, own.isTruncated, own.warnings]).toEqual([3_000, false, []])
    const asked = await room.ask({ limit: LIMITS.stateRows }, 'a')
    expect(asked.rows.length).toBeGreaterThan(200)
    expect(asked.rows.length).toBeLessThan(3_000)
    expect([asked.total, asked.numFiltered, asked.isTruncated]).toEqual([3_000, 3_000, true])
    expect(asked.warnings.join()).toContain(`has 3000 rows, and one message held ${asked.rows.length} of them`)
    expect((await room.ask({ limit: 7 }, 'a')).rows.length).toBe(7)
    for (const ref of refs) ref.release()
  })
})

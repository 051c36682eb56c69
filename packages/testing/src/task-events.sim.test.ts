import { afterEach, describe, expect, it } from 'vitest'
import type { TaskEventBatch } from '@shoal/core-worker'
import type { StateQuestion, StateRows } from '@shoal/node'
import { StoryRoom } from './story-room.ts'

declare const simSleep: (ms: number) => Promise<void>

interface Answer extends Omit<StateRows, 'rows'> {
  readonly rows: readonly TaskEventBatch[]
}
type Since = NonNullable<StateQuestion['since']>

const at = (name: string): { resources: Record<string, number>; numCpus: number } => ({
  resources: { [name]: 1 },
  numCpus: 0,
})
const QUESTION = {
  kind: 'taskEvents',
  id: undefined,
  filters: [],
  limit: 100,
  detail: false,
  timeoutMs: 5_000,
} as const

let room: StoryRoom
afterEach(() => room.close())

function ask(since: Since = {}): Promise<Answer> {
  return room.settle(room.tab('driver').node.state({ ...QUESTION, since })) as unknown as Promise<Answer>
}

const cursorOf = ({ rows }: Answer): Since => Object.fromEntries(rows.map(({ nodeId, next }) => [nodeId, next]))
const batchOf = ({ rows }: Answer, name: string): TaskEventBatch => {
  const batch = rows.find(({ nodeId }) => nodeId === room.tab(name).ports.node)
  if (batch === undefined) throw new Error(`${name} has told nothing`)
  return batch
}
const runsOf = ({ names, owners, runs }: TaskEventBatch) =>
  [...runs.number].map((number, i) => ({
    name: names[runs.name[i] ?? 0],
    owner: owners[runs.owner[i] ?? 0],
    number,
    attempt: runs.attempt[i],
    worker: runs.worker[i],
    outcome: runs.outcome[i],
    waited: runs.waited[i],
    ranMs: (runs.endMs[i] ?? 0) - (runs.startMs[i] ?? 0),
    blockedMs: runs.blockedMs[i],
    startMs: runs.startMs[i] ?? 0,
  }))

describe('events of tasks', () => {
  it('[Q8] are told once each by the tab where it ran, with its worker and its times', async () => {
    room = new StoryRoom(11)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    const step = remote(async (ms: number) => simSleep(ms), { name: 'step' })
    const first = await ask()
    expect(first.rows.map(({ runs }) => runs.length)).toEqual([0, 0, 0])
    expect(first.rows.map(({ dropped }) => dropped.runs)).toEqual([0, 0, 0])
    await room.settle(get([step.options(at('a')).remote(40), step.options(at('b')).remote(70)]))
    const second = await ask(cursorOf(first))
    const driver = room.tab('driver').ports.node
    const [a] = runsOf(batchOf(second, 'a'))
    const [b] = runsOf(batchOf(second, 'b'))
    expect(a).toMatchObject({ name: 'step', owner: driver, attempt: 0, worker: 1, outcome: 1 })
    expect([Math.round(a?.ranMs ?? 0), Math.round(b?.ranMs ?? 0)]).toEqual([40, 70])
    expect(batchOf(second, 'driver').runs.length).toBe(0)
    // On the clock of who asks, whatever the other's shows.
    expect(batchOf(second, 'driver').clockErrorMs).toBe(0)
    const { clockErrorMs } = batchOf(second, 'a')
    expect(a?.startMs).toBeGreaterThanOrEqual(batchOf(first, 'driver').nowMs - clockErrorMs)
    expect((a?.startMs ?? 0) + 40).toBeLessThanOrEqual(batchOf(second, 'driver').nowMs + clockErrorMs)
    const third = await ask(cursorOf(second))
    expect(third.rows.map(({ runs }) => runs.length)).toEqual([0, 0, 0])
    for (const { nodeId, next } of third.rows) {
      const before = cursorOf(second)[nodeId]
      expect([next.runs, next.ends]).toEqual([before?.runs, before?.ends])
    }
  })

  it('[Q8] have what runs now, and how long it has waited for others', async () => {
    room = new StoryRoom(12)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    const child = remote(async (ms: number) => simSleep(ms), { name: 'child', ...at('b') })
    const parent = remote({ child }, async ({ child: inner, get: fetch }) => fetch(inner.remote(2_000)), {
      name: 'parent',
      ...at('a'),
    })
    // A task may send on what its own tab was given leave to run.
    await room.settle(get(child.options(at('a')).remote(1)))
    const first = await ask()
    const ref = parent.remote()
    await room.pass(1_000)
    const now = await ask(cursorOf(first))
    const [running] = runsOf(batchOf(now, 'a'))
    expect(running).toMatchObject({ name: 'parent', outcome: 0 })
    expect(running?.blockedMs).toBeGreaterThan(800)
    await room.settle(get(ref))
    const later = await ask(cursorOf(now))
    expect(runsOf(batchOf(later, 'a'))).toMatchObject([{ name: 'parent', outcome: 1 }])
    const { ends } = batchOf(later, 'a')
    expect(ends.map(({ name, parentTaskId }) => [name, parentTaskId])).toEqual([
      ['child', `${room.tab('driver').ports.node}/${running?.number}`],
    ])
  })

  it('[Q9] of owners tell what failed and why, what was given what, and in which order an actor was called', async () => {
    room = new StoryRoom(13)
    await room.open(['a'])
    const { remote, actor, get } = room.tab('driver').api
    const make = remote((n: number) => n, { name: 'make', ...at('a') })
    const fail = remote(
      (n: number): number => {
        throw new RangeError(`no ${n}`)
      },
      { name: 'fail', maxRetries: 0, ...at('a') },
    )
    const Counter = actor(
      class Counter {
        n = 0
        add(k: number) {
          return (this.n += k)
        }
      },
      at('a'),
    )
    const first = await ask()
    const made = make.remote(1)
    const more = make.remote(made)
    const counter = Counter.remote()
    await room.settle(get([more, counter.add.remote(1)]))
    await room.settle(get(fail.remote(7)).catch(() => undefined))
    const { ends } = batchOf(await ask(cursorOf(first)), 'driver')
    const told = ends.map(({ name, type, errorType }) => [name, type, errorType]).sort()
    expect(told).toEqual([
      ['Counter', 'ACTOR_CREATION_TASK', undefined],
      ['Counter.add', 'ACTOR_TASK', undefined],
      ['fail', 'NORMAL_TASK', 'task-failed'],
      ['make', 'NORMAL_TASK', undefined],
    ])
    const given = ends.find(({ name }) => name === 'make')
    expect(given?.dependencies).toEqual([made.id.replace('this-tab', room.tab('driver').ports.node)])
    expect(ends.find(({ name }) => name === 'fail')?.errorMessage).toContain('no 7')
    const call = ends.find(({ type }) => type === 'ACTOR_TASK')
    expect(call?.actorId).toBe(ends.find(({ type }) => type === 'ACTOR_CREATION_TASK')?.taskId)
  })

  it('[Q10] cost nothing while nobody asks, and what nobody saw is counted', async () => {
    room = new StoryRoom(14)
    await room.open(['a'])
    const { remote, get } = room.tab('driver').api
    const step = remote((n: number) => n, { name: 'step', ...at('a') })
    const run = async (count: number): Promise<void> => {
      await room.settle(get(Array.from({ length: count }, (_, n) => step.remote(n))))
    }
    await run(5)
    const first = await ask()
    expect(batchOf(first, 'a')).toMatchObject({ dropped: { runs: 5, ends: 0 }, next: { runs: 5 }, runs: { length: 0 } })
    await run(3)
    const second = await ask(cursorOf(first))
    expect(batchOf(second, 'a')).toMatchObject({ dropped: { runs: 0 }, next: { runs: 8 }, runs: { length: 3 } })
    const timers = room.tab('a').ports.clock.pending
    await room.pass(16_000)
    expect(room.tab('a').ports.clock.pending).toBeLessThan(timers)
    await run(4)
    const third = await ask(cursorOf(second))
    expect(batchOf(third, 'a')).toMatchObject({ dropped: { runs: 4 }, next: { runs: 12 }, runs: { length: 0 } })
    expect(batchOf(third, 'a').watchedSinceMs).toBeGreaterThan(batchOf(second, 'a').watchedSinceMs)
  })

  it('[Q9] show the attempt that went with its tab, and the one that was run for it', async () => {
    room = new StoryRoom(15)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    const slow = remote(async (ms: number) => simSleep(ms), { name: 'slow', resources: { helper: 1 }, numCpus: 0 })
    let answer = await ask()
    const ref = slow.remote(3_000)
    await room.pass(500)
    answer = await ask(cursorOf(answer))
    const where = ['a', 'b'].find((name) => batchOf(answer, name).runs.length === 1)
    if (where === undefined) throw new Error('it runs nowhere')
    room.kill(where)
    await room.settle(get(ref), 60_000)
    const cursor = cursorOf(answer)
    answer = await ask(cursor)
    expect(answer.rows.length).toBe(2)
    const [again] = runsOf(batchOf(answer, where === 'a' ? 'b' : 'a'))
    expect(again).toMatchObject({ name: 'slow', attempt: 1, outcome: 1 })
    const lost = batchOf(answer, 'driver').ends
    expect(lost.map(({ attempt, errorType }) => [attempt, errorType])).toEqual([[0, 'node-died']])
  })
})

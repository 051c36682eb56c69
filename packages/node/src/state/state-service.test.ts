import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '@shoal/base'
import type { NodeId, NodeMessage, StateAnswer, StateReply, TaskRow } from '@shoal/protocol'
import type { LocalState } from './local-state.ts'
import { StateService } from './state-service.ts'
import type { StateQuestion } from './state-service.ts'

const [SELF, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [NodeId, NodeId, NodeId]
const question: StateQuestion = {
  kind: 'tasks',
  id: undefined,
  filters: [],
  limit: 100,
  detail: false,
  timeoutMs: 5_000,
}

const row = (owner: NodeId, number: number, more: Partial<TaskRow> = {}): TaskRow => ({
  taskId: `${owner}/${number}`,
  name: 'f',
  state: 'PENDING_NODE_ASSIGNMENT',
  type: 'NORMAL_TASK',
  jobId: `${SELF}-1`,
  ownerId: owner,
  nodeId: undefined,
  workerId: undefined,
  attempt: 0,
  epoch: 0,
  parentTaskId: undefined,
  actorId: undefined,
  requiredResources: [],
  errorType: undefined,
  errorMessage: undefined,
  creationTimeMs: 0,
  startTimeMs: undefined,
  endTimeMs: undefined,
  pendingReason: undefined,
  dependencies: [],
  ...more,
})

type Facts = (StateAnswer & { type: 'tasks' })['facts']
const reply = (query: number, rows: TaskRow[], more: Partial<StateReply> = {}, facts: Facts = []): StateReply => ({
  query,
  total: rows.length,
  matched: rows.length,
  forgotten: 0,
  unseen: 0,
  answer: { type: 'tasks', rows, facts },
  ...more,
})

let now: number
let timers: Set<() => void>
let sent: (readonly [NodeId, NodeMessage])[]
let own: TaskRow[]
let costMs: number
let isClosed: boolean
let service: StateService

beforeEach(() => {
  ;[now, timers, sent, own, costMs, isClosed] = [0, new Set(), [], [], 0, false]
  const clock: Clock = {
    now: () => now,
    after: (_, callback) => {
      timers.add(callback)
      return { cancel: () => timers.delete(callback) }
    },
  }
  const local = {
    answer: () => {
      now += costMs
      return { ...reply(0, own), query: undefined }
    },
    close: () => (isClosed = true),
    nameOf: (node: NodeId) => `tab ${node.slice(0, 1)}`,
  } as unknown as LocalState
  service = new StateService({
    self: SELF,
    clock,
    local,
    send: (to, message) => sent.push([to, message]),
    alive: () => [B, C],
    members: () => [],
    answerer: (owner) => (owner === ('d'.repeat(32) as NodeId) ? B : owner),
  })
})
// Every question settles, and takes its timer along.
afterEach(() => {
  expect(timers.size).toBe(0)
  expect(service.openCount).toBe(0)
})

describe('a question', () => {
  it('[Q1] goes to every live node, and its answer has the rows of all', async () => {
    own = [row(SELF, 1)]
    const asked = service.ask(question)
    expect(sent.map(([to, { type }]) => [to, type])).toEqual([
      [B, 'state.query'],
      [C, 'state.query'],
    ])
    service.onReply(B, reply(1, [row(B, 1)]))
    service.onReply(C, reply(1, [row(C, 1)], { forgotten: 5, total: 6 }))
    const { rows, total, numFiltered, isTruncated, missing, warnings } = await asked
    expect(rows.map((each) => (each as TaskRow).taskId)).toEqual([`${SELF}/1`, `${B}/1`, `${C}/1`])
    expect({ total, numFiltered, isTruncated, missing }).toEqual({
      total: 8,
      numFiltered: 3,
      isTruncated: false,
      missing: [],
    })
    expect(warnings).toEqual(['5 tasks that ended earlier are not remembered: each owner keeps its last 1000'])
  })

  it('[Q2] names who did not answer in time, and has the rows of the others', async () => {
    const asked = service.ask(question)
    service.onReply(B, reply(1, [row(B, 1)]))
    for (const fire of [...timers]) fire()
    const { rows, missing, warnings } = await asked
    expect([rows.length, missing]).toEqual([1, [C]])
    expect(warnings).toEqual(['tab c did not answer within 5000 ms, so nothing of what it answers for is here'])
    // Too late: nobody waits for it.
    service.onReply(C, reply(1, [row(C, 1)]))
  })

  it('[Q2] does not wait for who died meanwhile, and settles when the session ends', async () => {
    const asked = service.ask(question)
    service.onReply(B, reply(1, []))
    service.peerGone(C)
    expect((await asked).missing).toEqual([])
    const open = service.ask(question)
    service.close()
    expect((await open).missing).toEqual([B, C])
    expect(isClosed).toBe(true)
  })

  it('[Q1] takes no row from a node that does not answer for it, and no second answer', async () => {
    const asked = service.ask(question)
    const taken = row('d'.repeat(32) as NodeId, 4)
    service.onReply(B, reply(1, [row(B, 1), row(C, 9), row(SELF, 9), row(B, 2, { taskId: `${C}/2` }), taken]))
    service.onReply(B, reply(1, [row(B, 7)]))
    service.onReply(C, reply(1, []))
    service.onReply(C, reply(99, [row(C, 7)]))
    const { rows } = await asked
    expect(rows.map((each) => (each as TaskRow).taskId)).toEqual([`${B}/1`, taken.taskId])
  })

  it('[Q1] learns from where a run is what its owner does not know, and from nobody else', async () => {
    const sentTo = { state: 'SUBMITTED_TO_WORKER', nodeId: C, pendingReason: 'on its way to tab c' } as const
    own = [row(SELF, 1, sentTo), row(SELF, 2, sentTo), row(SELF, 3, sentTo)]
    const asked = service.ask({ ...question, filters: [{ column: 'state', isEqual: false, value: 'FINISHED' }] })
    const fact = (number: number, step: 'running' | 'queued') => ({
      task: { owner: SELF, number },
      attempt: { epoch: 0, number: 0 },
      step,
      ahead: 2,
      workerId: 4,
    })
    service.onReply(B, reply(1, [], {}, [fact(3, 'running')]))
    service.onReply(C, reply(1, [], {}, [fact(1, 'running'), fact(2, 'queued')]))
    const { rows } = await asked
    expect(rows.map((each) => [(each as TaskRow).state, (each as TaskRow).pendingReason])).toEqual([
      ['RUNNING', undefined],
      ['SUBMITTED_TO_WORKER', '2 tasks ahead of it on tab c'],
      ['SUBMITTED_TO_WORKER', 'on its way to tab c'],
    ])
  })

  it('[Q5] says what the limit left out, and what did not fit into a message', async () => {
    own = [row(SELF, 1), row(SELF, 2)]
    const asked = service.ask({ ...question, limit: 3 })
    service.onReply(B, reply(1, [row(B, 1)], { matched: 50, total: 60 }))
    service.onReply(C, reply(1, [row(C, 1)]))
    const { rows, numFiltered, isTruncated, warnings } = await asked
    expect([rows.length, numFiltered, isTruncated]).toEqual([3, 53, true])
    expect(warnings).toEqual([
      '3 of 53 rows are shown: limit is 3',
      'tab b has 50 rows, and one message held 1 of them',
    ])
  })

  it('[Q2] an answer of another kind, or none because of too many questions, is none', async () => {
    const asked = service.ask(question)
    service.onReply(B, { ...reply(1, []), answer: { type: 'busy' } })
    service.onReply(C, { ...reply(1, []), answer: { type: 'workers', rows: [] } })
    const { missing, warnings } = await asked
    expect(missing).toEqual([B, C])
    expect(warnings[0]).toContain('was asked too often')
  })
})

describe('a question of a peer', () => {
  const ask = (): string => {
    sent = []
    service.onQuery(B, {
      query: 1,
      kind: 'tasks',
      id: undefined,
      filters: [],
      limit: 2 ** 40,
      detail: false,
      since: undefined,
    })
    const [, message] = sent[0] ?? []
    return message?.type === 'state.reply' ? message.answer.type : ''
  }
  const answered = (): number => Array.from({ length: 100 }, ask).filter((type) => type === 'tasks').length

  it('[Q5] is answered 20 times at once and 10 times a second', () => {
    expect(answered()).toBe(20)
    now += 1_000
    expect(answered()).toBe(10)
    now += 3_600_000
    expect(answered()).toBe(20)
  })

  it('[Q5] counts for more the longer it takes to answer', () => {
    costMs = 100
    expect(answered()).toBeLessThan(5)
  })

  it('[Q5] by a column that there is not is a fault of the peer', () => {
    const filters = [{ column: 'className', isEqual: true, value: '' }] as const
    expect(() =>
      service.onQuery(B, {
        query: 1,
        kind: 'tasks',
        id: undefined,
        filters: [...filters],
        limit: 1,
        detail: false,
        since: undefined,
      }),
    ).toThrow('tasks have no column className')
  })
})

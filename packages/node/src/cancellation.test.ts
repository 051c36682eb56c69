import { silentLog } from '@shoal/base'
import { FIRST_ATTEMPT } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { Cancellation } from './cancellation.ts'
import type { CancellationOptions } from './cancellation.ts'
import type { PendingTask } from './own-task.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { Work, WorkOutcome } from './work.ts'
import type { Run } from './workers.ts'

const [self, other, third] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [NodeId, NodeId, NodeId]
const soft = { isForced: false, isRecursive: true }
const LATER = { epoch: 0, number: 1 }

interface Bench {
  readonly cancellation: Cancellation
  /** What came of it, in order. */
  readonly log: string[]
  readonly sent: (readonly [to: NodeId, message: NodeMessage])[]
  /** Tasks of this node's ledger that have no outcome. */
  readonly own: Map<number, PendingTask>
  readonly children: Map<string, number[]>
  readonly queued: Work[]
  readonly running: Run[]
  readonly reachable: Set<NodeId>
  readonly holders: Set<NodeId>
}

function newBench(): Bench {
  const log: string[] = []
  const sent: [NodeId, NodeMessage][] = []
  const own = new Map<number, PendingTask>()
  const children = new Map<string, number[]>()
  const queued: Work[] = []
  const running: Run[] = []
  const reachable = new Set([other, third])
  const holders = new Set<NodeId>()
  const tasks: Partial<OwnTasks> = {
    cancel: (number) => own.get(number),
    neverStarted: (number) => void log.push(`${number} never started`),
    childrenOf: ({ owner, number }) => children.get(`${owner[0] ?? ''}${number}`) ?? [],
  }
  const options: CancellationOptions = {
    self,
    log: silentLog,
    objects: { isLentTo: (_, node) => holders.has(node) },
    guests: { recall: () => false },
    workers: {
      runs: () => running,
      cancel: (run, isForced) => void log.push(`run ${run.number} is ${isForced ? 'ended' : 'told'}`),
    },
    dispatcher: {
      takeQueued: (matches) => queued.filter(matches).map((work) => queued.splice(queued.indexOf(work), 1)[0] as Work),
    },
    tasksOf: (owner) => (owner === self ? (tasks as OwnTasks) : undefined),
    answerer: (owner) => owner,
    canReach: (node) => reachable.has(node),
    whenKnown: (_, callback) => callback(),
    send: (to, message) => sent.push([to, message]),
    cancelCall: ({ number }) => void log.push(`${number} is no task`),
    callsOf: () => [],
    cancelWaiting: () => false,
  }
  const cancellation = new Cancellation(options)
  return { cancellation, log, sent, own, children, queued, running, reachable, holders }
}

function pending(number: number, at: PendingTask['at'], former: readonly NodeId[] = []): PendingTask {
  return { number, at, former, attempt: FIRST_ATTEMPT }
}

function work(id: ObjectId, log: string[], isGuest: boolean, attempt = FIRST_ATTEMPT): Work {
  const found: Partial<Work> = {
    kind: 'task',
    id,
    attempt,
    isGuest,
    template: { name: 'f' } as Work['template'],
    ...(isGuest && { givenBack: () => void log.push(`${id.number} is given back`) }),
  }
  return found as Work
}

const runOf = (number: number, of: Work): Run => ({ number, work: of }) as Run
const recall = (number: number, fields: object = {}): NodeMessage & { type: 'task.recall' } => ({
  type: 'task.recall',
  ledger: undefined,
  number,
  attempt: FIRST_ATTEMPT,
  ...soft,
  ...fields,
})

describe('a cancellation', () => {
  it('[T6] goes to where the task is: queued, running, with a peer, or nowhere yet', () => {
    const { cancellation, log, sent, own, queued, running } = newBench()
    own.set(1, pending(1, undefined)).set(2, pending(2, 'queue')).set(3, pending(3, 'here')).set(4, pending(4, other))
    queued.push(work({ owner: self, number: 2 }, log, false))
    running.push(runOf(30, work({ owner: self, number: 3 }, log, false)))
    for (const number of [1, 2, 3, 4, 5]) cancellation.cancel({ owner: self, number }, soft)
    expect(log).toEqual(['1 never started', '2 never started', 'run 30 is told', '5 is no task'])
    expect(sent).toEqual([[other, { ...recall(4) }]])
    expect(queued).toEqual([])
  })

  it('[T6] goes on to what the task has submitted, in former tabs too, unless it is not to', () => {
    const { cancellation, log, sent, own, children, running } = newBench()
    own.set(1, pending(1, 'here', [other, self]))
    own.set(2, pending(2, third)).set(3, pending(3, undefined))
    children.set('a1', [2, 3])
    running.push(runOf(10, work({ owner: self, number: 1 }, log, false)))
    cancellation.cancel({ owner: self, number: 1 }, { ...soft, isRecursive: false })
    expect([log.splice(0), sent]).toEqual([['run 10 is told'], []])
    expect(cancellation.takesAlong(running[0] as Run)).toBe(false)
    own.set(1, pending(1, 'here', [other]))
    cancellation.cancel({ owner: self, number: 1 }, { isForced: true, isRecursive: true })
    expect(log).toEqual(['run 10 is ended', '3 never started'])
    expect(sent.map(([to, message]) => [to, message.type])).toEqual([
      [third, 'task.recall'],
      [other, 'task.recall'],
    ])
    expect(cancellation.takesAlong(running[0] as Run)).toBe(true)
  })

  it('[T6] of a ledger that nobody answers for waits until somebody does', () => {
    const { cancellation, sent, reachable } = newBench()
    reachable.clear()
    cancellation.cancel({ owner: other, number: 1 }, soft)
    cancellation.cancel({ owner: third, number: 1 }, soft)
    cancellation.ledgerOver(third)
    reachable.add(other).add(third)
    cancellation.moved(other)
    cancellation.moved(third)
    cancellation.moved(other)
    expect(sent).toEqual([[other, { type: 'task.cancel', id: { owner: other, number: 1 }, ...soft }]])
  })

  it('[T6] of a guest gives it back unstarted, or tells its worker', () => {
    const { cancellation, log, queued, running } = newBench()
    queued.push(work({ owner: other, number: 1 }, log, true))
    running.push(runOf(20, work({ owner: other, number: 2 }, log, true)))
    cancellation.onRecall(other, recall(1))
    cancellation.onRecall(other, recall(2, { isForced: true }))
    expect(log).toEqual(['1 is given back', 'run 20 is ended'])
    expect(cancellation.ignored).toBe(0)
  })

  it('[R3] by whoever does not answer for the ledger, or holds no ref, or too late, only counts', () => {
    const { cancellation, log, own, queued, running, holders } = newBench()
    own.set(1, pending(1, undefined))
    queued.push(work({ owner: other, number: 1 }, log, true))
    running.push(runOf(20, work({ owner: other, number: 2 }, log, true, LATER)))
    // A stranger's word on another's task; an older attempt; one that is not here.
    cancellation.onRecall(third, recall(1, { ledger: other }))
    cancellation.onRecall(third, recall(1))
    cancellation.onRecall(other, recall(2))
    cancellation.onRecall(other, recall(3))
    cancellation.onCancel(third, { owner: self, number: 1 }, soft)
    cancellation.onCancel(third, { owner: other, number: 1 }, soft)
    expect([log, cancellation.ignored]).toEqual([[], 6])
    holders.add(third)
    cancellation.onCancel(third, { owner: self, number: 1 }, soft)
    expect([log, cancellation.ignored]).toEqual([['1 never started'], 6])
  })

  it('[T1] lets a value stand, and is what any other end of the run means', () => {
    const { cancellation, log, running } = newBench()
    const guest = work({ owner: other, number: 2 }, log, true)
    const values: WorkOutcome = { kind: 'values', values: [] }
    const lost = { kind: 'lost', error: { code: 'worker-crashed' } } as WorkOutcome
    expect(cancellation.outcome(guest, lost)).toBe(lost)
    running.push(runOf(20, guest))
    cancellation.onRecall(other, recall(2))
    expect(cancellation.isCancelled(guest)).toBe(true)
    expect(cancellation.outcome(guest, values)).toBe(values)
    expect(cancellation.outcome(guest, lost)).toMatchObject({ kind: 'failed', error: { code: 'task-cancelled' } })
  })
})

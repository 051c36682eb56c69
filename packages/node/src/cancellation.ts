import type { Log } from '@shoal/base'
import { compareAttempts } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import { taskCancelled } from './cancelled.ts'
import type { Cancelling } from './cancelled.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Guests } from './guests.ts'
import type { Objects } from './objects.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { Work, WorkOutcome } from './work.ts'
import type { Run, Workers } from './workers.ts'

export interface CancellationOptions {
  readonly self: NodeId
  readonly log: Log
  readonly objects: Pick<Objects, 'isLentTo'>
  readonly guests: Pick<Guests, 'recall'>
  readonly workers: Pick<Workers, 'runs' | 'cancel'>
  readonly dispatcher: Pick<Dispatcher, 'takeQueued'>
  /** The tasks of a ledger that this node answers for. */
  tasksOf(owner: NodeId): OwnTasks | undefined
  answerer(owner: NodeId): NodeId
  canReach(node: NodeId): boolean
  /** Calls back once this node knows all of a ledger that it answers for. */
  whenKnown(owner: NodeId, callback: () => void): void
  send(to: NodeId, message: NodeMessage): void
  /** What makes the object is no task: a call of an actor, or nothing any more. */
  cancelCall(id: ObjectId, how: Cancelling): void
  /** What a run has called of actors: as `OwnTasks.childrenOf` for tasks. */
  callsOf(parent: ObjectId): readonly ObjectId[]
  /** A call of an actor here whose arguments are on their way is not to begin. False when there is none. */
  cancelWaiting(id: ObjectId): boolean
}

/** Cancellations kept for ledgers that nobody answers for now. */
const MOST_WAITING = 1_000

/**
 * Carries a cancellation to wherever the task is: to whoever answers for it, who settles what has not started; from there to
 * the tab that runs it, whose worker is told or ended; and from the run to what it has submitted, which that tab owns.
 * Nothing waits for an answer. It remembers of each run that is under way here how it was cancelled, and decides by that what
 * its end means; of a task without an outcome its owner does (`OwnTasks.cancel`).
 */
export class Cancellation {
  readonly #options: CancellationOptions
  readonly #works = new WeakMap<Work, Cancelling>()
  readonly #waiting = new Map<NodeId, (readonly [id: ObjectId, how: Cancelling])[]>()
  #ignored = 0

  constructor(options: CancellationOptions) {
    this.#options = options
  }

  /** What others said of cancellation that was not theirs to say, or came too late. */
  get ignored(): number {
    return this.#ignored
  }

  /** The page or a worker of this tab wants it. */
  cancel(id: ObjectId, how: Cancelling): void {
    const { self, answerer, canReach } = this.#options
    const to = answerer(id.owner)
    if (to === self) this.#options.whenKnown(id.owner, () => this.#cancelOwned(id, how))
    else if (canReach(to)) this.#options.send(to, { type: 'task.cancel', id, ...how })
    else this.#wait(id, how)
  }

  /** Somebody answers for the ledger from now on. */
  moved(owner: NodeId): void {
    const waiting = this.#waiting.get(owner) ?? []
    this.#waiting.delete(owner)
    for (const [id, how] of waiting) this.cancel(id, how)
  }

  /** Nobody ever will. */
  ledgerOver(owner: NodeId): void {
    this.#waiting.delete(owner)
  }

  /** Another node, which has to hold a ref, asks for it. */
  onCancel(from: NodeId, id: ObjectId, { isForced, isRecursive }: Cancelling): void {
    const { self, answerer, objects } = this.#options
    this.#options.whenKnown(id.owner, () => {
      if (answerer(id.owner) === self && objects.isLentTo(id, from)) this.#cancelOwned(id, { isForced, isRecursive })
      else this.#ignore('somebody cancelled what it does not hold, or what is not ours', from)
    })
  }

  /** Whoever answers for a task that runs here, or has run here, wants it. */
  onRecall(from: NodeId, message: NodeMessage & { type: 'task.recall' }): void {
    const { number, attempt, isForced, isRecursive } = message
    const owner = message.ledger ?? from
    if (this.#options.answerer(owner) !== from) {
      this.#ignore('somebody cancelled a run of a ledger that it does not answer for', from)
      return
    }
    const isMeant = (work: Work): boolean =>
      work.isGuest &&
      work.kind !== 'actor-new' &&
      work.id.owner === owner &&
      work.id.number === number &&
      compareAttempts(work.attempt, attempt) <= 0
    const wasEarly =
      this.#options.guests.recall(owner, number, attempt) || this.#options.cancelWaiting({ owner, number })
    const isFound = this.#cancelHere({ owner, number }, isMeant, { isForced, isRecursive })
    // Its outcome is on its way, or it was given back: as good as an answer.
    if (!wasEarly && !isFound) this.#ignored++
  }

  /** A call of this tab's that an actor here has been given. */
  cancelCallHere(id: ObjectId, how: Cancelling): void {
    const isMeant = (work: Work): boolean =>
      work.kind === 'actor-call' && work.id.owner === id.owner && work.id.number === id.number
    if (!this.#options.cancelWaiting(id)) this.#cancelHere(id, isMeant, how)
  }

  isCancelled(work: Work): boolean {
    return this.#works.has(work)
  }

  /** What the run submits is cancelled with it. */
  takesAlong({ work }: Run): boolean {
    return this.#works.get(work)?.isRecursive === true
  }

  /** What the end of a run means: a value stands, anything else is what was asked for. */
  outcome(work: Work, outcome: WorkOutcome): WorkOutcome {
    if (outcome.kind === 'values' || !this.#works.has(work)) return outcome
    return { kind: 'failed', error: taskCancelled(work.id, work.template.name) }
  }

  /** Cancelled work that no worker has begun, and none will. */
  neverStarted(work: Work): void {
    if (work.givenBack !== undefined) work.givenBack()
    else this.#options.tasksOf(work.id.owner)?.neverStarted(work.id.number)
  }

  #cancelOwned(id: ObjectId, how: Cancelling): void {
    const { self, send } = this.#options
    const { owner } = id
    const tasks = this.#options.tasksOf(owner)
    const task = tasks?.cancel(id.number, how.isForced)
    if (tasks === undefined || task === undefined) {
      this.#options.cancelCall(id, how)
      return
    }
    const { number, attempt, at } = task
    const recall = (to: NodeId): void =>
      send(to, { type: 'task.recall', ledger: owner === self ? undefined : owner, number, attempt, ...how })
    const isMeant = (work: Work): boolean =>
      work.kind === 'task' && work.id.owner === owner && work.id.number === number
    if (at === 'queue' || at === 'here' || at === self) this.#cancelHere({ owner, number }, isMeant, how)
    else if (at === undefined) tasks.neverStarted(number)
    else recall(at)
    if (!how.isRecursive) return
    // What earlier attempts have submitted is not theirs any more to end.
    for (const node of task.former) {
      if (node === self) this.#cancelChildren({ owner, number }, how)
      else if (node !== at) recall(node)
    }
  }

  /** Queued or running in this tab. True if there was anything. */
  #cancelHere(task: ObjectId, isMeant: (work: Work) => boolean, how: Cancelling): boolean {
    const { dispatcher, workers } = this.#options
    const queued = dispatcher.takeQueued(isMeant)
    for (const work of queued) this.neverStarted(work)
    const running = [...workers.runs()].filter(({ work }) => isMeant(work))
    for (const run of running) {
      const isRecursive = how.isRecursive || this.takesAlong(run)
      this.#works.set(run.work, { isForced: how.isForced, isRecursive })
      workers.cancel(run, how.isForced)
    }
    if (how.isRecursive) this.#cancelChildren(task, how)
    return queued.length + running.length > 0
  }

  #cancelChildren(parent: ObjectId, how: Cancelling): void {
    const { self } = this.#options
    for (const number of this.#options.tasksOf(self)?.childrenOf(parent) ?? [])
      this.#cancelOwned({ owner: self, number }, how)
    for (const id of this.#options.callsOf(parent)) this.#options.cancelCall(id, how)
  }

  #wait(id: ObjectId, how: Cancelling): void {
    const waiting = this.#waiting.get(id.owner) ?? []
    this.#waiting.set(id.owner, waiting)
    if (waiting.length < MOST_WAITING) waiting.push([id, how])
  }

  #ignore(what: string, from: NodeId): void {
    this.#ignored++
    this.#options.log.warn(what, { from })
  }
}

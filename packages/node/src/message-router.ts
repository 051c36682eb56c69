import type { Log } from '@shoal/base'
import type { Transfers } from '@shoal/object-store'
import { LIMITS, MOST_ITEMS, newWireError, ProtocolError, streamItem } from '@shoal/protocol'
import type { LogLine, NodeId, NodeMessage, RoomId, TaskResult, TaskYielded, WireError } from '@shoal/protocol'
import { workShape } from '@shoal/scheduler'
import type { Actors } from './actors/actors.ts'
import type { Cancellation } from './cancellation.ts'
import { carriedRefs, isCarrier } from './carried-refs.ts'
import type { CodeStore } from './code-store.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { GuestRequest, Guests } from './guests.ts'
import type { Groups } from './groups/groups.ts'
import type { Ownership } from './ledger/ownership.ts'
import type { Objects } from './objects.ts'
import type { References } from './references.ts'
import type { StateDesk } from './state/state-desk.ts'
import type { Work, WorkOutcome } from './work.ts'
import type { Workers } from './workers.ts'

export interface MessageRouterOptions {
  readonly self: NodeId
  readonly transfers: Transfers
  readonly references: References
  readonly ownership: Ownership
  readonly guests: Guests
  readonly workers: Pick<Workers, 'consumed'>
  readonly objects: Objects
  readonly actors: Actors
  readonly dispatcher: Dispatcher
  readonly cancellation: Cancellation
  readonly state: StateDesk
  readonly groups: Groups
  readonly codes: CodeStore
  readonly log: Log
  room(): RoomId | undefined
  isListed(publicKey: Uint8Array): Promise<boolean>
  send(to: NodeId, message: NodeMessage): void
  /** Ends what matches, queued or running; nobody waits for it. */
  endWork(matches: (work: Work) => boolean, error: WireError): void
  /** The node has said that it leaves for good. */
  leaving(node: NodeId): void
  onLogLine(line: LogLine): void
}

/**
 * Says for each message of another node whom in this one it is for, and counts the references that it brings until whoever
 * needs them has counted them. It keeps nothing.
 */
export class MessageRouter {
  readonly #options: MessageRouterOptions

  constructor(options: MessageRouterOptions) {
    this.#options = options
  }

  onMessage(from: NodeId, message: NodeMessage): void {
    refuseSenseless(message)
    const owner = this.#ledgerOf(message)
    // What is said of a run or an actor waits, whole, for the reports about a ledger that is being taken over.
    if (owner === undefined) this.#take(from, message)
    else this.#options.ownership.ledgers.whenKnown(owner, () => this.#take(from, message))
  }

  #ledgerOf(message: NodeMessage): NodeId | undefined {
    switch (message.type) {
      case 'task.result':
      case 'task.yielded':
      case 'task.refused':
        return message.ledger ?? this.#options.self
      case 'actor.want':
      case 'actor.status':
      case 'actor.kill':
      case 'actor.checkpoint':
        return message.actor.owner
      default:
        return undefined
    }
  }

  #take(from: NodeId, message: NodeMessage): void {
    if (!isCarrier(message)) {
      this.#handle(from, message)
      return
    }
    const letGo = this.#options.references.receive(from, message.handOver, carriedRefs(message))
    try {
      this.#handle(from, message)
    } finally {
      letGo()
    }
  }

  #handle(from: NodeId, message: NodeMessage): void {
    if (this.#options.transfers.onMessage(from, message) || this.#options.references.onMessage(from, message)) return
    const { ownership, actors, groups } = this.#options
    if (ownership.onMessage(from, message) || actors.onMessage(from, message)) return
    if (groups.onMessage(from, message)) return
    switch (message.type) {
      case 'task.template':
        this.#options.guests.onTemplate(from, message)
        return
      case 'task.submit':
        this.#onSubmit(from, message)
        return
      case 'task.result':
        this.#onResult(from, message)
        return
      case 'task.yielded':
        this.#onYielded(from, message)
        return
      case 'task.consumed':
        this.#onConsumed(from, message)
        return
      case 'task.refused':
        this.#onRefused(from, message)
        this.#options.dispatcher.schedule({ type: 'sent-ended', node: from, kind: '', ms: undefined })
        return
      case 'task.recall':
        this.#options.cancellation.onRecall(from, message)
        return
      case 'task.cancel':
        this.#options.cancellation.onCancel(from, message.id, message)
        return
      case 'credit.want':
        this.#options.dispatcher.schedule({
          type: 'wanted',
          node: from,
          shape: workShape(message.shape),
          queued: message.queued,
        })
        return
      case 'credit.grant':
        this.#options.dispatcher.schedule({
          type: 'granted',
          node: from,
          shape: workShape(message.shape),
          count: message.count,
        })
        return
      case 'credit.return':
        this.#options.dispatcher.schedule({
          type: 'returned',
          node: from,
          shape: workShape(message.shape),
          count: message.count,
        })
        return
      default:
        this.#onObjectMessage(from, message)
    }
  }

  #onObjectMessage(from: NodeId, message: NodeMessage): void {
    switch (message.type) {
      case 'object.want':
        this.#options.objects.onWant(from, message.id)
        return
      case 'object.answer':
        this.#options.objects.onAnswer(from, message)
        return
      case 'object.gone':
        this.#options.objects.onGone(from, message.id, message.attempt)
        return
      case 'object.held':
        this.#options.objects.onHeld(from, message.id, message.attempt)
        return
      case 'object.free':
        this.#options.objects.onFree(from, message.ids, message.attempt)
        return
      case 'code.ask':
      case 'code.grant':
        this.#onCodeMessage(from, message)
        return
      case 'job.ended':
        this.#options.leaving(from)
        return
      case 'ledger.end':
        this.#onLedgerEnd(from, message)
        return
      case 'log.lines':
        for (const line of message.lines)
          if (this.#options.ownership.ledgers.driverOf(line.job.driver) === this.#options.self)
            this.#options.onLogLine(line)
        return
      case 'state.query':
      case 'state.reply':
        this.#options.state.onMessage(from, message)
        return
      default:
        throw new ProtocolError('malformed', `${message.type} is not expected here`)
    }
  }

  #onCodeMessage(from: NodeId, message: NodeMessage & { type: 'code.ask' | 'code.grant' }): void {
    const { codes, isListed } = this.#options
    const room = this.#options.room()
    if (room === undefined) return
    const failed = (error: unknown): void => this.#options.log.warn('a grant failed', { from, error: String(error) })
    if (message.type === 'code.ask') codes.onAsk(from, message, room).catch(failed)
    else codes.onGrant(from, message, room, isListed).catch(failed)
  }

  #onRefused(from: NodeId, { ledger, number, attempt, error }: NodeMessage & { type: 'task.refused' }): void {
    const owner = ledger ?? this.#options.self
    if (this.#options.actors.onRefused(from, { owner, number }, attempt, error)) return
    this.#options.ownership.tasksOf(owner)?.onRefused(from, number, attempt, error)
  }

  #onSubmit(from: NodeId, message: NodeMessage & { type: 'task.submit' }): void {
    if (message.depth > LIMITS.taskDepth) throw new ProtocolError('too-large', `a task ${message.depth} levels deep`)
    const request = { ...message, kind: 'task', owner: message.ledger ?? from } as const
    this.#options.guests.accept(from, request, (outcome, cpuMicros) =>
      this.#options.guests.sendResult(request, outcome, cpuMicros, 0),
    )
  }

  #onResult(from: NodeId, message: NodeMessage & { type: 'task.result' }): void {
    const owner = message.ledger ?? this.#options.self
    const tasks = this.#options.ownership.tasksOf(owner)
    const kind = tasks?.kindOf(message.number) ?? ''
    if (tasks?.onResult(from, message) === true)
      this.#options.dispatcher.sentEnded(from, kind, message.cpuMicros / 1000)
    else if (message.ledger !== undefined || !this.#options.actors.onResult(from, message))
      this.#onLateResult(from, owner, message)
  }

  #onYielded(from: NodeId, message: NodeMessage & { type: 'task.yielded' }): void {
    const owner = message.ledger ?? this.#options.self
    if (this.#options.ownership.tasksOf(owner)?.onYielded(from, message) === true) return
    if (message.ledger === undefined && this.#options.actors.onYielded(from, message)) return
    const { streamId, first, attempt, values } = message
    const ids = values.flatMap(({ type }, index) =>
      type === 'stored' ? [{ owner, number: streamItem(streamId, first + index) }] : [],
    )
    if (ids.length > 0) this.#options.send(from, { type: 'object.free', attempt, ids })
  }

  #onConsumed(from: NodeId, message: NodeMessage & { type: 'task.consumed' }): void {
    const { ledger: owner = from, number, attempt, consumed, isOver } = message
    if (this.#options.ownership.ledgers.answerer(owner) !== from) return
    this.#options.workers.consumed({ owner, number }, attempt, consumed, isOver)
  }

  /** What a guest yields, for a ledger that this node has come to answer for itself. */
  guestYieldedHere(owner: NodeId, message: TaskYielded): void {
    const { ownership, self } = this.#options
    const told = { ...message, ledger: owner }
    ownership.ledgers.whenKnown(owner, () => ownership.tasksOf(owner)?.onYielded(self, told))
  }

  /**
   * Of a run that was given up: what its node keeps of it will never be asked for. Or of one whose result, or an earlier
   * one of the same task, that node reported while this message waited: then it is the copy.
   */
  #onLateResult(from: NodeId, owner: NodeId, { number, attempt, outcome }: TaskResult): void {
    if (outcome.type !== 'values') return
    outcome.values.forEach((value, index) => {
      if (value.type !== 'stored') return
      this.#options.objects.onMade(from, { owner, number: number + index }, attempt, value.bytes)
    })
  }

  /** Whoever answers for a ledger knows that nobody waits for a run. */
  #onLedgerEnd(from: NodeId, { owner, number }: NodeMessage & { type: 'ledger.end' }): void {
    if (this.#options.ownership.ledgers.answerer(owner) !== from) return
    const isMeant = (work: Work): boolean => work.isGuest && work.id.owner === owner && work.id.number === number
    const error = newWireError('owner-died', `nobody waits for it: the tab ${owner.slice(0, 8)} is gone`)
    this.#options.endWork(isMeant, error)
  }

  /** A guest's outcome, for a ledger that this node has come to answer for itself. */
  guestEndedHere(request: GuestRequest, outcome: WorkOutcome): void {
    const { owner, number, attempt } = request
    const result: TaskResult = {
      ledger: owner,
      number,
      attempt,
      outcome:
        outcome.kind === 'values'
          ? { type: 'values', values: outcome.values.map((value) => ({ type: 'inline', value })) }
          : { type: 'failed', error: outcome.kind === 'lost' ? asLost(outcome.error) : outcome.error },
      cpuMicros: 0,
      position: 0,
      handOver: 0,
    }
    this.#options.ownership.ledgers.whenKnown(owner, () =>
      this.#options.ownership.tasksOf(owner)?.onResult(this.#options.self, result),
    )
  }
}

/** What makes an owner run the task again. */
function asLost(error: WireError): WireError {
  return { ...error, code: 'worker-crashed' }
}

/** What nobody can mean is its sender's fault when it comes, and not of whatever lets it go on later. @throws ProtocolError */
function refuseSenseless(message: NodeMessage): void {
  if (message.type === 'task.yielded' && message.first + message.values.length > MOST_ITEMS)
    throw new ProtocolError('too-large', `the item ${message.first} of a stream`)
}

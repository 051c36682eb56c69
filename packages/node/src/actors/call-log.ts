// Long because what a host knows of its actor's calls, from the order to the checkpoint that covers them, is one state.
import { must } from '@shoal/base'
import { newWireError } from '@shoal/protocol'
import type { Attempt, CallOrder, EncodedValue, NodeId, NodeMessage, ObjectId, WireError } from '@shoal/protocol'
import type { WorkOutcome } from '../work.ts'
import type { Checkpoint, Revival } from './checkpoint.ts'

/** The state that a checkpoint is of, once it lies where it outlives this tab. */
export type KeptState = Pick<Checkpoint, 'dependencies' | 'args'> & { letGo(): void }

export interface CallLogOptions {
  readonly self: NodeId
  readonly id: ObjectId
  readonly incarnation: Attempt
  /** A checkpoint is due after so many calls. */
  readonly every: number
  /** Undefined: it was never made before. */
  readonly revival: Revival | undefined
  /** To a caller's node, this one too. */
  say(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  /** Has the actor's worker save its state after the calls that it has been given. */
  save(ended: (outcome: WorkOutcome) => void): void
  /** See `KeptStates`. */
  keep(state: EncodedValue, kept: (state: KeptState) => void): void
  /** To whoever answers for the actor; again when that is another. */
  tell(checkpoint: Checkpoint): void
  /** Its state cannot be saved, or is not the one that it was to have: there is no going on. */
  failed(what: 'saved' | 'restored', error: WireError): void
}

/** One call, as it came. */
export interface LoggedCall {
  readonly node: NodeId
  readonly number: number
  /** Begins it, in its turn behind others of this key; undefined: its caller's. */
  start(key: string | undefined): void
  /** Undefined: it is not answered under this attempt. */
  answer(outcome: WorkOutcome | undefined, cpuMicros: number, position: number): void
}

interface Reply {
  readonly outcome: WorkOutcome
  readonly cpuMicros: number
  readonly position: number
}

/** Of one caller's node. */
interface Caller {
  /** Numbers of calls that begun here or before, with their positions; until the node cannot send them again. */
  readonly executed: Map<number, number>
  /** Those that begun and have no outcome: who is to hear of it. */
  readonly running: Map<number, LoggedCall[]>
  /** Replies that may not have come. */
  readonly replies: Map<number, Reply>
  /** It was told of the order up to here. */
  toldTo: number
}

/**
 * A checkpoint under way: saving -> saved, and then both: settling, until the replies up to it have come, and being kept ->
 * told -> over.
 */
interface Pending {
  readonly position: number
  /** Nodes that have not said that their replies have come; undefined until they were asked. */
  unsettled: Set<NodeId> | undefined
  kept: KeptState | undefined
  told: Checkpoint | undefined
}

/** Calls that run again go one after the other, whoever called them. */
export const REPLAY = 'replay'

/**
 * The calls of an actor with checkpoints, at its host: in which order they ran, which of them may come again, and what was
 * answered; and its checkpoints. States: joining (nothing runs until each node that may have called a former incarnation has
 * sent what it keeps; then that runs, first in the order in which it ran before, the rest as it came) -> running.
 *
 * The rules P1 to P8 are those of docs/decisions/020-models.md, with one change: a checkpoint has no replies. It is given to
 * whoever answers for the actor only when every reply up to it has come, so there are none to keep.
 */
export class CallLog {
  readonly #options: CallLogOptions
  readonly #callers = new Map<NodeId, Caller>()
  /** Of the last call that begun. */
  #position: number
  /** Of the last checkpoint that is kept; the order is of the calls after it. */
  #base: number
  #order: { node: NodeId; number: number }[] = []
  /** Nodes that the join still waits for; undefined once it is over. */
  #awaited: Set<NodeId> | undefined
  /** The state of the checkpoint is being taken in. */
  #isRestoring: boolean
  /** Calls that came before it was over, in their order. */
  readonly #early = new Map<string, LoggedCall>()
  /** The longest order that any caller knows, from `#base` on. */
  #known: CallOrder = []
  #sinceSaved = 0
  /** A caller's node is gone: what it called would be lost with this tab. */
  #isUrgent = false
  #pending: Pending | undefined
  #former: KeptState | undefined
  #isClosed = false

  constructor(options: CallLogOptions) {
    this.#options = options
    const { revival, self, canReach } = options
    const checkpoint = revival?.checkpoint
    this.#position = checkpoint?.position ?? 0
    this.#base = this.#position
    this.#isRestoring = checkpoint !== undefined
    for (const { node, numbers } of checkpoint?.executed ?? [])
      for (const number of numbers) this.#caller(node).executed.set(number, this.#base)
    if (revival === undefined) return
    this.#awaited = new Set(revival.callers.filter((node) => node === self || canReach(node)))
  }

  /** The actor is as its checkpoint has it, if there is one. */
  restored(): void {
    this.#isRestoring = false
    this.#endJoin()
  }

  /** A call came. Runs it, or has it wait for the join; one that has begun already is answered, now or when it is over. */
  take(call: LoggedCall): void {
    const { node, number } = call
    const caller = this.#caller(node)
    const position = caller.executed.get(number)
    if (position !== undefined) this.#repeat(caller, call, position)
    else if (this.#awaited !== undefined) {
      const key = `${node} ${number}`
      this.#early.get(key)?.answer(undefined, 0, 0)
      // A repeat keeps the place of the first.
      this.#early.set(key, call)
    } else call.start(undefined)
  }

  #repeat(caller: Caller, call: LoggedCall, position: number): void {
    const reply = caller.replies.get(call.number)
    const running = caller.running.get(call.number)
    if (reply !== undefined) {
      this.#tellOrder(call.node, caller, reply.position)
      call.answer(reply.outcome, reply.cpuMicros, reply.position)
    } else if (running !== undefined) running.push(call)
    else {
      // Its node was given up when the checkpoint was made that covers it.
      const message = 'the call ran; its reply went to a tab that was gone then'
      call.answer({ kind: 'failed', error: newWireError('actor-unavailable', message) }, 0, position)
    }
  }

  /** The call begins now. @returns its position in the actor's order */
  begin(call: LoggedCall): number {
    const { node, number } = call
    this.#position++
    this.#order.push({ node, number })
    const caller = this.#caller(node)
    caller.executed.set(number, this.#position)
    caller.running.set(number, [call])
    this.#sinceSaved++
    return this.#position
  }

  /** After `begin`, once the worker has been given the call. */
  begun(): void {
    this.#saveIfDue()
  }

  /** The call has its outcome: whoever asked is told, after the order that it came of. */
  ended(
    { node, number }: LoggedCall,
    isLost: boolean,
    outcome: WorkOutcome,
    cpuMicros: number,
    position: number,
  ): void {
    const caller = this.#caller(node)
    const asked = caller.running.get(number) ?? []
    caller.running.delete(number)
    if (!isLost && !this.#isClosed) {
      caller.replies.set(number, { outcome, cpuMicros, position })
      this.#tellOrder(node, caller, position)
    }
    const last = asked.at(-1)
    for (const call of asked)
      if (call === last) call.answer(outcome, cpuMicros, position)
      else call.answer(undefined, 0, 0)
  }

  /** A caller's node has sent all that may have to run again, and says in which order that ran as far as it knows. */
  onKept(from: NodeId, first: number, order: CallOrder): void {
    if (this.#awaited?.delete(from) !== true) return
    if (first > this.#base + 1) {
      const message = 'a later checkpoint was kept, and all tabs that had it are gone'
      this.#options.failed('restored', newWireError('object-lost', message))
      return
    }
    const known = order.slice(Math.max(0, this.#base + 1 - first))
    if (known.length > this.#known.length) this.#known = known
    this.#endJoin()
  }

  onSettled(from: NodeId, position: number): void {
    const pending = this.#pending
    if (pending?.position !== position || pending.unsettled?.delete(from) !== true) return
    const caller = this.#caller(from)
    // It has heard of the last checkpoint, which went before this question: what that covers never comes again.
    for (const [number, at] of caller.executed) if (at <= this.#base) caller.executed.delete(number)
    for (const [number, reply] of caller.replies) if (reply.position <= position) caller.replies.delete(number)
    this.#tellIfDue(pending)
  }

  /** Whoever answers for the actor has the checkpoint, and a successor too. */
  onCheckpointed(position: number): void {
    const pending = this.#pending
    if (pending?.told === undefined || pending.position !== position) return
    this.#pending = undefined
    this.#former?.letGo()
    this.#former = pending.kept
    this.#order = this.#order.slice(position - this.#base)
    this.#base = position
    for (const node of this.#callers.keys()) this.#tellCovered(node)
    this.#saveIfDue()
  }

  /** That the checkpoint has the effect of these calls: until the node knows it sends them to each incarnation. */
  #tellCovered(node: NodeId): void {
    const { id, incarnation, say } = this.#options
    const position = this.#base
    const numbers = [...this.#caller(node).executed].flatMap(([number, at]) => (at <= position ? [number] : []))
    say(node, { type: 'actor.covered', actor: id, incarnation, position, numbers })
  }

  /** Another node answers for the actor now. */
  moved(): void {
    if (this.#pending?.told !== undefined) this.#options.tell(this.#pending.told)
  }

  nodeGone(node: NodeId): void {
    const caller = this.#callers.get(node)
    if (caller !== undefined) {
      // Should it come back, it hears all anew.
      caller.toldTo = 0
      this.#isUrgent ||= [...caller.executed.values()].some((at) => at > this.#base)
    }
    if (this.#awaited?.delete(node) === true) this.#endJoin()
    if (this.#pending?.unsettled?.delete(node) === true) this.#tellIfDue(this.#pending)
    this.#saveIfDue()
  }

  /** The node's calls never come again. */
  forget(node: NodeId): void {
    this.#callers.delete(node)
  }

  /** The actor is gone. */
  close(): void {
    this.#isClosed = true
    this.#pending?.kept?.letGo()
    this.#former?.letGo()
    this.#pending = undefined
    this.#former = undefined
    for (const call of this.#early.values()) call.answer(undefined, 0, 0)
    this.#early.clear()
  }

  /** P8. */
  #endJoin(): void {
    if (this.#isRestoring || this.#awaited === undefined || this.#awaited.size > 0) return
    this.#awaited = undefined
    const calls: LoggedCall[] = []
    const order: CallOrder[number][] = []
    // What is missing was cancelled, or its caller is gone with it.
    for (const entry of this.#known) {
      const key = `${entry.node} ${entry.number}`
      const call = this.#early.get(key)
      if (call === undefined) continue
      this.#early.delete(key)
      calls.push(call)
      order.push(entry)
    }
    calls.push(...this.#early.values())
    this.#early.clear()
    this.#known = []
    const { id, incarnation, revival, say } = this.#options
    const first = this.#base + 1
    for (const node of must(revival).callers) {
      say(node, { type: 'actor.order', actor: id, incarnation, first, order, isWhole: true })
      this.#caller(node).toldTo = this.#base + order.length
      // The word of the former incarnation may have been lost with it.
      this.#tellCovered(node)
    }
    for (const call of calls) call.start(REPLAY)
  }

  /** P4: whoever gets a reply knows what was executed before it. */
  #tellOrder(node: NodeId, caller: Caller, position: number): void {
    const from = Math.max(caller.toldTo, this.#base)
    if (position <= from) return
    const { id, incarnation, say } = this.#options
    const order = this.#order.slice(from - this.#base, position - this.#base)
    say(node, { type: 'actor.order', actor: id, incarnation, first: from + 1, order, isWhole: false })
    caller.toldTo = position
  }

  /** P5. One at a time: what it may leave out is what callers have heard of the last one. */
  #saveIfDue(): void {
    if (this.#isClosed || this.#pending !== undefined || this.#awaited !== undefined) return
    if (this.#position === this.#base) return
    if (this.#sinceSaved < this.#options.every && !this.#isUrgent) return
    this.#sinceSaved = 0
    this.#isUrgent = false
    const pending: Pending = { position: this.#position, unsettled: undefined, kept: undefined, told: undefined }
    this.#pending = pending
    this.#options.save((outcome) => {
      if (this.#pending !== pending) return
      if (outcome.kind === 'failed') this.#options.failed('saved', outcome.error)
      if (outcome.kind !== 'values') return
      this.#options.keep(must(outcome.values[0]), (kept) => {
        if (this.#pending === pending) pending.kept = kept
        else kept.letGo()
        this.#tellIfDue(pending)
      })
      this.#settle(pending)
    })
  }

  /** All replies up to it have been sent: once they have come, none of these calls needs to be answered again. */
  #settle(pending: Pending): void {
    const { id, incarnation, canReach, self, say } = this.#options
    const { position } = pending
    const nodes = [...this.#callers].flatMap(([node, { executed }]) =>
      executed.size > 0 && (node === self || canReach(node)) ? [node] : [],
    )
    pending.unsettled = new Set(nodes)
    for (const node of nodes) say(node, { type: 'actor.settle', actor: id, incarnation, position })
    this.#tellIfDue(pending)
  }

  #tellIfDue(pending: Pending): void {
    const { position, kept, unsettled } = pending
    if (this.#pending !== pending || pending.told !== undefined) return
    if (kept === undefined || unsettled === undefined || unsettled.size > 0) return
    const executed = [...this.#callers].flatMap(([node, caller]) => {
      const numbers = [...caller.executed].flatMap(([number, at]) => (at <= position ? [number] : []))
      return numbers.length === 0 ? [] : [{ node, numbers }]
    })
    pending.told = { position, executed, dependencies: kept.dependencies, args: kept.args }
    this.#options.tell(pending.told)
  }

  #caller(node: NodeId): Caller {
    let caller = this.#callers.get(node)
    if (caller === undefined) {
      caller = { executed: new Map(), running: new Map(), replies: new Map(), toldTo: 0 }
      this.#callers.set(node, caller)
    }
    return caller
  }
}

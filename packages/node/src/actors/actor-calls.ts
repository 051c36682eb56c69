// Long because a call has one table of states, and all that can become of it is listed beside it.
import { Queue } from '@shoal/base'
import { compareAttempts, FIRST_ATTEMPT, newWireError } from '@shoal/protocol'
import type {
  Attempt,
  EncodedValue,
  JobId,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacedRef,
  TaskResult,
  TaskYielded,
  WireError,
} from '@shoal/protocol'
import type { Reports } from '@shoal/control-store'
import { taskCancelled } from '../cancelled.ts'
import type { Cancelling } from '../cancelled.ts'
import type { Objects } from '../objects.ts'
import { isRetried } from '../own-task.ts'
import type { OwnTasks } from '../own-tasks.ts'
import type { Stream, Streams } from '../streams.ts'
import type { Submission } from '../submitter.ts'
import type { WorkOutcome } from '../work.ts'
import { maybeRan, tabGone } from './actor-errors.ts'
import type { EndingKind, EndingTask } from '../state/ended-tasks.ts'
import type { CallView } from '../state/views.ts'
import type { ActorPlaces, Place } from './actor-places.ts'
import { drain } from './drain.ts'
import { KeptCalls } from './kept-calls.ts'
import type { HostedActors } from './hosted-actors.ts'
import { whenArguments } from '../when-arguments.ts'

/** One call, as a page or task of this tab asks for it. */
export interface CallRequest {
  readonly actor: ObjectId
  readonly method: string
  readonly numReturns: number
  /** Of a generator; and see `streamMode`. */
  readonly stream: Stream | undefined
  readonly mode: number
  readonly maxTaskRetries: number
  /** Names of error classes after which it is made again; `*`: all. */
  readonly retryExceptions: readonly string[]
  /** Whose calls keep their order, and the call's number among them. */
  readonly caller: number
  readonly order: number
  /** Of the actor's `concurrencyGroups`: those of another one neither wait for it nor it for them. */
  readonly group: number
  readonly submission: Submission
  readonly job: JobId
  /** The run that makes it. */
  readonly parent: ObjectId | undefined
}

export interface ActorCallsOptions {
  readonly self: NodeId
  readonly countsRetries: boolean
  readonly objects: Objects
  readonly tasks: Pick<OwnTasks, 'arguments' | 'now' | 'ended'>
  readonly places: ActorPlaces
  readonly hosted: HostedActors
  readonly streams: Streams
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  /** To an actor's host, this node too. */
  sayToHost(to: NodeId, message: NodeMessage): void
  /** Cancels a call that an actor of this tab has been given. */
  cancelHere(id: ObjectId, how: Cancelling): void
}

/** A call that has no outcome yet. */
interface PendingCall extends CallRequest {
  readonly number: number
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  readonly createdAtMs: number
  startedAtMs: number | undefined
  attempt: Attempt
  retriesLeft: number
  isCancelled: boolean
  /** Of actors with checkpoints: some incarnation may have begun it. */
  wasSent: boolean
  /** Lets the caller's next call go ahead; harmless when it does already. */
  goOn: () => void
  /** The actor that it was last sent to: another one where its name was taken. */
  target: ObjectId
  /** Where it was sent, and to which incarnation; undefined while it waits. */
  sent: { readonly node: NodeId; readonly incarnation: Attempt } | undefined
  /** It is made again in an incarnation after that. */
  past: Attempt | undefined
}

/** The calls of one caller that are on their way to an incarnation or run in it. */
interface Flight {
  readonly incarnation: Attempt
  count: number
  /** Those for a later one: none goes there before it is known which of the others have to go there first. */
  readonly held: PendingCall[]
}

/** What has left its caller's queue and is still to be sent, of one caller and group, and what of that waits for others. */
interface Line {
  readonly waiting: Set<PendingCall>
  behind: PendingCall[]
}

interface Caller {
  readonly queue: Queue<PendingCall>
  isBusy: boolean
}

/**
 * The calls that this tab's page and tasks make. Those of one handle go out in order, each when its arguments exist,
 * straight to the node where the actor lives; whoever answers for the actor only says where that is. A call is
 * waiting -> sent -> done; one that was lost with its actor is made again while retries are left, and else has failed as
 * soon as it is known whether the actor comes back. One that its host has not begun is made again for nothing. Calls of
 * actors with checkpoints are sent again by `KeptCalls`, however they were lost.
 */
export class ActorCalls {
  readonly #options: ActorCallsOptions
  readonly #calls = new Map<number, PendingCall>()
  /** By caller; by caller and group where the actor has any. */
  readonly #callers = new Map<number | string, Caller>()
  readonly #kept: KeptCalls<PendingCall>
  readonly #flights = new Map<number, Flight>()
  readonly #lines = new Map<number | string, Line>()
  #lastKind: EndingKind | undefined

  constructor(options: ActorCallsOptions) {
    this.#options = options
    const { objects, places, sayToHost } = options
    this.#kept = new KeptCalls({
      objects,
      places,
      say: sayToHost,
      send: (call, actor, node, incarnation) => this.#sendAnew(call, actor, node, incarnation),
      fail: (call, error) => this.#fail(call, error),
      isAnswered: ({ number }) => !this.#calls.has(number),
      drop: (call) => {
        for (const id of argumentsOf(call)) objects.release(id)
      },
    })
  }

  /** Calls that have their outcome and may have to run again. */
  get keptCount(): number {
    return this.#kept.count
  }

  /** An actor with checkpoints has a place. */
  follow(actor: ObjectId): void {
    this.#kept.follow(actor)
  }

  /** What the host of such an actor says; false for other messages. */
  onHostMessage(from: NodeId, message: NodeMessage): boolean {
    return this.#kept.onMessage(from, message)
  }

  nodeAlive(node: NodeId): void {
    this.#kept.nodeAlive(node)
  }

  /** Calls without an outcome. */
  get count(): number {
    return this.#calls.size
  }

  /** Whether a call of the driver's job has no outcome yet. */
  hasOf(driver: NodeId): boolean {
    for (const { job } of this.#calls.values()) if (job.driver === driver) return true
    return false
  }

  call(request: CallRequest): void {
    const { objects } = this.#options
    const { actor, submission } = request
    const { number, dependencies, args } = submission
    const call: PendingCall = {
      ...request,
      number,
      dependencies,
      args,
      attempt: FIRST_ATTEMPT,
      retriesLeft: this.#options.countsRetries ? request.maxTaskRetries : Infinity,
      isCancelled: false,
      wasSent: false,
      goOn: () => undefined,
      target: actor,
      createdAtMs: this.#options.tasks.now(),
      startedAtMs: undefined,
      sent: undefined,
      past: undefined,
    }
    this.#calls.set(number, call)
    // What has to stay for the call's sake: the actor, too.
    for (const id of [actor, ...argumentsOf(call)]) objects.retain(id)
    this.#begin(call)
    const line = lineOf(request)
    const state = this.#callers.get(line) ?? { queue: new Queue<PendingCall>(), isBusy: false }
    this.#callers.set(line, state)
    state.queue.push(call)
    this.#nextCall(line, state)
  }

  /** For people who look: see state/actor-rows.ts. Nothing of it is kept. */
  *view(): Generator<CallView> {
    for (const call of this.#calls.values())
      yield { ...call, actor: call.target, name: this.#nameOf(call), sentTo: call.sent?.node }
  }

  /** The class and the method, or the method alone. */
  #nameOf({ target, method }: PendingCall): string {
    const className = this.#options.places.classOf(target)
    return className === undefined ? method : `${className}.${method}`
  }

  /** One object a method, so that calls are counted without a look-up. */
  #kindOf(call: PendingCall): EndingKind {
    const name = this.#nameOf(call)
    if (this.#lastKind?.name !== name) this.#lastKind = { name, resources: [] }
    return this.#lastKind
  }

  /** Calls that a run has made and that have no outcome. */
  callsOf(parent: ObjectId): ObjectId[] {
    const found: ObjectId[] = []
    for (const { number, parent: of } of this.#calls.values())
      if (of?.number === parent.number && of.owner === parent.owner) found.push(this.#object(number))
    return found
  }

  /** One that has not begun never does; of one that runs its host is told. Of what has an outcome: nothing. */
  cancel({ owner, number }: ObjectId, how: Cancelling): void {
    const call = owner === this.#options.self ? this.#callOf(number) : undefined
    if (call === undefined) return
    call.isCancelled = true
    const { sent, attempt } = call
    const id = this.#object(call.number)
    // Nothing but the call is ended by force: the actor is others', too.
    const gentle = { ...how, isForced: false }
    if (sent === undefined) this.#fail(call, taskCancelled(id, this.#nameOf(call)))
    else if (sent.node === this.#options.self) this.#options.cancelHere(id, gentle)
    else if (this.#options.canReach(sent.node))
      this.#options.send(sent.node, { type: 'task.recall', ledger: undefined, number: call.number, attempt, ...gentle })
  }

  /** By any of its returns. */
  #callOf(number: number): PendingCall | undefined {
    const call = this.#calls.get(number)
    if (call !== undefined) return call
    for (const each of this.#calls.values())
      if (number > each.number && number < each.number + each.numReturns) return each
    return undefined
  }

  /** The outcome of a call that ran in another tab; false when it is none of these. */
  onResult(from: NodeId, result: TaskResult): boolean {
    const call = this.#calls.get(result.number)
    if (call === undefined || call.sent?.node !== from || call.attempt.number !== result.attempt.number) return false
    const { outcome } = result
    if (outcome.type === 'failed') {
      this.#failed(call, outcome.error)
      return true
    }
    const { values } = outcome
    if (this.#hasCount(call, values.length)) {
      const { objects } = this.#options
      values.forEach((value, index) => {
        const id = this.#object(call.number + index)
        if (value.type === 'inline') objects.storeHere(id, call.attempt, value.value)
        else objects.storeElsewhere(id, call.attempt, value.bytes, [from])
      })
      this.#done(call)
    }
    return true
  }

  /** What a generator has yielded in another tab; false as for `onResult`. */
  onYielded(from: NodeId, message: TaskYielded): boolean {
    const call = this.#calls.get(message.number)
    if (call?.stream === undefined || call.sent?.node !== from) return false
    if (call.attempt.number !== message.attempt.number) return false
    for (const [index, value] of message.values.entries())
      this.#options.streams.yielded(call.stream, message.first + index, call.attempt, value, from)
    return true
  }

  #begin(call: PendingCall): void {
    if (call.stream === undefined) return
    this.#options.streams.begin(call.stream, () => call.sent && { node: call.sent.node, attempt: call.attempt })
  }

  /** Its host has not begun the call and never will. */
  onRefused(from: NodeId, number: number, attempt: Attempt): void {
    const call = this.#calls.get(number)
    if (call?.sent?.node === from && call.attempt.number === attempt.number && !this.#isKept(call)) this.#again(call)
  }

  #isKept({ target, number }: PendingCall): boolean {
    return this.#kept.isKept(target, number)
  }

  nodeGone(node: NodeId): void {
    const gone = this.#inOrder().filter(({ sent }) => sent?.node === node)
    this.#allLost(gone, (call) => tabGone(call.target, node))
  }

  /** This tab comes back under a new session: a call that its actor's tab does not know of was lost on the way, or its reply. */
  restore(runs: Reports['runs']): void {
    this.#kept.restore()
    const lost = this.#inOrder().filter((call) => {
      const { sent, number } = call
      // What runs in this tab itself has not been away.
      if (sent === undefined || sent.node === this.#options.self || this.#isKept(call)) return false
      return runs.get(number)?.some(({ node }) => node === sent.node) !== true
    })
    this.#allLost(lost, () => newWireError('actor-died', 'this tab was away meanwhile'))
  }

  /** Together: none that is made again goes ahead of one that is told of only after it. */
  #allLost(lost: readonly PendingCall[], errorOf: (call: PendingCall) => WireError): void {
    for (const call of lost) if (call.retriesLeft > 0 && !call.isCancelled && !this.#isKept(call)) this.#waits(call)
    for (const call of lost) this.#lost(call, errorOf(call), false)
  }

  failAll(error: WireError): void {
    for (const call of [...this.#calls.values()]) this.#fail(call, error)
    this.#kept.clear()
  }

  #inOrder(): PendingCall[] {
    return [...this.#calls.values()].sort((a, b) => a.number - b.number)
  }

  /** Sends the caller's next call when its arguments exist and the actor has a place. */
  #nextCall(line: number | string, caller: Caller): void {
    if (caller.isBusy) return
    caller.isBusy = true
    drain(
      caller.queue,
      (call, goOn) => {
        let isGone = false
        call.goOn = () => {
          if (!isGone) goOn()
          isGone = true
        }
        // Cancelled while it stood behind others.
        if (this.#calls.has(call.number)) this.#whenReady(call, undefined, call.goOn)
        else call.goOn()
      },
      () => {
        caller.isBusy = false
        this.#callers.delete(line)
      },
    )
  }

  /** Calls `goOn` once the call is on its way, or has failed. */
  #whenReady(call: PendingCall, past: Attempt | undefined, goOn: () => void): void {
    whenArguments(this.#options.objects, call.dependencies, call.method, (error) => {
      if (error !== undefined) {
        this.#fail(call, error)
        goOn()
      } else this.#whenPlaced(call, call.actor, past, goOn)
    })
  }

  #whenPlaced(call: PendingCall, actor: ObjectId, past: Attempt | undefined, goOn: () => void): void {
    const placed = (place: Place, incarnation: Attempt): void => {
      if (place.kind === 'same') {
        this.#whenPlaced(call, place.as, past, goOn)
        return
      }
      if (place.kind === 'dead') this.#fail(call, place.error)
      else if (place.kind === 'alive') this.#dispatch(call, actor, place.node, incarnation)
      goOn()
    }
    this.#options.places.when(actor, past, placed, call.number)
  }

  #dispatch(call: PendingCall, actor: ObjectId, node: NodeId, incarnation: Attempt): void {
    if (!this.#calls.has(call.number)) return
    call.startedAtMs = this.#options.tasks.now()
    call.target = actor
    if (this.#kept.isFollowed(actor)) {
      this.#kept.send(call, actor, node, incarnation)
      return
    }
    const flight = this.#flights.get(call.caller)
    const line = this.#lines.get(lineOf(call))
    if (flight !== undefined && compareAttempts(flight.incarnation, incarnation) < 0) flight.held.push(call)
    else if (line !== undefined && [...line.waiting].some(({ number }) => number < call.number)) line.behind.push(call)
    else if (this.#send(call, actor, node, incarnation)) {
      this.#waitsNoMore(call)
      return
    }
    // An argument was lost since it was looked at, and is being made again.
    else this.#whenReady(call, undefined, () => undefined)
    this.#waits(call)
  }

  /** The call is to be sent, perhaps once more: those behind it that have not been wait for that, as they do in the queue. */
  #waits(call: PendingCall): void {
    const line = this.#lines.get(lineOf(call)) ?? { waiting: new Set(), behind: [] }
    this.#lines.set(lineOf(call), line)
    line.waiting.add(call)
  }

  /** It is on its way, or has its outcome. */
  #waitsNoMore(call: PendingCall): void {
    const line = this.#lines.get(lineOf(call))
    if (line?.waiting.delete(call) !== true) return
    const { behind } = line
    line.behind = []
    if (line.waiting.size === 0) this.#lines.delete(lineOf(call))
    this.#goOnWith(behind)
  }

  /** What was held back goes, in its order. */
  #goOnWith(held: PendingCall[]): void {
    for (const next of held.sort((a, b) => a.number - b.number))
      if (this.#calls.has(next.number)) this.#whenReady(next, next.past, () => undefined)
  }

  /** To an incarnation that has no word of it yet, or to the same once more. */
  #sendAnew(call: PendingCall, actor: ObjectId, node: NodeId, incarnation: Attempt): boolean {
    const { sent, attempt } = call
    // What a former incarnation answers from now on is not heard.
    if (call.wasSent && (sent === undefined || compareAttempts(sent.incarnation, incarnation) !== 0))
      call.attempt = { epoch: attempt.epoch, number: attempt.number + 1 }
    call.wasSent = true
    return this.#send(call, actor, node, incarnation)
  }

  /** False when an argument is not there. */
  #send(call: PendingCall, actor: ObjectId, node: NodeId, incarnation: Attempt): boolean {
    const { self, tasks, hosted } = this.#options
    const { number, attempt, method, numReturns, mode, caller, order, group, args } = call
    const sent = { node, incarnation }
    const stream = { stream: mode, streamId: call.stream?.id ?? 0 }
    const isAnswered = !this.#calls.has(number)
    const message = { actor, incarnation, number, attempt, method, numReturns, ...stream, group, isAnswered, args }
    if (node === self) {
      this.#took(call, sent)
      const yielded = (index: number, value: EncodedValue): void => {
        if (call.sent !== sent || call.stream === undefined) return
        this.#options.streams.yielded(call.stream, index, attempt, { type: 'inline', value }, self)
      }
      hosted.run(self, `${self} ${caller}`, { ...message, dependencies: call.dependencies, yielded }, (outcome) => {
        if (call.sent !== sent || isAnswered) return
        if (outcome !== undefined) this.#endedHere(call, outcome)
        else if (!this.#isKept(call)) this.#again(call)
      })
      return true
    }
    const dependencies = tasks.arguments(call.dependencies, args)
    if (dependencies === undefined) return false
    this.#took(call, sent)
    this.#options.send(node, { type: 'actor.call', ...message, caller, call: order, dependencies, handOver: 0 })
    return true
  }

  #endedHere(call: PendingCall, outcome: WorkOutcome): void {
    if (outcome.kind !== 'values') this.#failed(call, outcome.error)
    else if (this.#hasCount(call, outcome.values.length)) {
      outcome.values.forEach((value, index) =>
        this.#options.objects.storeHere(this.#object(call.number + index), call.attempt, value),
      )
      this.#done(call)
    }
  }

  /** The method threw, or the actor is gone. */
  #failed(call: PendingCall, error: WireError): void {
    if (error.code === 'actor-died') this.#lost(call, error, true)
    else if (call.retriesLeft > 0 && isRetried(call.retryExceptions, error) && !this.#isKept(call)) {
      this.#charge(call)
      // The same incarnation will do.
      this.#left(call)
      this.#again(call)
    } else this.#fail(call, error)
  }

  /**
   * The call was lost and may have run. `isOver`: with its incarnation; else with a tab or on the way, and the incarnation
   * may be there when its tab is back.
   */
  #lost(call: PendingCall, error: WireError, isOver: boolean): void {
    if (call.isCancelled) {
      this.#fail(call, taskCancelled(this.#object(call.number), this.#nameOf(call)))
      return
    }
    if (this.#isKept(call)) {
      // The next incarnation is sent it.
      call.sent = undefined
      return
    }
    if (call.retriesLeft > 0) {
      this.#charge(call)
      if (!isOver) this.#left(call)
      this.#again(call)
      return
    }
    const past = isOver ? call.sent?.incarnation : undefined
    this.#left(call)
    // Whether the actor comes back is for whoever answers for it to say.
    this.#options.places.when(call.target, past, (place: Place) =>
      this.#fail(call, place.kind === 'dead' ? place.error : maybeRan(call.target, error)),
    )
  }

  #charge(call: PendingCall): void {
    call.retriesLeft--
    call.attempt = { epoch: call.attempt.epoch, number: call.attempt.number + 1 }
    this.#begin(call)
  }

  /** Makes the call once more, in an incarnation past the one that it was sent to. */
  #again(call: PendingCall): void {
    if (call.isCancelled) {
      this.#fail(call, taskCancelled(this.#object(call.number), this.#nameOf(call)))
      return
    }
    this.#waits(call)
    if (call.sent === undefined) {
      this.#whenReady(call, undefined, () => undefined)
      return
    }
    call.past = call.sent.incarnation
    this.#flights.get(call.caller)?.held.push(call)
    this.#left(call)
  }

  #took(call: PendingCall, sent: NonNullable<PendingCall['sent']>): void {
    if (this.#kept.isFollowed(call.target)) {
      // Those keep their order by themselves.
      call.sent = sent
      return
    }
    const flight = this.#flights.get(call.caller) ?? { incarnation: sent.incarnation, count: 0, held: [] }
    this.#flights.set(call.caller, flight)
    flight.count++
    call.sent = sent
  }

  /** It is with no host any more. After the last one all that wait for another incarnation go there, in their order. */
  #left(call: PendingCall): void {
    const flight = this.#flights.get(call.caller)
    if (call.sent === undefined || flight === undefined) return
    call.sent = undefined
    if (--flight.count > 0) return
    this.#flights.delete(call.caller)
    this.#goOnWith(flight.held)
  }

  #hasCount(call: PendingCall, count: number): boolean {
    if (count === call.numReturns) return true
    this.#fail(
      call,
      newWireError('task-failed', `${call.method} has numReturns ${call.numReturns}, and ${count} values came back`),
    )
    return false
  }

  #fail(call: PendingCall, error: WireError): void {
    if (!this.#calls.has(call.number)) return
    for (let i = 0; i < Math.max(1, call.numReturns); i++)
      this.#options.objects.fail(this.#object(call.number + i), error)
    this.#done(call, error)
  }

  #done(call: PendingCall, error?: WireError): void {
    if (!this.#calls.delete(call.number)) return
    this.#options.tasks.ended.add(endingOf(call), this.#kindOf(call), 'ACTOR_TASK', call.sent?.node, error)
    if (call.stream !== undefined) this.#options.streams.ended(call.stream, error)
    this.#options.objects.release(call.actor)
    if (!this.#kept.answered(call.target, call.number, error))
      for (const id of argumentsOf(call)) this.#options.objects.release(id)
    call.goOn()
    this.#left(call)
    this.#waitsNoMore(call)
  }

  #object(number: number): ObjectId {
    return { owner: this.#options.self, number }
  }
}

function endingOf(call: PendingCall): EndingTask {
  const { number, job, attempt, createdAtMs, startedAtMs, parent, target: actor, dependencies, args, numReturns } = call
  return { number, job, attempt, createdAtMs, startedAtMs, parent, actor, dependencies, args, numReturns }
}

/** Whose calls keep their order among themselves. */
function lineOf({ caller, group }: Pick<PendingCall, 'caller' | 'group'>): number | string {
  return group === 0 ? caller : `${caller} ${group}`
}

function argumentsOf({ dependencies, args }: Pick<PendingCall, 'dependencies' | 'args'>): readonly ObjectId[] {
  return dependencies.length === 0 ? args.refs : [...dependencies.map(({ id }) => id), ...args.refs]
}

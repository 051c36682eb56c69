// Long because an actor's life in its host, from birth to its end, is one table, and its calls belong to it.
import { Queue } from '@shoal/base'
import {
  STATE_CALLS,
  compareAttempts,
  formatObjectId,
  messageOf,
  newWireError,
  PlainEncoder,
  showId,
} from '@shoal/protocol'
import type {
  ActorCall,
  ActorEnd,
  Attempt,
  EncodedValue,
  LedgerReport,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacedRef,
  TaskArgument,
  WireError,
} from '@shoal/protocol'
import type { GuestRequest, Guests } from '../guests.ts'
import type { HostedView } from '../state/views.ts'
import type { Work, WorkOutcome, WorkTemplate } from '../work.ts'
import type { Run, Worker, Workers } from '../workers.ts'
import { taskCancelled } from '../cancelled.ts'
import { gone } from './actor-errors.ts'
import { createCallGroups } from './call-groups.ts'
import { CallLog, REPLAY } from './call-log.ts'
import type { LoggedCall } from './call-log.ts'
import { checkpointRefs } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { drain } from './drain.ts'
import { KeptStates } from './kept-states.ts'
import type { KeptStatesOptions } from './kept-states.ts'

export interface HostedActorsOptions extends KeptStatesOptions {
  readonly guests: Guests
  readonly workers: Workers
  canReach(node: NodeId): boolean
  /** To a node whose page or tasks call an actor, this one too. */
  sayToCaller(to: NodeId, message: NodeMessage): void
  /** A checkpoint, to whoever answers for the actor. */
  checkpoint(id: ObjectId, incarnation: Attempt, checkpoint: Checkpoint): void
  send(to: NodeId, message: NodeMessage): void
  /** What an actor keeps for its life is taken, or given back. */
  reserve(of: WorkTemplate, change: 1 | -1, bundle: string | undefined): void
  /** The bundle of a placement group in which a lane's work runs. */
  bundleOf(lane: number): string | undefined
  /** Ends a birth that is queued or under way. */
  endWork(matches: (work: Work) => boolean, error: WireError): void
  /** Whoever answers for the actor shall know that it ended. `isFinal`: by itself, or as it was asked to. */
  died(id: ObjectId, incarnation: Attempt, error: WireError, isFinal: boolean, isCharged: boolean): void
}

/** An actor that lives in this tab. */
interface HostedActor {
  readonly id: ObjectId
  readonly incarnation: Attempt
  readonly worker: Worker
  readonly template: Work['template']
  /** In which it lives. */
  readonly bundle: string | undefined
  /** Calls of each caller, in order: one whose arguments are still on their way holds back those behind it. */
  readonly callers: Map<string, Queue<WaitingCall>>
  /** Undefined where all calls are of one group: then they wait in the worker. */
  readonly groups: ReturnType<typeof createCallGroups>
  /** Position in the actor's order of calls, which every reply carries. */
  position: number
  /** Of actors with checkpoints. */
  readonly log: CallLog | undefined
}

/** A call whose arguments are on their way, or that stands behind one. */
interface WaitingCall {
  readonly id: ObjectId
  isCancelled: boolean
  readonly dependencies: readonly PlacedRef[]
  start(isCancelled: boolean): void
}

/** One call, wherever it comes from. */
export interface IncomingCall {
  readonly actor: ObjectId
  readonly incarnation: Attempt
  readonly number: number
  readonly attempt: Attempt
  readonly method: string
  readonly numReturns: number
  /** See `streamMode`. */
  readonly stream: number
  /** See `CallGroups`. */
  readonly group: number
  readonly dependencies: readonly (PlacedRef | TaskArgument)[]
  readonly args: EncodedValue
  /** See `actor.call`. */
  readonly isAnswered: boolean
  /** Its method is a generator, and has yielded a value. */
  yielded?(index: number, value: EncodedValue): void
}

/**
 * The actors that live in this tab's workers: takes calls in the order of each caller, each once its arguments are here,
 * and tells how they ended. An actor is alive -> ending (asked to, once its calls have run; or by itself) -> gone. It decides
 * nothing about restarts, and knows no names.
 */
export class HostedActors {
  readonly #options: HostedActorsOptions
  readonly #actors = new Map<string, HostedActor>()
  readonly #states: KeptStates

  constructor(options: HostedActorsOptions) {
    this.#options = options
    this.#states = new KeptStates(options)
  }

  get count(): number {
    return this.#actors.size
  }

  /** Actors of other tabs' jobs. */
  get guestCount(): number {
    let count = 0
    for (const { template } of this.#actors.values()) if (template.job.driver !== this.#options.self) count++
    return count
  }

  owners(): Set<NodeId> {
    return new Set([...this.#actors.values()].map(({ id }) => id.owner))
  }

  /** Those of a ledger, as its reports have them. */
  of(owner: NodeId): LedgerReport['actors'] {
    return [...this.#actors.values()].flatMap(({ id, incarnation }) =>
      id.owner === owner ? [{ number: id.number, incarnation }] : [],
    )
  }

  /** For people who look: see state/actor-rows.ts. Nothing of it is kept. */
  view(): Iterable<HostedView> {
    return this.#actors.values()
  }

  /** A worker has made its actor: it belongs to it from now on. Called before the work's own `ended`. */
  born({ work, worker }: Run): void {
    const key = formatObjectId(work.id)
    const former = this.#actors.get(key)
    if (former !== undefined && compareAttempts(former.incarnation, work.attempt) > 0) {
      // It came late: nobody answers to it any more.
      this.#options.workers.kill(worker, gone(work.id))
      return
    }
    if (former !== undefined) {
      this.#end(former, gone(work.id))
      // Whoever answers by now may not be who had this one made.
      this.#options.died(former.id, former.incarnation, gone(work.id), false, true)
    }
    const { id, attempt: incarnation, template } = work
    const log = this.#newLog(work, worker)
    const groups = createCallGroups(template.actor)
    const bundle = this.#options.bundleOf(worker.lane)
    const fresh = { callers: new Map<string, Queue<WaitingCall>>(), position: 0 }
    const actor: HostedActor = { id, incarnation, worker, template, bundle, groups, log, ...fresh }
    this.#actors.set(key, actor)
    worker.submitter.isActor(id)
    this.#options.reserve(template, 1, bundle)
    this.#restore(actor, work.revival?.checkpoint)
  }

  #newLog({ id, attempt: incarnation, template, revival }: Work, worker: Worker): CallLog | undefined {
    const every = template.actor?.facts.checkpointEveryCalls ?? 0
    if (every === 0) return undefined
    const { self, canReach, sayToCaller, workers } = this.#options
    return new CallLog({
      self,
      id,
      incarnation,
      every,
      revival,
      canReach,
      say: sayToCaller,
      save: (ended) => {
        const work = stateWork({ id, incarnation, template }, STATE_CALLS.save, NO_ARGUMENTS, ended)
        workers.startIn(work, worker)
      },
      keep: (state, kept) => this.#states.keep(state, template.job, kept),
      tell: (checkpoint) => this.#options.checkpoint(id, incarnation, checkpoint),
      failed: (what, error) => this.#stateFailed(worker, what, error),
    })
  }

  /** Gives the actor the state of its checkpoint; its calls wait for that. */
  #restore(actor: HostedActor, checkpoint: Checkpoint | undefined): void {
    const { objects, workers } = this.#options
    const { log, worker } = actor
    if (log === undefined || checkpoint === undefined) {
      log?.restored()
      return
    }
    const refs = checkpointRefs(checkpoint)
    for (const id of refs) objects.retain(id)
    const ended = (outcome: WorkOutcome): void => {
      for (const id of refs) objects.release(id)
      if (outcome.kind === 'values') log.restored()
      else if (outcome.kind === 'failed') this.#stateFailed(worker, 'restored', outcome.error)
    }
    workers.startIn(stateWork(actor, STATE_CALLS.restore, checkpoint, ended), worker)
  }

  /** Of such an actor nobody could say what it knows. */
  #stateFailed(worker: Worker, what: 'saved' | 'restored', cause: WireError): void {
    const actor = this.#of(worker)
    if (actor === undefined) return
    const { id, incarnation, template } = actor
    const message = `the state of ${template.name} (${showId(id)}) could not be ${what}: ${messageOf(cause)}`
    const error: WireError = { ...cause, code: 'actor-died', actorId: formatObjectId(id), message }
    this.#end(actor, error)
    this.#options.died(id, incarnation, error, true, true)
  }

  /** What is said of an actor that lives here, by its callers' nodes and by whoever answers for it. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'actor.kept':
        this.#find(message)?.log?.onKept(from, message.first, message.order)
        return true
      case 'actor.settled':
        this.#find(message)?.log?.onSettled(from, message.position)
        return true
      case 'actor.checkpointed':
        this.#find(message)?.log?.onCheckpointed(message.position)
        return true
      default:
        return false
    }
  }

  onHeld(id: ObjectId, node: NodeId): void {
    this.#states.onHeld(id, node)
  }

  /** Somebody came who may be asked for a copy of a state, or one is gone. */
  look(): void {
    this.#states.look()
  }

  nodeGone(node: NodeId): void {
    this.#states.nodeGone(node)
    for (const { log } of this.#actors.values()) log?.nodeGone(node)
  }

  /** Another node answers for the owner's actors. */
  moved(owner: NodeId): void {
    for (const { id, log } of this.#actors.values()) if (id.owner === owner) log?.moved()
  }

  /** Calls of that node never come again. */
  ledgerOver(owner: NodeId): void {
    for (const { log } of this.#actors.values()) log?.forget(owner)
  }

  /** A call from another tab. */
  onCall(from: NodeId, message: ActorCall): void {
    const { objects, guests } = this.#options
    if (this.#find(message) === undefined) {
      this.#options.send(from, { type: 'actor.refused', number: message.number, attempt: message.attempt })
      return
    }
    const request: GuestRequest = { ...message, kind: 'task', template: 0, owner: from, depth: 0 }
    for (const { object } of message.dependencies) objects.fromDependency(from, object, true)
    for (const id of message.args.refs) objects.retain(id)
    const over = guests.track(request)
    const call = {
      ...message,
      yielded: (index: number, value: EncodedValue) => guests.yielded(request, index, value),
    }
    this.run(from, `${from} ${message.caller}`, call, (outcome, cpuMicros, position) => {
      over()
      if (outcome === undefined)
        this.#options.send(from, { type: 'actor.refused', number: message.number, attempt: message.attempt })
      else if (!message.isAnswered) guests.sendResult(request, outcome, cpuMicros, position)
      for (const { object } of message.dependencies) objects.release(object.id)
      for (const id of message.args.refs) objects.release(id)
    })
  }

  /**
   * Runs a call in its caller's order. `ended` without an outcome: it did not begin and never will; of an actor with
   * checkpoints: nothing is to be said of it.
   */
  run(
    owner: NodeId,
    callerKey: string,
    call: IncomingCall,
    ended: (outcome: WorkOutcome | undefined, cpuMicros: number, position: number) => void,
  ): void {
    const actor = this.#find(call)
    if (actor === undefined) {
      ended(undefined, 0, 0)
      return
    }
    const { log } = actor
    if (log === undefined) {
      this.#enqueue(actor, owner, callerKey, call, ended)
      return
    }
    const logged: LoggedCall = {
      node: owner,
      number: call.number,
      start: (key) => this.#enqueue(actor, owner, key ?? callerKey, call, ended, logged),
      answer: ended,
    }
    log.take(logged)
  }

  #enqueue(
    actor: HostedActor,
    owner: NodeId,
    callerKey: string,
    call: IncomingCall,
    ended: (outcome: WorkOutcome | undefined, cpuMicros: number, position: number) => void,
    logged?: LoggedCall,
  ): void {
    const { log } = actor
    const dependencies = call.dependencies.map((dependency) =>
      'object' in dependency ? { place: dependency.place, id: dependency.object.id } : dependency,
    )
    const id = { owner, number: call.number }
    const cancel = (): void => {
      const name = `${actor.template.name}.${call.method}`
      ended({ kind: 'failed', error: taskCancelled(id, name) }, 0, 0)
    }
    const begin = (over: () => void): void => {
      // It may have died while the call waited.
      if (this.#find(call) !== actor) {
        over()
        ended(undefined, 0, 0)
        return
      }
      const position = logged === undefined || log === undefined ? ++actor.position : log.begin(logged)
      const work: Work = {
        kind: 'actor-call',
        id,
        attempt: call.attempt,
        template: call.numReturns === 1 && call.stream === 0 ? actor.template : returning(actor.template, call),
        method: call.method,
        depth: 0,
        dependencies,
        args: call.args,
        isGuest: owner !== this.#options.self,
        yielded: (index, value) => call.yielded?.(index, value),
        ended: (told, cpuMicros) => {
          over()
          const outcome = asActorOutcome(told, call.actor)
          if (logged === undefined) ended(outcome, cpuMicros, position)
          else log?.ended(logged, told.kind === 'lost', outcome, cpuMicros, position)
        },
      }
      this.#options.workers.startIn(work, actor.worker)
      log?.begun()
    }
    const start = (isCancelled: boolean): void => {
      if (isCancelled) cancel()
      else if (actor.groups === undefined) begin(() => undefined)
      else actor.groups.enter(call.group, { id, begin, cancel })
    }
    const line = call.group === 0 ? callerKey : `${callerKey} ${call.group}`
    this.#inOrder(actor, line, { id, isCancelled: false, dependencies, start })
  }

  /** A call whose arguments are on their way, or whose group is full, is not to begin. False when there is none. */
  cancelWaiting(id: ObjectId): boolean {
    for (const { callers, groups } of this.#actors.values()) {
      for (const queue of callers.values())
        for (const call of queue)
          if (isSame(call.id, id)) {
            call.isCancelled = true
            return true
          }
      if (groups?.cancel(id) === true) return true
    }
    return false
  }

  /** Whoever answers for an actor ends it. */
  end({ actor: id, incarnation, how, error }: Pick<ActorEnd, 'actor' | 'incarnation' | 'how' | 'error'>): void {
    const actor = this.#actors.get(formatObjectId(id))
    if (actor === undefined) {
      // Not born yet: queued, or in its constructor.
      const isMeant = (work: Work): boolean =>
        work.kind === 'actor-new' && isSame(work.id, id) && compareAttempts(work.attempt, incarnation) <= 0
      this.#options.endWork(isMeant, error)
      return
    }
    // An older one than it means is ended too: nobody answers to it any more.
    if (compareAttempts(actor.incarnation, incarnation) > 0) return
    if (how === 'kill') {
      this.#end(actor, error)
      this.#options.died(actor.id, actor.incarnation, error, false, true)
    } else this.#options.workers.endActor(actor.worker)
  }

  /** A worker says that its actor has ended, in good order. */
  ended(worker: Worker): void {
    const actor = this.#of(worker)
    if (actor === undefined) return
    const { id, incarnation, template } = actor
    const message = `the actor ${template.name} (${showId(id)}) has ended`
    const error = newWireError('actor-died', message, { actorId: formatObjectId(id), nodeId: this.#options.self })
    this.#end(actor, error)
    this.#options.died(id, incarnation, error, true, true)
  }

  /** A worker ended, and the actor in it. */
  workerGone(worker: Worker, reason: string, wasBusy: boolean): void {
    const actor = this.#of(worker)
    if (actor === undefined) return
    const { id, incarnation, template } = actor
    this.#forget(actor)
    const message = `the actor ${template.name} (${showId(id)}) died: ${reason}`
    const error = newWireError('actor-died', message, { actorId: formatObjectId(id), nodeId: this.#options.self })
    this.#options.died(id, incarnation, error, false, wasBusy)
  }

  /** Ends those that match, without a word to whoever answers for them. Gives their ids. */
  endWhere(matches: (actor: Pick<HostedActor, 'id' | 'template'>) => boolean, error: WireError): ObjectId[] {
    const ended = [...this.#actors.values()].filter(matches)
    for (const actor of ended) this.#end(actor, error)
    return ended.map(({ id }) => id)
  }

  /** Their bundles are no more. `isFinal`: nor is there anything else for them to live in. */
  endInBundles(matches: (bundle: string) => boolean, error: WireError, isFinal: boolean): void {
    for (const actor of [...this.#actors.values()]) {
      if (actor.bundle === undefined || !matches(actor.bundle)) continue
      const told: WireError = { ...error, code: 'actor-died', actorId: formatObjectId(actor.id) }
      this.#end(actor, told)
      this.#options.died(actor.id, actor.incarnation, told, isFinal, true)
    }
  }

  #find({ actor: id, incarnation }: Pick<IncomingCall, 'actor' | 'incarnation'>): HostedActor | undefined {
    const actor = this.#actors.get(formatObjectId(id))
    return actor !== undefined && compareAttempts(actor.incarnation, incarnation) === 0 ? actor : undefined
  }

  #of(worker: Worker): HostedActor | undefined {
    for (const actor of this.#actors.values()) if (actor.worker === worker) return actor
    return undefined
  }

  #end(actor: HostedActor, error: WireError): void {
    this.#forget(actor)
    this.#options.workers.kill(actor.worker, error)
  }

  /** The actor is no longer here, and what it reserved is free again. */
  #forget(actor: HostedActor): void {
    this.#actors.delete(formatObjectId(actor.id))
    actor.log?.close()
    this.#options.reserve(actor.template, -1, actor.bundle)
    actor.groups?.close()
  }

  #inOrder(actor: HostedActor, callerKey: string, call: WaitingCall): void {
    // What runs again goes first, and all that came meanwhile behind it.
    if (actor.callers.has(REPLAY)) callerKey = REPLAY
    const queue = actor.callers.get(callerKey)
    const isHere = call.dependencies.every(({ id }) => this.#options.objects.state(id).kind === 'here')
    if (queue === undefined && isHere) {
      call.start(false)
      return
    }
    const waiting = queue ?? new Queue<WaitingCall>()
    actor.callers.set(callerKey, waiting)
    waiting.push(call)
    if (queue !== undefined) return
    drain(
      waiting,
      (next, goOn) =>
        this.#whenAllHere(next.dependencies, () => {
          next.start(next.isCancelled)
          goOn()
        }),
      () => actor.callers.delete(callerKey),
    )
  }

  /** An argument that cannot be had lets the call go ahead: the worker's start reports why. */
  #whenAllHere(dependencies: readonly PlacedRef[], callback: () => void): void {
    let missing = dependencies.length
    if (missing === 0) callback()
    for (const { id } of dependencies)
      this.#options.objects.whenHere(id, () => {
        if (--missing === 0) callback()
      })
  }
}

/** A call by the node itself: see `STATE_CALLS`. */
function stateWork(
  { id, incarnation: attempt, template }: Pick<HostedActor, 'id' | 'incarnation' | 'template'>,
  method: string,
  { dependencies, args }: Pick<Work, 'dependencies' | 'args'>,
  ended: (outcome: WorkOutcome) => void,
): Work {
  const isGuest = template.job.driver !== id.owner
  return { kind: 'actor-call', id, attempt, template, method, depth: 0, dependencies, args, isGuest, ended }
}

const NO_ARGUMENTS = { dependencies: [], args: new PlainEncoder().encode([], 'arguments') }

/** What was lost with its actor is told so. */
function asActorOutcome(outcome: WorkOutcome, actor: ObjectId): WorkOutcome {
  if (outcome.kind !== 'lost') return outcome
  return { kind: 'failed', error: { ...outcome.error, code: 'actor-died', actorId: formatObjectId(actor) } }
}

/** Of a call that returns another number of values, or a stream; made once each, so that a worker is told of it once. */
function returning(
  template: Work['template'],
  { numReturns, stream }: Pick<IncomingCall, 'numReturns' | 'stream'>,
): Work['template'] {
  const made = variants.get(template) ?? new Map<string, Work['template']>()
  variants.set(template, made)
  const key = `${template.key} ${numReturns} ${stream}`
  const known = made.get(key) ?? { ...template, numReturns, stream, key }
  made.set(key, known)
  return known
}

const variants = new WeakMap<Work['template'], Map<string, Work['template']>>()

function isSame(a: ObjectId, b: ObjectId): boolean {
  return a.number === b.number && a.owner === b.owner
}

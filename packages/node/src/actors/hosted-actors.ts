import { Queue } from '@shoal/base'
import { compareAttempts, formatObjectId, newWireError, showId } from '@shoal/protocol'
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
  ResourceSet,
  TaskArgument,
  WireError,
} from '@shoal/protocol'
import type { GuestRequest, Guests } from '../guests.ts'
import type { Objects } from '../objects.ts'
import type { HostedView } from '../state/views.ts'
import type { Work, WorkOutcome } from '../work.ts'
import type { Run, Worker, Workers } from '../workers.ts'
import { taskCancelled } from '../cancelled.ts'
import { gone } from './actor-errors.ts'
import { drain } from './drain.ts'

export interface HostedActorsOptions {
  readonly self: NodeId
  readonly objects: Objects
  readonly guests: Guests
  readonly workers: Workers
  send(to: NodeId, message: NodeMessage): void
  /** What an actor keeps for its life is taken, or given back. */
  reserve(resources: ResourceSet, change: 1 | -1): void
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
  /** Calls of each caller, in order: one whose arguments are still on their way holds back those behind it. */
  readonly callers: Map<string, Queue<WaitingCall>>
  /** Position in the actor's order of calls, which every reply carries. */
  position: number
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
  readonly dependencies: readonly (PlacedRef | TaskArgument)[]
  readonly args: EncodedValue
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

  constructor(options: HostedActorsOptions) {
    this.#options = options
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
    this.#actors.set(key, { id, incarnation, worker, template, callers: new Map(), position: 0 })
    worker.submitter.isActor(id)
    this.#options.reserve(template.held, 1)
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
      else guests.sendResult(request, outcome, cpuMicros, position)
      for (const { object } of message.dependencies) objects.release(object.id)
      for (const id of message.args.refs) objects.release(id)
    })
  }

  /** Runs a call in its caller's order. `ended` without an outcome: it did not begin and never will. */
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
    const dependencies = call.dependencies.map((dependency) =>
      'object' in dependency ? { place: dependency.place, id: dependency.object.id } : dependency,
    )
    const start = (isCancelled: boolean): void => {
      if (isCancelled) {
        const name = `${actor.template.name}.${call.method}`
        ended({ kind: 'failed', error: taskCancelled({ owner, number: call.number }, name) }, 0, 0)
        return
      }
      // It may have died while the call's arguments were on their way.
      if (this.#find(call) !== actor) {
        ended(undefined, 0, 0)
        return
      }
      const position = ++actor.position
      const work: Work = {
        kind: 'actor-call',
        id: { owner, number: call.number },
        attempt: call.attempt,
        template: call.numReturns === 1 && call.stream === 0 ? actor.template : returning(actor.template, call),
        method: call.method,
        depth: 0,
        dependencies,
        args: call.args,
        isGuest: owner !== this.#options.self,
        yielded: (index, value) => call.yielded?.(index, value),
        ended: (outcome, cpuMicros) => ended(asActorOutcome(outcome, call.actor), cpuMicros, position),
      }
      this.#options.workers.startIn(work, actor.worker)
    }
    this.#inOrder(actor, callerKey, { id: { owner, number: call.number }, isCancelled: false, dependencies, start })
  }

  /** A call whose arguments are on their way is not to begin. False when there is none. */
  cancelWaiting(id: ObjectId): boolean {
    for (const { callers } of this.#actors.values())
      for (const queue of callers.values())
        for (const call of queue)
          if (isSame(call.id, id)) {
            call.isCancelled = true
            return true
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
    if (how === 'kill') this.#end(actor, error)
    else this.#options.workers.endActor(actor.worker)
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
    this.#options.reserve(actor.template.held, -1)
  }

  #inOrder(actor: HostedActor, callerKey: string, call: WaitingCall): void {
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

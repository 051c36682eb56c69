// Long because an actor's owner, its host and its callers are three sides of one rule: see the class.
import { must, Queue } from '@shoal/base'
import { argumentFailed, FIRST_ATTEMPT, formatObjectId, messageOf, newWireError, showId } from '@shoal/protocol'
import type {
  ActorCall,
  ActorPlace,
  EncodedValue,
  JobId,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacedRef,
  TaskArgument,
  TaskResult,
  WireError,
} from '@shoal/protocol'
import type { SchedulerEvent } from '@shoal/scheduler'
import type { Reports } from '@shoal/control-store'
import { drain } from './drain.ts'
import type { GuestRequest, Guests } from './guests.ts'
import type { Objects } from './objects.ts'
import type { JobTemplate, OwnTasks, OwnTemplate } from './own-tasks.ts'
import type { ActorMade, ActorsView } from './state/views.ts'
import type { Submission } from './submitter.ts'
import type { Work, WorkOutcome } from './work.ts'
import type { Run, Worker, Workers } from './workers.ts'

export interface ActorsOptions {
  readonly self: NodeId
  readonly objects: Objects
  readonly tasks: OwnTasks
  readonly guests: Guests
  readonly workers: Workers
  schedule(event: SchedulerEvent<Work>): void
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  /** Somebody here waits for an actor, and whoever answers for it cannot be reached. */
  unanswered(owner: NodeId): void
  /** Who answers for an owner's actors. */
  answerer(owner: NodeId): NodeId
  introduce(to: NodeId, template: JobTemplate): void
}

type Place =
  | { readonly kind: 'pending' }
  | { readonly kind: 'alive'; readonly node: NodeId }
  | { readonly kind: 'dead'; readonly error: WireError }

/** An actor as its owner, or a caller in another tab, knows it. */
interface KnownActor {
  readonly id: ObjectId
  place: Place
  /** What an own actor was made with. */
  made: ActorMade | undefined
  isAsked: boolean
  /** Own actors: other nodes that want to know where it is. */
  readonly watchers: Set<NodeId>
  readonly waiting: (() => void)[]
}

/** An actor that lives in a worker of this tab. */
interface HostedActor {
  readonly id: ObjectId
  readonly owner: NodeId
  readonly worker: Worker
  readonly template: Work['template']
  /** Calls of each caller, in order: one whose arguments are still on their way holds back those behind it. */
  readonly callers: Map<string, Queue<WaitingCall>>
  /** Position in the actor's order of calls, which every reply carries. */
  position: number
}

/** A call whose arguments are on their way, or that stands behind one. */
interface WaitingCall {
  readonly dependencies: readonly PlacedRef[]
  start(): void
}

/** A call of this tab's that has no outcome yet. */
interface PendingCall {
  readonly number: number
  readonly actor: ObjectId
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  readonly job: JobId
  /** The class and the method. */
  readonly name: string
  sentTo: NodeId | undefined
  readonly createdAtMs: number
  startedAtMs: number | undefined
}

interface Caller {
  readonly queue: Queue<QueuedCall>
  isBusy: boolean
}

interface QueuedCall {
  readonly call: PendingCall
  readonly method: string
  readonly caller: number
  readonly order: number
  readonly job: JobId
}

/**
 * Actors: those this tab owns, those that live in its workers, and the calls that its page and tasks make. Calls of one
 * handle go out in order, each when its arguments exist, straight to the node where the actor lives; the owner only says
 * where that is. Long because the three sides of a call share its rules. Restarts are not here yet: an actor whose worker or tab is gone is dead.
 */
export class Actors {
  readonly #options: ActorsOptions
  readonly #known = new Map<string, KnownActor>()
  readonly #hosted = new Map<string, HostedActor>()
  readonly #calls = new Map<number, PendingCall>()
  readonly #callers = new Map<number, Caller>()
  /** What own actors that are not placed yet were given: no longer needed once they are, since nothing restarts them. */
  readonly #birthArguments = new Map<number, readonly ObjectId[]>()
  /** Where actors that this node answers for were made, by their whole id. */
  readonly #birthplaces = new Map<string, NodeId>()
  /** Own actors that are not placed yet, by number. */
  readonly #births = new Map<number, { readonly template: JobTemplate; readonly work: Work }>()

  constructor(options: ActorsOptions) {
    this.#options = options
  }

  get hostedCount(): number {
    return this.#hosted.size
  }

  /** Actors of other tabs' jobs that live here. */
  get guestCount(): number {
    let count = 0
    for (const { template } of this.#hosted.values()) if (template.job.driver !== this.#options.self) count++
    return count
  }

  /** Calls of this tab's without an outcome. */
  get callCount(): number {
    return this.#calls.size
  }

  /** Whether a call of the job that this tab drives has no outcome yet. */
  get hasOwnJob(): boolean {
    for (const { job } of this.#calls.values()) if (job.driver === this.#options.self) return true
    return false
  }

  create(template: OwnTemplate, submission: Submission, job: JobId, depth: number): void {
    const { tasks, objects, self } = this.#options
    const { number, dependencies, args } = submission
    const id = { owner: self, number }
    this.#know(id).made = { ...template, job, dependencies, createdAtMs: tasks.now() }
    const kept = [...dependencies.map((dependency) => dependency.id), ...args.refs]
    for (const argument of kept) objects.retain(argument)
    this.#birthArguments.set(number, kept)
    tasks.whenReady({ template, dependencies, job }, (jobTemplate, error) => {
      if (jobTemplate === undefined) {
        this.#ownDied(id, must(error))
        return
      }
      const work: Work = {
        kind: 'actor-new',
        id,
        attempt: FIRST_ATTEMPT,
        template: jobTemplate.work,
        method: '',
        depth,
        dependencies,
        args,
        isGuest: false,
        ended: (outcome) => this.#bornHere(id, outcome),
      }
      this.#births.set(number, { template: jobTemplate, work })
      this.#scheduleBirth(number)
    })
  }

  /** The actor may not be made: every call of its handle fails with the same error. */
  refuse(number: number, error: WireError): void {
    const id = { owner: this.#options.self, number }
    this.#options.objects.fail(id, error)
    this.#placed(id, { kind: 'dead', error })
  }

  /** A scheduler effect: the actor is to be born on a peer. */
  sendTo(node: NodeId, work: Work): void {
    const { number } = work.id
    const birth = this.#births.get(number)
    if (birth?.work !== work) return
    const { tasks } = this.#options
    const dependencies = tasks.mayLeave(birth.template) ? tasks.arguments(work.dependencies, work.args) : undefined
    if (dependencies === undefined) {
      this.#unsent(node, number, work, birth.template)
      return
    }
    this.#options.introduce(node, birth.template)
    this.#options.send(node, {
      type: 'actor.create',
      template: birth.template.wire,
      number,
      incarnation: work.attempt,
      dependencies,
      args: work.args,
      handOver: 0,
    })
    this.#birthplaces.set(formatObjectId(work.id), node)
  }

  /** An argument was lost since the actor could be born, and is being made again: the credit goes back. */
  #unsent(node: NodeId, number: number, work: Work, template: JobTemplate): void {
    this.#options.send(node, { type: 'credit.return', shape: template.work.shape, count: 1 })
    this.#options.schedule({ type: 'sent-ended', node, kind: '', ms: undefined })
    this.#whenArguments(work.dependencies, work.template.name, (error) => {
      if (error !== undefined) this.#ownDied(work.id, error)
      else if (this.#births.has(number)) this.#scheduleBirth(number)
    })
  }

  #scheduleBirth(number: number): void {
    const { tasks, schedule } = this.#options
    const { work, template } = must(this.#births.get(number))
    schedule({ type: 'ready', task: tasks.readyTask(work, template), shape: template.work.shape })
  }

  /** The scheduler counts what a peer has of ours: a birth is over with its first word. */
  #birthAnswered(from: NodeId, number: number): void {
    if (this.#births.delete(number)) this.#options.schedule({ type: 'sent-ended', node: from, kind: '', ms: undefined })
  }

  /** One call by a page or task of this tab. */
  call(actor: ObjectId, method: string, caller: number, order: number, submission: Submission, job: JobId): void {
    const { objects } = this.#options
    const { number, dependencies, args } = submission
    const made = this.#known.get(formatObjectId(actor))?.made
    const name = made === undefined ? method : `${made.definition.name}.${method}`
    const times = { createdAtMs: this.#options.tasks.now(), startedAtMs: undefined }
    const call: PendingCall = { number, actor, dependencies, args, job, name, sentTo: undefined, ...times }
    this.#calls.set(number, call)
    objects.retain(actor)
    for (const { id } of dependencies) objects.retain(id)
    for (const id of args.refs) objects.retain(id)
    const state = this.#callers.get(caller) ?? { queue: new Queue<QueuedCall>(), isBusy: false }
    this.#callers.set(caller, state)
    state.queue.push({ call, method, caller, order, job })
    this.#nextCall(caller, state)
  }

  onCreate(from: NodeId, message: NodeMessage & { type: 'actor.create' }): void {
    const { guests } = this.#options
    const id = { owner: from, number: message.number }
    const request: GuestRequest = { ...message, kind: 'actor-new', owner: from, attempt: message.incarnation, depth: 0 }
    guests.accept(from, request, (outcome) => {
      const error = outcome.kind === 'values' ? undefined : outcome.error
      this.#sayStatus(id, message.incarnation, error)
      if (error !== undefined) this.#unhost(formatObjectId(id))
    })
  }

  /** A worker has made its actor: it belongs to it from now on. Called before the work's own `ended`. */
  born(run: Run): void {
    const { work, worker } = run
    this.#hosted.set(formatObjectId(work.id), {
      id: work.id,
      owner: work.id.owner,
      worker,
      template: work.template,
      callers: new Map(),
      position: 0,
    })
    this.#options.workers.becomeActor(worker)
    this.#options.schedule({ type: 'reserve', resources: work.template.held, change: 1 })
  }

  onStatus(from: NodeId, message: NodeMessage & { type: 'actor.status' }): void {
    const id = message.actor
    if (!this.#isMine(id) || this.#birthplaces.get(formatObjectId(id)) !== from) return
    if (id.owner === this.#options.self) this.#birthAnswered(from, id.number)
    if (message.error === undefined) this.#placed(id, { kind: 'alive', node: from })
    else this.#ownDied(id, message.error)
  }

  /** A peer will not make the actor and has not begun; without an error another may. */
  onRefused(from: NodeId, number: number, error: WireError | undefined): void {
    const key = formatObjectId({ owner: this.#options.self, number })
    if (!this.#births.has(number) || this.#birthplaces.get(key) !== from) return
    this.#birthplaces.delete(key)
    if (error === undefined) this.#scheduleBirth(number)
    else this.#ownDied({ owner: this.#options.self, number }, error)
  }

  onWant(from: NodeId, actor: ObjectId): void {
    const known = this.#known.get(formatObjectId(actor))
    // Who asks us by mistake is told by the gather of whoever does answer.
    if (!this.#isMine(actor)) return
    if (known === undefined) {
      this.#options.send(from, placeMessage(actor, { kind: 'dead', error: gone(actor) }))
      return
    }
    known.watchers.add(from)
    this.#options.send(from, placeMessage(actor, known.place))
  }

  onPlace(from: NodeId, message: ActorPlace): void {
    const { actor, place } = message
    if (this.#options.answerer(actor.owner) !== from) return
    if (place.type === 'alive') this.#placed(actor, { kind: 'alive', node: place.node })
    else if (place.type === 'dead') this.#placed(actor, { kind: 'dead', error: place.error })
  }

  /** A call from another tab to an actor of ours. */
  onCall(from: NodeId, message: ActorCall): void {
    const request: GuestRequest = {
      kind: 'task',
      template: 0,
      owner: from,
      number: message.number,
      attempt: message.attempt,
      depth: 0,
      dependencies: message.dependencies,
      args: message.args,
    }
    const { objects, guests } = this.#options
    for (const { object } of message.dependencies) objects.fromDependency(from, object, true)
    for (const id of message.args.refs) objects.retain(id)
    const ended = guests.track(request)
    this.#run(from, `${from} ${message.caller}`, message, (outcome, cpuMicros, position) => {
      ended()
      guests.sendResult(request, outcome, cpuMicros, position)
      for (const { object } of message.dependencies) objects.release(object.id)
      for (const id of message.args.refs) objects.release(id)
    })
  }

  /** The outcome of a call of ours that ran in another tab; false when it is no call. */
  onResult(from: NodeId, result: TaskResult): boolean {
    const call = this.#calls.get(result.number)
    if (call?.sentTo !== from) return false
    const { outcome } = result
    const id = { owner: this.#options.self, number: result.number }
    const error =
      outcome.type === 'failed'
        ? outcome.error
        : outcome.values.length === 1
          ? undefined
          : newWireError('task-failed', `a call came back with ${outcome.values.length} values`)
    if (error !== undefined) this.#options.objects.fail(id, error)
    else if (outcome.type === 'values')
      for (const value of outcome.values) {
        if (value.type === 'inline') this.#options.objects.storeHere(id, FIRST_ATTEMPT, value.value)
        else this.#options.objects.storeElsewhere(id, FIRST_ATTEMPT, value.bytes, [from])
      }
    this.#callDone(call, error)
    return true
  }

  /** The worker of an actor ended. */
  workerGone(worker: Worker, reason: string): void {
    for (const [key, actor] of this.#hosted) {
      if (actor.worker !== worker) continue
      this.#unhost(key)
      const message = `the actor ${actor.template.name} (${showId(actor.id)}) died: ${reason}`
      const error = newWireError('actor-died', message, { actorId: key, nodeId: this.#options.self })
      if (this.#isMine(actor.id)) this.#ownDied(actor.id, error)
      else this.#sayStatus(actor.id, FIRST_ATTEMPT, error)
    }
  }

  nodeGone(node: NodeId): void {
    for (const known of [...this.#known.values()]) {
      known.watchers.delete(node)
      const isBornThere = this.#isMine(known.id) && this.#birthplaces.get(formatObjectId(known.id)) === node
      // Nothing restarts an actor: gone with its tab, whatever its owner knows by now.
      if (isBornThere || (known.place.kind === 'alive' && known.place.node === node)) {
        const message = `the tab ${node.slice(0, 8)} of the actor ${showId(known.id)} is gone`
        this.#ownDied(
          known.id,
          newWireError('actor-died', message, { nodeId: node, actorId: formatObjectId(known.id) }),
        )
      }
    }
    for (const call of [...this.#calls.values()]) {
      if (call.sentTo !== node) continue
      const message = `the tab ${node.slice(0, 8)} of the actor ${showId(call.actor)} went while a call ran`
      this.#failCall(call, newWireError('actor-died', message, { nodeId: node, actorId: formatObjectId(call.actor) }))
    }
  }

  /** Actors of a ledger that live here. */
  hostedOf(owner: NodeId): { number: number; incarnation: typeof FIRST_ATTEMPT }[] {
    return [...this.#hosted.values()].flatMap(({ id }) =>
      id.owner === owner ? [{ number: id.number, incarnation: FIRST_ATTEMPT }] : [],
    )
  }

  /** Owners of actors that live here or were called from here. */
  owners(): Set<NodeId> {
    const owners = new Set<NodeId>()
    for (const { owner } of this.#hosted.values()) owners.add(owner)
    for (const { id, place } of this.#known.values()) if (place.kind === 'pending') owners.add(id.owner)
    return owners
  }

  /** This node answers for the actor from now on; it lives where its host says. */
  adopt(id: ObjectId, node: NodeId): void {
    this.#birthplaces.set(formatObjectId(id), node)
    const known = this.#know(id)
    if (known.place.kind === 'pending') this.#placed(id, { kind: 'alive', node })
  }

  /** Another node answers for the ledger: it is asked where its actors are. */
  moved(owner: NodeId): void {
    for (const known of this.#known.values()) {
      if (known.id.owner !== owner || known.place.kind !== 'pending') continue
      known.isAsked = false
      this.#know(known.id)
    }
  }

  /** This tab comes back under a new session: a call that its actor's tab does not know of was lost on the way, or its reply. */
  restoreCalls(runs: Reports['runs']): void {
    for (const call of [...this.#calls.values()]) {
      const { sentTo, number } = call
      if (sentTo === undefined || runs.get(number)?.some(({ node }) => node === sentTo) === true) continue
      const message = `this tab was away while a call to ${showId(call.actor)} ran: it may have run`
      this.#failCall(call, newWireError('actor-unavailable', message, { actorId: formatObjectId(call.actor) }))
    }
  }

  /** All reports about the ledger are in: what nobody hosts was lost before it lived. */
  takenOver(owner: NodeId): void {
    for (const known of [...this.#known.values()])
      if (known.id.owner === owner && owner !== this.#options.self && known.place.kind === 'pending')
        this.#ownDied(known.id, gone(known.id))
  }

  /** Nobody can call the ledger's actors any more. */
  ledgerOver(owner: NodeId): void {
    const error = newWireError('owner-died', `the tab ${owner.slice(0, 8)} that owned this actor is gone`, {
      nodeId: owner,
    })
    for (const [key, actor] of [...this.#hosted]) {
      if (actor.owner !== owner) continue
      this.#unhost(key)
      this.#options.workers.kill(actor.worker, error)
    }
    for (const known of [...this.#known.values()])
      if (known.id.owner === owner && known.place.kind === 'pending') this.#ownDied(known.id, error)
  }

  #isMine(id: ObjectId): boolean {
    return this.#options.answerer(id.owner) === this.#options.self
  }

  #sayStatus(actor: ObjectId, incarnation: typeof FIRST_ATTEMPT, error: WireError | undefined): void {
    const answerer = this.#options.answerer(actor.owner)
    if (answerer === this.#options.self) {
      if (error !== undefined) this.#ownDied(actor, error)
    } else this.#options.send(answerer, { type: 'actor.status', actor, incarnation, error })
  }

  /** The driver of a job is gone: the actors that its tasks made, and that live here, go too. */
  jobGone(driver: NodeId, error: WireError): void {
    for (const [key, actor] of [...this.#hosted]) {
      if (actor.template.job.driver !== driver) continue
      this.#unhost(key)
      this.#options.workers.kill(actor.worker, error)
      if (this.#isMine(actor.id)) this.#ownDied(actor.id, error)
    }
  }

  /** This tab was given up by its room: its actors of others' are dead to them. */
  suspended(error: WireError): void {
    for (const [key, actor] of [...this.#hosted]) {
      if (actor.owner === this.#options.self) continue
      this.#unhost(key)
      this.#options.workers.kill(actor.worker, error)
    }
    for (const known of this.#known.values()) if (known.place.kind === 'pending') known.isAsked = false
  }

  failAll(error: WireError): void {
    for (const call of [...this.#calls.values()]) this.#failCall(call, error)
    for (const key of [...this.#hosted.keys()]) this.#unhost(key)
  }

  /** The actor is no longer here, and what it reserved is free again. */
  #unhost(key: string): void {
    const actor = this.#hosted.get(key)
    if (actor === undefined) return
    this.#hosted.delete(key)
    this.#options.schedule({ type: 'reserve', resources: actor.template.held, change: -1 })
  }

  #bornHere(id: ObjectId, outcome: WorkOutcome): void {
    this.#births.delete(id.number)
    if (outcome.kind === 'values') this.#placed(id, { kind: 'alive', node: this.#options.self })
    else this.#ownDied(id, outcome.error)
  }

  #placed(id: ObjectId, place: Place): void {
    const known = this.#know(id)
    if (known.place.kind === 'dead') return
    if (known.place.kind === 'pending' && known.made !== undefined && place.kind !== 'pending') {
      const [node, error] = place.kind === 'alive' ? [place.node] : [undefined, place.error]
      const born = { ...known.made, number: id.number, actor: id, startedAtMs: undefined }
      this.#options.tasks.ended.add(born, known.made.definition, 'ACTOR_CREATION_TASK', node, error)
    }
    known.place = place
    if (this.#isMine(id)) {
      if (id.owner === this.#options.self) {
        for (const argument of this.#birthArguments.get(id.number) ?? []) this.#options.objects.release(argument)
        this.#birthArguments.delete(id.number)
      }
      for (const watcher of known.watchers) this.#options.send(watcher, placeMessage(id, place))
      if (place.kind === 'alive') this.#options.objects.storeHere(id, FIRST_ATTEMPT, CREATED)
    }
    for (const waiter of known.waiting.splice(0)) waiter()
  }

  /** Dead for good; what its constructor threw comes with every call. */
  #ownDied(id: ObjectId, cause: WireError): void {
    const key = formatObjectId(id)
    const error =
      cause.code === 'actor-died'
        ? cause
        : {
            ...cause,
            code: 'actor-died' as const,
            actorId: key,
            message: `the actor died: ${messageOf(cause)}`,
            argumentOf: undefined,
          }
    this.#options.objects.fail(id, error)
    this.#placed(id, { kind: 'dead', error })
  }

  #know(id: ObjectId): KnownActor {
    const key = formatObjectId(id)
    let known = this.#known.get(key)
    if (known === undefined) {
      known = { id, place: { kind: 'pending' }, made: undefined, isAsked: false, watchers: new Set(), waiting: [] }
      this.#known.set(key, known)
    }
    const answerer = this.#options.answerer(id.owner)
    if (answerer !== this.#options.self && !known.isAsked) {
      known.isAsked = this.#options.canReach(answerer)
      if (known.isAsked) this.#options.send(answerer, { type: 'actor.want', actor: id })
      else this.#options.unanswered(id.owner)
    }
    return known
  }

  /** Sends the caller's next call when its arguments exist and the actor has a place. */
  #nextCall(number: number, caller: Caller): void {
    if (caller.isBusy) return
    caller.isBusy = true
    drain(
      caller.queue,
      (next, goOn) => this.#sendCall(next, goOn),
      () => {
        caller.isBusy = false
        this.#callers.delete(number)
      },
    )
  }

  #sendCall(next: QueuedCall, goOn: () => void): void {
    this.#whenArguments(next.call.dependencies, next.method, (error) => {
      if (error !== undefined) {
        this.#failCall(next.call, error)
        goOn()
        return
      }
      this.#whenPlaced(next.call.actor, (place) => {
        if (place.kind === 'dead') this.#failCall(next.call, place.error)
        else if (place.kind === 'alive') this.#dispatch(next, place.node)
        goOn()
      })
    })
  }

  #whenArguments(
    dependencies: readonly PlacedRef[],
    name: string,
    callback: (error: WireError | undefined) => void,
  ): void {
    let missing = dependencies.length
    if (missing === 0) {
      callback(undefined)
      return
    }
    for (const { id, place } of dependencies)
      this.#options.objects.whenKnown(id, (state) => {
        if (missing <= 0) return
        if (state.kind === 'failed') {
          missing = 0
          callback(argumentFailed(state.error, place, name))
        } else if (--missing === 0) callback(undefined)
      })
  }

  #whenPlaced(id: ObjectId, callback: (place: Place) => void): void {
    const known = this.#know(id)
    if (known.place.kind === 'pending') known.waiting.push(() => callback(known.place))
    else callback(known.place)
  }

  #dispatch(next: QueuedCall, node: NodeId): void {
    const { call, method, caller, order } = next
    if (!this.#calls.has(call.number)) return
    const { self, tasks } = this.#options
    call.startedAtMs = tasks.now()
    if (node === self) {
      const message = {
        actor: call.actor,
        number: call.number,
        method,
        dependencies: call.dependencies,
        args: call.args,
      }
      this.#run(self, `${self} ${caller}`, message, (outcome) => this.#endedHere(call, outcome))
      return
    }
    if (!this.#options.canReach(node)) {
      this.#failCall(call, gone(call.actor))
      return
    }
    const dependencies = tasks.arguments(call.dependencies, call.args)
    if (dependencies === undefined) {
      // An argument was lost since it was looked at, and is being made again.
      this.#whenArguments(call.dependencies, method, (error) => {
        if (error !== undefined) this.#failCall(call, error)
        else this.#dispatch(next, node)
      })
      return
    }
    call.sentTo = node
    this.#options.send(node, {
      type: 'actor.call',
      actor: call.actor,
      incarnation: FIRST_ATTEMPT,
      caller,
      call: order,
      number: call.number,
      attempt: FIRST_ATTEMPT,
      method,
      numReturns: 1,
      dependencies,
      args: call.args,
      handOver: 0,
    })
  }

  /** Runs a call in the actor's worker, in its caller's order. */
  #run(
    owner: NodeId,
    callerKey: string,
    call: {
      readonly actor: ObjectId
      readonly number: number
      readonly method: string
      readonly dependencies: readonly (PlacedRef | TaskArgument)[]
      readonly args: EncodedValue
    },
    ended: (outcome: WorkOutcome, cpuMicros: number, position: number) => void,
  ): void {
    const actor = this.#hosted.get(formatObjectId(call.actor))
    if (actor === undefined) {
      ended({ kind: 'failed', error: gone(call.actor) }, 0, 0)
      return
    }
    const dependencies = call.dependencies.map((dependency) =>
      'object' in dependency ? { place: dependency.place, id: dependency.object.id } : dependency,
    )
    const start = (): void => {
      // It may have died while the call's arguments were on their way.
      if (this.#hosted.get(formatObjectId(call.actor)) !== actor) {
        ended({ kind: 'failed', error: gone(call.actor) }, 0, 0)
        return
      }
      const position = ++actor.position
      const work: Work = {
        kind: 'actor-call',
        id: { owner, number: call.number },
        attempt: FIRST_ATTEMPT,
        template: actor.template,
        method: call.method,
        depth: 0,
        dependencies,
        args: call.args,
        isGuest: owner !== this.#options.self,
        ended: (outcome, cpuMicros) => ended(asActorOutcome(outcome, call.actor), cpuMicros, position),
      }
      this.#options.workers.startIn(work, actor.worker)
    }
    this.#inOrder(actor, callerKey, dependencies, start)
  }

  #inOrder(actor: HostedActor, callerKey: string, dependencies: readonly PlacedRef[], start: () => void): void {
    const queue = actor.callers.get(callerKey)
    const isHere = dependencies.every(({ id }) => this.#options.objects.state(id).kind === 'here')
    if (queue === undefined && isHere) {
      start()
      return
    }
    const waiting = queue ?? new Queue<WaitingCall>()
    actor.callers.set(callerKey, waiting)
    waiting.push({ dependencies, start })
    if (queue !== undefined) return
    drain(
      waiting,
      (call, goOn) =>
        this.#whenAllHere(call.dependencies, () => {
          call.start()
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

  #endedHere(call: PendingCall, outcome: WorkOutcome): void {
    if (!this.#calls.has(call.number)) return
    const id = { owner: this.#options.self, number: call.number }
    if (outcome.kind !== 'values') {
      this.#failCall(call, outcome.error)
      return
    }
    const value = outcome.values[0]
    if (value !== undefined) this.#options.objects.storeHere(id, FIRST_ATTEMPT, value)
    this.#callDone(call, undefined)
  }

  #failCall(call: PendingCall, error: WireError): void {
    this.#options.objects.fail({ owner: this.#options.self, number: call.number }, error)
    this.#callDone(call, error)
  }

  #callDone(call: PendingCall, error: WireError | undefined): void {
    if (!this.#calls.delete(call.number)) return
    const { objects, tasks, self } = this.#options
    const node = call.sentTo ?? (call.startedAtMs === undefined ? undefined : self)
    tasks.ended.add(call, { name: call.name, resources: [] }, 'ACTOR_TASK', node, error)
    objects.release(call.actor)
    for (const { id } of call.dependencies) objects.release(id)
    for (const id of call.args.refs) objects.release(id)
  }

  /** For people who look: see state/actor-rows.ts. Nothing of it is kept. */
  view(): ActorsView {
    return {
      known: this.#known.values(),
      hosted: this.#hosted.values(),
      calls: this.#calls.values(),
      birthOf: (number) => this.#births.get(number)?.work,
      birthplaceOf: (id) => this.#birthplaces.get(formatObjectId(id)),
    }
  }
}

/** The value of an actor's own object: there is nothing in it. */
const CREATED: EncodedValue = { refs: [], body: new Uint8Array([0]), buffers: [] }

function gone(actor: ObjectId): WireError {
  return newWireError('actor-died', `the actor ${showId(actor)} is not alive`, { actorId: formatObjectId(actor) })
}

function asActorOutcome(outcome: WorkOutcome, actor: ObjectId): WorkOutcome {
  if (outcome.kind !== 'lost') return outcome
  return {
    kind: 'failed',
    error: { ...outcome.error, code: 'actor-died', actorId: formatObjectId(actor) },
  }
}

function placeMessage(actor: ObjectId, place: Place): NodeMessage {
  const told =
    place.kind === 'alive'
      ? ({ type: 'alive', node: place.node } as const)
      : place.kind === 'dead'
        ? ({ type: 'dead', error: place.error } as const)
        : ({ type: 'pending' } as const)
  return { type: 'actor.place', actor, incarnation: FIRST_ATTEMPT, place: told }
}

// Long because every route between the sides of an actor is listed here, and nowhere else.
import { formatObjectId, newWireError } from '@shoal/protocol'
import type {
  ActorFacts,
  Attempt,
  JobId,
  LedgerReport,
  NodeId,
  NodeMessage,
  ObjectId,
  RegisteredName,
  TaskResult,
  TaskYielded,
  WireError,
} from '@shoal/protocol'
import type { Reports } from '@shoal/control-store'
import type { Cancelling } from '../cancelled.ts'
import type { GuestRequest, Guests } from '../guests.ts'
import type { NodeHoldings } from '../node-options.ts'
import type { OwnTemplate } from '../own-task.ts'
import type { Streams } from '../streams.ts'
import type { Submission } from '../submitter.ts'
import type { ActorsView } from '../state/views.ts'
import { isOthers } from '../work.ts'
import type { Work } from '../work.ts'
import type { Run, Worker } from '../workers.ts'
import { ActorCalls } from './actor-calls.ts'
import type { CallRequest } from './actor-calls.ts'
import { gone } from './actor-errors.ts'
import { ActorNames } from './actor-names.ts'
import type { RoomNames } from './actor-names.ts'
import { ActorPlaces } from './actor-places.ts'
import type { ActorPlacesOptions } from './actor-places.ts'
import { fromWire, toWire } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { HostedActors } from './hosted-actors.ts'
import type { HostedActorsOptions } from './hosted-actors.ts'
import { OwnActors } from './own-actors.ts'
import type { OwnActorsOptions } from './own-actors.ts'

export type ActorsOptions = ActorPlacesOptions &
  Omit<HostedActorsOptions, 'died' | 'reserve' | 'sayToCaller' | 'checkpoint'> &
  Omit<OwnActorsOptions, 'places' | 'hosted' | 'claim' | 'releaseName'> & {
    readonly guests: Guests
    /** Cancels a call that an actor of this tab has been given. */
    cancelHere(id: ObjectId, how: Cancelling): void
    /** Those of this node's own ledger. */
    readonly streams: Streams
  }

/**
 * Actors, as a node has to do with them: it answers for some (`OwnActors`), some live in its workers (`HostedActors`), and
 * its page and tasks call some (`ActorCalls`), which each need to know where they are (`ActorPlaces`). Here is what goes
 * from one of these to another, and what messages and events are for which.
 */
export class Actors {
  readonly #options: ActorsOptions
  readonly #places: ActorPlaces
  readonly #hosted: HostedActors
  readonly #own: OwnActors
  readonly #calls: ActorCalls
  readonly #names: ActorNames

  constructor(options: ActorsOptions) {
    this.#options = options
    const { self, objects, tasks, streams, send, schedule } = options
    const sayToCaller = (to: NodeId, message: NodeMessage): void => {
      if (to === self) this.#calls.onHostMessage(self, message)
      else send(to, message)
    }
    const sayToHost = (to: NodeId, message: NodeMessage): void => {
      if (to === self) this.#hosted.onMessage(self, message)
      else send(to, message)
    }
    this.#places = new ActorPlaces({
      ...options,
      follow: (actor) => this.#calls.follow(actor),
      nothingKept: (actor, incarnation, node) =>
        sayToHost(node, { type: 'actor.kept', actor, incarnation, first: 1, order: [] }),
    })
    this.#hosted = new HostedActors({
      ...options,
      sayToCaller,
      checkpoint: (id, incarnation, checkpoint) => this.#tellCheckpoint(id, incarnation, checkpoint),
      reserve: (template, change, bundle) =>
        schedule({
          type: 'reserve',
          resources: template.held,
          change,
          isOthers: isOthers({ template }, self),
          ...(bundle !== undefined && { bundle }),
        }),
      died: (id, incarnation, error, isFinal, isCharged) => this.#sayStatus(id, incarnation, error, isFinal, isCharged),
    })
    this.#names = new ActorNames((id) => this.#own.nameLost(id))
    this.#own = new OwnActors({
      ...options,
      places: this.#places,
      hosted: this.#hosted,
      claim: (name, actor) => this.#names.claim(name, actor),
      releaseName: (name, actor) => this.#names.release(name, actor),
    })
    const { canReach, cancelHere } = options
    const [places, hosted] = [this.#places, this.#hosted]
    const countsRetries = options.guards.countsRetries ?? true
    const parts = { self, countsRetries, objects, tasks, streams, places, hosted }
    this.#calls = new ActorCalls({ ...parts, send, canReach, sayToHost, cancelHere })
  }

  holdings(): Pick<NodeHoldings, 'calls' | 'keptCalls' | 'actors' | 'ownActors' | 'actorPlaces'> {
    return {
      calls: this.#calls.count,
      keptCalls: this.#calls.keptCount,
      actors: this.#hosted.count,
      ownActors: this.#own.count,
      actorPlaces: this.#places.count,
    }
  }

  /** Actors of other tabs' jobs that live here. */
  get guestCount(): number {
    return this.#hosted.guestCount
  }

  /** Whether a call of the job that this tab drives has no outcome yet. */
  get hasOwnJob(): boolean {
    return this.#calls.hasOf(this.#options.self)
  }

  create(template: OwnTemplate, submission: Submission, job: JobId, depth: number): void {
    this.#own.create(template, submission, job, depth)
  }

  refuse(number: number, error: WireError): void {
    this.#own.refuse(number, error)
  }

  call(request: CallRequest): void {
    this.#calls.call(request)
  }

  cancel(id: ObjectId, how: Cancelling): void {
    this.#calls.cancel(id, how)
  }

  /** Calls that a run has made and that have no outcome. */
  callsOf(parent: ObjectId): ObjectId[] {
    return this.#calls.callsOf(parent)
  }

  /** A call whose arguments are on their way here is not to begin. */
  cancelWaiting(id: ObjectId): boolean {
    return this.#hosted.cancelWaiting(id)
  }

  kill(id: ObjectId, noRestart: boolean): void {
    const answerer = this.#options.answerer(id.owner)
    if (answerer === this.#options.self) this.#own.kill(id, noRestart)
    else if (this.#options.canReach(answerer))
      this.#options.send(answerer, { type: 'actor.kill', actor: id, noRestart })
  }

  /** The actor of that name, and what handles of it know; undefined when there is none, as far as is known here. */
  async find(name: RegisteredName): Promise<{ readonly id: ObjectId; readonly facts: ActorFacts } | undefined> {
    const id = await this.#names.find(name)
    if (id === undefined) return undefined
    const facts = await new Promise<ActorFacts | undefined>((resolve) => this.#places.whenFacts(id, resolve))
    return facts && { id, facts }
  }

  /** For people who look: see state/actor-rows.ts. Nothing of it is kept. */
  view(): ActorsView {
    return {
      own: this.#own.view(),
      hosted: this.#hosted.view(),
      calls: this.#calls.view(),
      birthOf: (id) => this.#own.birthOf(id),
      birthplaceOf: (id) => this.#own.birthplaceOf(id),
      placeOf: (id) => {
        const place = this.#places.of(id)
        return place.kind === 'same' ? undefined : place
      },
    }
  }

  /** See `HostedActors.endInBundles`. */
  endInBundles(...about: Parameters<HostedActors['endInBundles']>): void {
    this.#hosted.endInBundles(...about)
  }

  /** A scheduler effect: an actor is to be born on a peer. */
  sendTo(node: NodeId, work: Work): boolean {
    return this.#own.sendTo(node, work)
  }

  /** A worker has made its actor. Called before the work's own `ended`. */
  born(run: Run): void {
    this.#hosted.born(run)
  }

  onCreate(from: NodeId, message: NodeMessage & { type: 'actor.create' }): void {
    const { actor: id, incarnation } = message
    const request: GuestRequest = {
      ...message,
      kind: 'actor-new',
      owner: id.owner,
      number: id.number,
      attempt: incarnation,
      depth: 0,
      streamId: 0,
    }
    this.#options.guests.accept(from, request, (outcome) => {
      if (outcome.kind === 'values') this.#sayStatus(id, incarnation, undefined, false, false)
      else this.#sayStatus(id, incarnation, outcome.error, outcome.kind === 'failed', true)
    })
  }

  onMessage(from: NodeId, message: NodeMessage): boolean {
    if (this.#calls.onHostMessage(from, message) || this.#hosted.onMessage(from, message)) return true
    switch (message.type) {
      case 'actor.create':
        this.onCreate(from, message)
        return true
      case 'actor.status': {
        const { actor, incarnation, error, isFinal, isCharged } = message
        if (this.#isMine(actor)) this.#own.onStatus(from, actor, incarnation, error, isFinal, isCharged)
        return true
      }
      case 'actor.checkpoint': {
        const { objects } = this.#options
        const { actor, incarnation, dependencies } = message
        for (const { object } of dependencies) objects.fromDependency(from, object, true)
        if (this.#isMine(actor)) this.#own.onCheckpoint(from, actor, incarnation, fromWire(message))
        for (const { object } of dependencies) objects.release(object.id)
        return true
      }
      case 'actor.want':
        this.#places.onWant(from, message.actor)
        return true
      case 'actor.place':
        this.#places.onPlace(from, message)
        return true
      case 'actor.call':
        this.#hosted.onCall(from, message)
        return true
      case 'actor.end':
        if (this.#options.answerer(message.actor.owner) === from) this.#hosted.end(message)
        return true
      case 'actor.kill':
        this.kill(message.actor, message.noRestart)
        return true
      case 'actor.refused':
        this.#calls.onRefused(from, message.number, message.attempt)
        return true
      default:
        return false
    }
  }

  /** A peer will not make the actor and has not begun. False when it is none of these. */
  onRefused(from: NodeId, id: ObjectId, incarnation: Attempt, error: WireError | undefined): boolean {
    return this.#own.onRefused(from, id, incarnation, error)
  }

  /** The outcome of a call of ours that ran in another tab; false when it is no call. */
  onResult(from: NodeId, result: TaskResult): boolean {
    return this.#calls.onResult(from, result)
  }

  /** What a generator of such a call has yielded. */
  onYielded(from: NodeId, message: TaskYielded): boolean {
    return this.#calls.onYielded(from, message)
  }

  /** A worker says that its actor has ended in good order. */
  ended(worker: Worker): void {
    this.#hosted.ended(worker)
  }

  workerGone(worker: Worker, reason: string, wasBusy: boolean): void {
    this.#hosted.workerGone(worker, reason, wasBusy)
  }

  nodeAlive(node: NodeId): void {
    this.#places.nodeAlive(node)
    this.#calls.nodeAlive(node)
    this.#hosted.look()
  }

  /** See `ObjectsOptions.copyGone`. */
  copyGone(): void {
    this.#hosted.look()
  }

  nodeGone(node: NodeId): void {
    this.#places.nodeGone(node)
    this.#own.nodeGone(node)
    this.#calls.nodeGone(node)
    this.#hosted.nodeGone(node)
  }

  /** Nobody refers to the actor any more. */
  freed(id: ObjectId): void {
    this.#own.freed(id)
  }

  /** This tab has no handle any more of an actor that another node answers for. */
  dropped(id: ObjectId): void {
    this.#places.forget(id)
  }

  enterRoom(room: RoomNames): void {
    this.#names.enter(room)
  }

  /** `isBack`: in order to enter again. */
  leaveRoom(isBack: boolean): void {
    this.#names.leave(isBack)
  }

  nameLost(id: ObjectId): void {
    this.#names.lost(id)
  }

  /** Actors of a ledger that live here. */
  hostedOf(owner: NodeId): LedgerReport['actors'] {
    return this.#hosted.of(owner)
  }

  /** Owners of actors that live here or that somebody here waits for. */
  owners(): Set<NodeId> {
    return new Set([...this.#hosted.owners(), ...this.#places.owners()])
  }

  specOf(id: ObjectId): ReturnType<OwnActors['specOf']> {
    return this.#own.specOf(id)
  }

  hasDetached(owner: NodeId): boolean {
    return this.#own.hasDetached(owner)
  }

  /** Whether this node answers for the actor. */
  has(id: ObjectId): boolean {
    return this.#own.has(id)
  }

  /** Actors of a ledger that this node answers for. */
  numbersOf(owner: NodeId): number[] {
    return this.#own.numbersOf(owner)
  }

  /** See `OwnActors.recover`. */
  recover(...about: Parameters<OwnActors['recover']>): void {
    this.#own.recover(...about)
  }

  /** Another node answers for the ledger: it is asked where its actors are. */
  moved(owner: NodeId): void {
    if (this.#options.answerer(owner) === this.#options.self) this.#own.asks(owner)
    else this.#own.deposed(owner)
    this.#places.moved(owner)
    this.#hosted.moved(owner)
  }

  /** Records of actors have come to successors, or there are others. */
  recorded(): void {
    this.#own.recorded()
  }

  /** Another node has a copy of an object of this one's. */
  onHeld(id: ObjectId, node: NodeId): void {
    this.#hosted.onHeld(id, node)
  }

  restoreCalls(runs: Reports['runs']): void {
    this.#calls.restore(runs)
  }

  /** All reports about the ledger are in: what nobody hosts, and nobody knows how to make, is gone. */
  takenOver(owner: NodeId): void {
    this.#places.over(owner, (id) => this.#own.has(id), gone)
  }

  /** Nobody can call the ledger's actors any more. */
  ledgerOver(owner: NodeId): void {
    const error = newWireError('owner-died', `the tab ${owner.slice(0, 8)} that owned this actor is gone`, {
      nodeId: owner,
    })
    this.#hosted.endWhere(({ id }) => id.owner === owner, error)
    this.#hosted.ledgerOver(owner)
    this.#places.over(
      owner,
      () => false,
      (id) => ({ ...error, code: 'actor-died', actorId: formatObjectId(id) }),
    )
  }

  /** The driver of a job is gone: its actors go too, but for detached ones. */
  jobGone(driver: NodeId, error: WireError): void {
    this.#own.jobGone(driver, error)
    this.#hosted.endWhere(
      ({ template }) => template.job.driver === driver && template.actor?.isDetached !== true,
      error,
    )
  }

  /** This tab was given up by its room: its actors of others' are dead to them. */
  suspended(error: WireError): void {
    this.#hosted.endWhere(({ id }) => id.owner !== this.#options.self, error)
    this.#places.suspended()
  }

  failAll(error: WireError): void {
    this.#calls.failAll(error)
    this.#own.failAll(error)
    this.#hosted.endWhere(() => true, error)
  }

  #tellCheckpoint(actor: ObjectId, incarnation: Attempt, checkpoint: Checkpoint): void {
    const { self, answerer, objects, send } = this.#options
    const to = answerer(actor.owner)
    if (to === self) {
      this.#own.onCheckpoint(self, actor, incarnation, checkpoint)
      return
    }
    const told = toWire(objects, checkpoint)
    if (told !== undefined) send(to, { type: 'actor.checkpoint', actor, incarnation, ...told, handOver: 0 })
  }

  #isMine(id: ObjectId): boolean {
    return this.#options.answerer(id.owner) === this.#options.self
  }

  #sayStatus(
    actor: ObjectId,
    incarnation: Attempt,
    error: WireError | undefined,
    isFinal: boolean,
    isCharged: boolean,
  ): void {
    const { self, answerer, send } = this.#options
    const to = answerer(actor.owner)
    if (to === self) this.#own.onStatus(self, actor, incarnation, error, isFinal, isCharged)
    else send(to, { type: 'actor.status', actor, incarnation, error, isFinal, isCharged })
  }
}

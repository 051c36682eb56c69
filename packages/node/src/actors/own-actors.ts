// Long because an actor's whole life, made and lost and made again, is decided here and nowhere else.
import { must } from '@shoal/base'
import { compareAttempts, FIRST_ATTEMPT, formatObjectId, newWireError, showId } from '@shoal/protocol'
import type {
  ActorOptionsRecord,
  Attempt,
  EncodedValue,
  JobId,
  LedgerRecord,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacedRef,
  RegisteredName,
  WireError,
} from '@shoal/protocol'
import type { SchedulerEvent } from '@shoal/scheduler'
import type { NodeGuards } from '../node-options.ts'
import type { Objects } from '../objects.ts'
import type { JobTemplate, OwnTemplate } from '../own-task.ts'
import type { OwnTasks } from '../own-tasks.ts'
import type { Submission } from '../submitter.ts'
import type { Work, WorkOutcome } from '../work.ts'
import { actorDied, gone, tabGone } from './actor-errors.ts'
import { checkpointRefs, toWire } from './checkpoint.ts'
import type { Checkpoint, Revival } from './checkpoint.ts'
import type { ActorPlaces, Place } from './actor-places.ts'
import type { HostedActors } from './hosted-actors.ts'
import type { ActorView } from '../state/views.ts'

/** What an actor is made of, and made of again. */
interface ActorSpec {
  readonly template: OwnTemplate
  readonly job: JobId
  readonly depth: number
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  readonly options: ActorOptionsRecord
}

/** What the ledger's record of an actor says. */
export type ActorRecordBody = LedgerRecord['body'] & { type: 'actor' }

type State =
  /** Its name is claimed, or its arguments and its code are not there yet. */
  | { readonly kind: 'waiting' }
  /** Queued, in its constructor here, or sent to `node`. */
  | {
      readonly kind: 'creating'
      readonly work: Work
      readonly template: JobTemplate
      readonly node: NodeId | undefined
    }
  | { readonly kind: 'alive'; readonly node: NodeId }
  | { readonly kind: 'same' }
  | { readonly kind: 'dead' }

interface OwnedActor {
  readonly id: ObjectId
  /** Undefined for one that was taken over of which nobody had the record: it is not made again. */
  readonly spec: ActorSpec | undefined
  readonly createdAtMs: number
  incarnation: Attempt
  restarts: number
  state: State
  /** Its constructor's arguments are kept for it. */
  isPinned: boolean
  hasName: boolean
  /** Its next incarnation begins with it. */
  checkpoint: Checkpoint | undefined
  /** Who may have called it before it was made again. */
  callers: readonly NodeId[]
  /** It was to be killed so often and made again, since it was made last. */
  kills: number
  /** Its host has said that it lives since all were asked last. */
  isHeard: boolean
}

export interface OwnActorsOptions {
  readonly self: NodeId
  readonly guards: Partial<NodeGuards>
  readonly objects: Objects
  readonly tasks: Pick<OwnTasks, 'whenReady' | 'readyTask' | 'mayLeave' | 'arguments' | 'now' | 'ended'>
  readonly places: ActorPlaces
  readonly hosted: HostedActors
  schedule(event: SchedulerEvent<Work>): void
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  introduce(to: NodeId, template: JobTemplate): void
  /** Of the ledger: incarnations are numbered within it. */
  epochOf(owner: NodeId): number
  answerer(owner: NodeId): NodeId
  /** What there is to say of an actor in its ledger's record has changed. `outlives`: it is to survive its owner. */
  changed(id: ObjectId, outlives: boolean): void
  /** A successor has all that there is to say of it, or there is none. */
  isRecorded(id: ObjectId): boolean
  /** Everybody in the room, as far as this node knows. */
  alive(): readonly NodeId[]
  /** Claims a name for an actor; undefined: it has it, else who does. Rejects when no claim can be answered. */
  claim(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined>
  releaseName(name: RegisteredName, actor: ObjectId): void
}

/**
 * The actors that this node answers for, its own and those of ledgers that it took over: has them made, knows where they
 * live, has them made again as often as they may be, and ends them when nobody has a handle.
 * An actor is waiting -> creating -> alive -> (lost) -> waiting, as its next incarnation -> ... -> dead; with a name that was
 * taken it is the same as who has it.
 */
export class OwnActors {
  readonly #options: OwnActorsOptions
  readonly #actors = new Map<string, OwnedActor>()
  readonly #works = new WeakMap<Work, OwnedActor>()
  /** Their hosts have not been told that their checkpoints are kept. */
  readonly #unrecorded = new Set<OwnedActor>()
  /** Births that a peer was asked for and has not answered, whatever has become of the actor since. */
  readonly #births = new Map<string, { readonly node: NodeId; readonly id: ObjectId }>()

  constructor(options: OwnActorsOptions) {
    this.#options = options
  }

  /** Those of which anything is known. */
  get count(): number {
    return this.#actors.size
  }

  create(template: OwnTemplate, submission: Submission, job: JobId, depth: number): void {
    const { number, dependencies, args } = submission
    const options = must(template.definition.actor, 'an actor without options')
    const id = { owner: this.#options.self, number }
    const actor = this.#add(id, { template, job, depth, dependencies, args, options }, FIRST_ATTEMPT, 0)
    this.#say(actor, { kind: 'pending' })
    const { registered } = options
    if (registered === undefined) {
      this.#make(actor)
      return
    }
    this.#options.claim(registered, id).then(
      (holder) => this.#named(actor, registered, holder),
      (error: unknown) => this.#die(actor, newWireError('actor-died', String(error))),
    )
  }

  /** The actor may not be made: every call of its handle fails with the same error. */
  refuse(number: number, error: WireError): void {
    const id = { owner: this.#options.self, number }
    this.#options.objects.fail(id, error)
    this.#options.places.set(id, FIRST_ATTEMPT, { kind: 'dead', error }, undefined)
  }

  /** A scheduler effect: the actor is to be born on a peer. False: it is not any more. */
  sendTo(node: NodeId, work: Work): boolean {
    const actor = this.#works.get(work)
    if (actor?.state.kind !== 'creating' || actor.state.work !== work) return false
    // Somebody else answers for it by now.
    if (!this.#isKnown(actor)) return false
    const { template } = actor.state
    const { tasks } = this.#options
    const dependencies = tasks.mayLeave(template) ? tasks.arguments(work.dependencies, work.args) : undefined
    if (dependencies === undefined) {
      // An argument was lost since the actor could be born, and is being made again: the credit goes back.
      this.#options.send(node, { type: 'credit.return', shape: template.work.shape, count: 1 })
      this.#options.schedule({ type: 'sent-ended', node, kind: '', ms: undefined })
      this.#make(actor)
      return true
    }
    const { checkpoint } = actor
    const told = work.revival && checkpoint && toWire(this.#options.objects, checkpoint)
    const revival = work.revival && { callers: [...work.revival.callers], checkpoint: told }
    actor.state = { kind: 'creating', work, template, node }
    this.#births.set(birthKey(node, actor.id, work.attempt), { node, id: actor.id })
    this.#options.introduce(node, template)
    this.#options.send(node, {
      type: 'actor.create',
      template: template.wire,
      actor: actor.id,
      incarnation: work.attempt,
      dependencies,
      args: work.args,
      revival,
      handOver: 0,
    })
    return true
  }

  /** A host's checkpoint of an actor that lives there: it is told as soon as a successor has it too. */
  onCheckpoint(from: NodeId, id: ObjectId, incarnation: Attempt, checkpoint: Checkpoint): void {
    const actor = this.#actors.get(formatObjectId(id))
    // From the instant that another incarnation is to be made nothing of this one is taken.
    if (actor === undefined || compareAttempts(actor.incarnation, incarnation) !== 0) return
    if (actor.state.kind !== 'alive' || actor.state.node !== from) return
    this.#keep(actor, checkpoint)
    this.#unrecorded.add(actor)
    this.recorded()
  }

  /** The later of two checkpoints; `isOfLater`: it is a later incarnation's, whatever its position is. */
  #keep(actor: OwnedActor, checkpoint: Checkpoint | undefined, isOfLater = false): void {
    const former = actor.checkpoint
    const isBehind = checkpoint !== undefined && former !== undefined && checkpoint.position <= former.position
    if (isBehind && !isOfLater) return
    const { objects } = this.#options
    for (const id of checkpointRefs(checkpoint)) objects.retain(id)
    actor.checkpoint = checkpoint
    for (const id of checkpointRefs(former)) objects.release(id)
    if (checkpoint !== undefined) this.#options.changed(actor.id, true)
  }

  /** Records have come to successors, or there are others. */
  recorded(): void {
    for (const actor of this.#unrecorded) {
      const { id, incarnation, state, checkpoint } = actor
      if (state.kind === 'alive' && !this.#options.isRecorded(id)) continue
      this.#unrecorded.delete(actor)
      if (state.kind !== 'alive' || checkpoint === undefined) continue
      const { position } = checkpoint
      const message = { type: 'actor.checkpointed', actor: id, incarnation, position } as const
      if (state.node === this.#options.self) this.#options.hosted.onMessage(state.node, message)
      else this.#options.send(state.node, message)
    }
  }

  /** A host's word, this node's own too. */
  onStatus(
    from: NodeId,
    id: ObjectId,
    incarnation: Attempt,
    error: WireError | undefined,
    isFinal: boolean,
    isCharged: boolean,
  ): void {
    if (this.#births.delete(birthKey(from, id, incarnation)))
      this.#options.schedule({ type: 'sent-ended', node: from, kind: '', ms: undefined })
    const actor = this.#actors.get(formatObjectId(id))
    const isPresent = actor !== undefined && compareAttempts(actor.incarnation, incarnation) === 0
    if (!isPresent || !isAt(actor.state, from, this.#options.self)) {
      // Nobody answers to it any more: it is a former incarnation, or was killed or freed while it was born.
      if (error === undefined) this.#endFork(from, id, incarnation)
      return
    }
    if (error === undefined) this.#lives(actor, from)
    else if (isFinal) {
      // It ended by itself.
      if (error.code === 'actor-died') this.#options.objects.told(error)
      this.#die(actor, error)
    } else this.#lost(actor, error, isCharged)
  }

  /** A peer will not make the actor and has not begun; without an error another may. */
  onRefused(from: NodeId, id: ObjectId, incarnation: Attempt, error: WireError | undefined): boolean {
    this.#births.delete(birthKey(from, id, incarnation))
    const actor = this.#actors.get(formatObjectId(id))
    if (actor === undefined || compareAttempts(actor.incarnation, incarnation) !== 0) return false
    if (actor.state.kind !== 'creating' || actor.state.node !== from) return false
    if (error === undefined) this.#make(actor)
    else this.#die(actor, error)
    return true
  }

  nodeGone(node: NodeId): void {
    for (const [key, birth] of this.#births) if (birth.node === node) this.#births.delete(key)
    for (const actor of [...this.#actors.values()]) {
      const { state } = actor
      const isThere = (state.kind === 'alive' || state.kind === 'creating') && state.node === node
      if (isThere) this.#lost(actor, tabGone(actor.id, node), true)
    }
  }

  /** Somebody with a handle wants it ended. */
  kill(id: ObjectId, noRestart: boolean): void {
    const actor = this.#actors.get(formatObjectId(id))
    if (actor === undefined) return
    if (actor.state.kind === 'same') {
      const place = this.#options.places.of(id)
      if (place.kind === 'same') this.#killElsewhere(place.as, noRestart)
      return
    }
    const error = killed(id)
    // Whoever asked for it knows.
    this.#options.objects.told(error)
    const former = { ...actor }
    if (!noRestart && actor.state.kind === 'alive' && this.#restartsLeft(actor) > 0) {
      // Its host says when it has ended: two incarnations never run at once.
      if (++actor.kills === 1) this.#endIncarnation(actor, 'kill', error)
      return
    }
    if (noRestart) this.#die(actor, error)
    // Nothing of it has begun that would have to begin again.
    else if (actor.state.kind === 'waiting' && this.#restartsLeft(actor) > 0) actor.restarts++
    else this.#lost(actor, error, true)
    // Last: how a birth ends that is under way is a former incarnation's then, and decides nothing.
    this.#endIncarnation(former, 'kill', error)
  }

  #killElsewhere(id: ObjectId, noRestart: boolean): void {
    const { self, answerer, send } = this.#options
    const to = answerer(id.owner)
    if (to === self) this.kill(id, noRestart)
    else send(to, { type: 'actor.kill', actor: id, noRestart })
  }

  /** Its last handle is gone, and no call is without its outcome. */
  freed(id: ObjectId): void {
    const key = formatObjectId(id)
    const actor = this.#actors.get(key)
    if (actor === undefined) {
      // One that was refused has a place all the same, and is dead there.
      this.#options.places.forget(id)
      return
    }
    if (actor.spec?.options.isDetached === true && actor.state.kind !== 'dead') return
    const error = newWireError('actor-died', `nobody has a handle of the actor ${showId(id)} any more`, {
      actorId: key,
    })
    this.#endIncarnation(actor, 'terminate', error)
    this.#actors.delete(key)
    this.#letGo(actor)
    this.#keep(actor, undefined)
    // A call that came in just as it ended has its answer, too.
    this.#say(actor, { kind: 'dead', error })
    this.#options.places.forget(id)
  }

  /** The driver of a job is gone: its actors go too, but for detached ones. */
  jobGone(driver: NodeId, error: WireError): void {
    for (const actor of [...this.#actors.values()]) {
      if (actor.spec?.job.driver !== driver || actor.spec.options.isDetached) continue
      this.#endIncarnation(actor, 'kill', error)
      this.#die(actor, error)
    }
  }

  failAll(error: WireError): void {
    for (const actor of [...this.#actors.values()]) this.#die(actor, error)
  }

  /** After a partition its name is another's: it goes on without one. */
  nameLost(id: ObjectId): void {
    const actor = this.#actors.get(formatObjectId(id))
    if (actor !== undefined) actor.hasName = false
  }

  /** Whether this node answers for the actor. */
  has(id: ObjectId): boolean {
    return this.#actors.has(formatObjectId(id))
  }

  numbersOf(owner: NodeId): number[] {
    return [...this.#actors.values()].flatMap(({ id }) => (id.owner === owner ? [id.number] : []))
  }

  /** Detached actors of a ledger that live: it goes on for their sake. */
  hasDetached(owner: NodeId): boolean {
    for (const { id, spec, state } of this.#actors.values())
      if (id.owner === owner && spec?.options.isDetached === true && state.kind !== 'dead') return true
    return false
  }

  /** For people who look: see state/actor-rows.ts. Nothing of it is kept. */
  *view(): Generator<ActorView> {
    for (const { id, spec, incarnation, restarts, state, createdAtMs, hasName } of this.#actors.values()) {
      const place = this.#options.places.of(id)
      if (place.kind === 'same') continue
      const made = spec && { ...spec.template, job: spec.job, dependencies: spec.dependencies, createdAtMs }
      const name = hasName && state.kind !== 'dead' ? spec?.options.registered?.name : undefined
      yield { id, place, made, incarnation, restarts, name }
    }
  }

  birthOf(id: ObjectId): Work | undefined {
    const state = this.#actors.get(formatObjectId(id))?.state
    return state?.kind === 'creating' ? state.work : undefined
  }

  birthplaceOf(id: ObjectId): NodeId | undefined {
    const state = this.#actors.get(formatObjectId(id))?.state
    return state?.kind === 'creating' ? state.node : undefined
  }

  /** What the ledger's record of an actor says; undefined for what is none, or whose code may not leave this tab. */
  specOf(
    id: ObjectId,
  ): { readonly attempt: Attempt; readonly body: ActorRecordBody; readonly spec: ActorSpec } | undefined {
    const actor = this.#actors.get(formatObjectId(id))
    if (actor?.spec === undefined || actor.state.kind === 'dead' || actor.state.kind === 'same') return undefined
    const { incarnation, restarts, spec, checkpoint } = actor
    const { depth, dependencies, args } = spec
    const body: ActorRecordBody = {
      type: 'actor',
      template: 0,
      depth,
      restarts,
      dependencies: [...dependencies],
      args,
      checkpoint: checkpoint && {
        ...checkpoint,
        executed: [...checkpoint.executed],
        dependencies: [...checkpoint.dependencies],
      },
    }
    return { attempt: incarnation, body, spec }
  }

  /** Everybody is asked what there is of the ledger: what is said from now on is not in the reports. */
  asks(owner: NodeId): void {
    for (const actor of this.#actors.values()) if (actor.id.owner === owner) actor.isHeard = false
  }

  /**
   * This node has taken a ledger over, or its own back: the actor lives where its hosts say, the latest incarnation of those;
   * of none it is made again, if it may be.
   */
  recover(
    id: ObjectId,
    record:
      | {
          readonly attempt: Attempt
          readonly body: ActorRecordBody
          readonly template: OwnTemplate
          readonly job: JobId
        }
      | undefined,
    hosts: readonly { readonly node: NodeId; readonly incarnation: Attempt }[],
  ): void {
    const known = this.#actors.get(formatObjectId(id))
    const actor = known ?? this.#adopt(id, record)
    // One that lived here may have been made again meanwhile, and be lost since.
    const isFormer = record !== undefined && this.#learn(actor, record)
    const isOver = actor.state.kind === 'dead' || actor.state.kind === 'same'
    const present = [...hosts].sort((a, b) => compareAttempts(b.incarnation, a.incarnation))
    const isLatest = ({ incarnation }: { readonly incarnation: Attempt }): boolean =>
      compareAttempts(incarnation, actor.incarnation) >= 0
    const first = present[0] !== undefined && !isOver && isLatest(present[0]) ? present.shift() : undefined
    if (first !== undefined) {
      actor.incarnation = first.incarnation
      this.#lives(actor, first.node)
    }
    // Of one of these that lives here the end is heard at once: it is to be known by then that it is another's.
    for (const { node, incarnation } of present) this.#endFork(node, id, incarnation)
    const isGone = known === undefined || isFormer || isLost(known)
    if (!isOver && first === undefined && isGone) this.#lost(actor, gone(id), true)
  }

  /** What its record says that this node did not know: others answered for it meanwhile. @returns of a later incarnation */
  #learn(actor: OwnedActor, { attempt, body }: { readonly attempt: Attempt; readonly body: ActorRecordBody }): boolean {
    const { checkpoint, restarts } = body
    const order = compareAttempts(attempt, actor.incarnation)
    if (order < 0) return false
    actor.incarnation = attempt
    actor.restarts = Math.max(actor.restarts, restarts)
    if (checkpoint !== undefined) {
      this.#options.objects.adopt(checkpointRefs(checkpoint))
      // Further on than that may be what a former incarnation told here alone, when it was another already.
      this.#keep(actor, checkpoint, order > 0)
    }
    return order > 0
  }

  /** This node answers for the ledger no more. */
  deposed(owner: NodeId): void {
    this.#unheard(owner)
    for (const [key, actor] of [...this.#actors]) {
      if (actor.id.owner !== owner || owner === this.#options.self) continue
      this.#actors.delete(key)
      this.#pin(actor, false)
      this.#keep(actor, undefined)
    }
  }

  /** Births of a ledger's actors that are told to somebody else, if they are told at all. */
  #unheard(owner: NodeId): void {
    for (const [key, { node, id }] of this.#births)
      if (id.owner === owner) {
        this.#births.delete(key)
        this.#options.schedule({ type: 'sent-ended', node, kind: '', ms: undefined })
      }
  }

  #adopt(id: ObjectId, record: Parameters<OwnActors['recover']>[1]): OwnedActor {
    const options = record?.template.definition.actor
    if (record === undefined || options === undefined) return this.#add(id, undefined, FIRST_ATTEMPT, 0)
    const { body, template, job, attempt } = record
    const { depth, dependencies, args, restarts } = body
    this.#options.objects.adopt([...dependencies.map((dependency) => dependency.id), ...args.refs])
    const actor = this.#add(id, { template, job, depth, dependencies, args, options }, attempt, restarts)
    const { registered } = options
    if (registered !== undefined)
      this.#options.claim(registered, id).then(
        (holder) => (actor.hasName = holder === undefined),
        () => undefined,
      )
    return actor
  }

  #add(id: ObjectId, spec: ActorSpec | undefined, incarnation: Attempt, restarts: number): OwnedActor {
    const state = { kind: 'waiting' } as const
    const createdAtMs = this.#options.tasks.now()
    const flags = { isPinned: false, hasName: false, isHeard: false }
    const made = { checkpoint: undefined, callers: [], kills: 0 }
    const actor: OwnedActor = { id, spec, createdAtMs, incarnation, restarts, state, ...flags, ...made }
    this.#actors.set(formatObjectId(id), actor)
    this.#pin(actor, true)
    return actor
  }

  #named(actor: OwnedActor, name: RegisteredName, holder: ObjectId | undefined): void {
    if (this.#actors.get(formatObjectId(actor.id)) !== actor || actor.state.kind !== 'waiting') {
      if (holder === undefined) this.#options.releaseName(name, actor.id)
      return
    }
    if (holder === undefined) {
      actor.hasName = true
      this.#make(actor)
    } else if (actor.spec?.options.getIfExists === true) {
      actor.state = { kind: 'same' }
      this.#pin(actor, false)
      this.#say(actor, { kind: 'same', as: holder })
      this.#options.objects.storeHere(actor.id, FIRST_ATTEMPT, CREATED)
    } else {
      const where = name.namespace === '' ? '' : ` in the namespace ${name.namespace}`
      this.#die(actor, newWireError('actor-died', `the name ${name.name} is taken${where}`))
    }
  }

  /** Has the present incarnation made, once arguments and code are there. */
  #make(actor: OwnedActor): void {
    const spec = must(actor.spec)
    actor.state = WAITING
    const { incarnation, checkpoint } = actor
    const dependencies = [...spec.dependencies, ...(checkpoint?.dependencies ?? [])]
    this.#options.tasks.whenReady({ ...spec, dependencies }, (template, error) => {
      if (actor.state !== WAITING || actor.incarnation !== incarnation || !this.#isKnown(actor)) return
      if (template === undefined) {
        this.#die(actor, must(error))
        return
      }
      const { depth, dependencies, args } = spec
      const work: Work = {
        kind: 'actor-new',
        id: actor.id,
        attempt: incarnation,
        template: template.work,
        method: '',
        depth,
        dependencies,
        args,
        isGuest: false,
        revival: this.#revival(actor),
        ended: (outcome) => this.#bornHere(actor, work, outcome),
      }
      this.#works.set(work, actor)
      actor.state = { kind: 'creating', work, template, node: undefined }
      this.#options.schedule({
        type: 'ready',
        task: this.#options.tasks.readyTask(work, template),
        shape: template.work.shape,
      })
    })
  }

  /** What it is made again with, where it has checkpoints. */
  #revival(actor: OwnedActor): Revival | undefined {
    const { id, spec, incarnation, checkpoint } = actor
    const isFirst = compareAttempts(incarnation, FIRST_ATTEMPT) === 0
    if (isFirst || spec?.options.facts.checkpointEveryCalls === 0) return undefined
    const { self, places, alive, epochOf } = this.#options
    // Who asked somebody else before a take-over may not have asked this node yet.
    const others = epochOf(id.owner) === 0 ? [] : alive()
    actor.callers = [...new Set([self, ...places.watchersOf(id), ...others])]
    return { callers: actor.callers, checkpoint }
  }

  #bornHere(actor: OwnedActor, work: Work, outcome: WorkOutcome): void {
    const { self } = this.#options
    if (!this.#isKnown(actor) || actor.state.kind !== 'creating' || actor.state.work !== work) {
      if (outcome.kind === 'values') this.#end(self, work.id, work.attempt, 'kill', gone(work.id))
      return
    }
    if (outcome.kind === 'values') this.#lives(actor, self)
    else if (outcome.kind === 'lost') this.#lost(actor, outcome.error, true)
    else this.#die(actor, outcome.error)
  }

  #lives(actor: OwnedActor, node: NodeId): void {
    this.#remember(actor, node, undefined)
    actor.state = { kind: 'alive', node }
    actor.isHeard = true
    // What can be made again needs its arguments for that.
    if (this.#restartsLeft(actor) <= 0) this.#pin(actor, false)
    if (actor.callers.length > 0) this.#options.places.addWatchers(actor.id, actor.callers)
    this.#say(actor, { kind: 'alive', node })
    this.#options.changed(actor.id, actor.spec?.options.isDetached === true)
    // Its host was told in vain, while this tab was away.
    if (actor.kills > 0) this.#endIncarnation(actor, 'kill', killed(actor.id))
    // Last: if nobody has a handle any more, it ends here.
    this.#options.objects.storeHere(actor.id, actor.incarnation, CREATED)
  }

  /** Its worker or tab is gone: it is made again, or dead. */
  #lost(actor: OwnedActor, error: WireError, isCharged: boolean): void {
    const { spec, kills } = actor
    actor.kills = 0
    if (spec === undefined || this.#restartsLeft(actor) <= 0) {
      this.#die(actor, error)
      return
    }
    if (isCharged) actor.restarts++
    const epoch = this.#options.epochOf(actor.id.owner)
    actor.incarnation = { epoch, number: actor.incarnation.epoch === epoch ? actor.incarnation.number + 1 : 0 }
    this.#say(actor, { kind: 'pending' })
    this.#options.changed(actor.id, false)
    this.#make(actor)
    for (let more = kills - 1; more > 0; more--) this.kill(actor.id, false)
  }

  /** Its constructor's run is over. */
  #remember(
    { id, spec, incarnation, createdAtMs }: OwnedActor,
    node: NodeId | undefined,
    error: WireError | undefined,
  ): void {
    if (spec === undefined) return
    const task = {
      number: id.number,
      job: spec.job,
      attempt: incarnation,
      createdAtMs,
      startedAtMs: undefined,
      actor: id,
    }
    this.#options.tasks.ended.add(task, spec.template.definition, 'ACTOR_CREATION_TASK', node, error)
  }

  #restartsLeft({ spec, restarts }: OwnedActor): number {
    if (this.#options.guards.countsRestarts === false) return Infinity
    return spec === undefined ? 0 : spec.options.maxRestarts - restarts
  }

  /** Dead for good; what its constructor threw comes with every call. */
  #die(actor: OwnedActor, cause: WireError): void {
    if (actor.state.kind === 'dead') return
    if (actor.state.kind !== 'alive') this.#remember(actor, undefined, cause)
    actor.state = { kind: 'dead' }
    this.#letGo(actor)
    this.#keep(actor, undefined)
    const error = actorDied(actor.id, cause)
    this.#say(actor, { kind: 'dead', error })
    this.#options.changed(actor.id, false)
    this.#options.objects.fail(actor.id, error)
    // A detached one was not ended when its last handle went; nobody asks for it now.
    if (!this.#options.objects.isKnown(actor.id)) this.freed(actor.id)
  }

  #letGo(actor: OwnedActor): void {
    this.#pin(actor, false)
    const registered = actor.spec?.options.registered
    if (actor.hasName && registered !== undefined) this.#options.releaseName(registered, actor.id)
    actor.hasName = false
  }

  #endIncarnation(actor: OwnedActor, how: 'kill' | 'terminate', error: WireError): void {
    const { id, incarnation, state } = actor
    if (state.kind === 'creating') {
      // What its birth comes to counts no more.
      actor.state = WAITING
      this.#end(state.node ?? this.#options.self, id, incarnation, 'kill', error)
    } else if (state.kind === 'alive') this.#end(state.node, id, incarnation, how, error)
  }

  /** One that is not what whoever answers takes the actor to be. */
  #endFork(node: NodeId, id: ObjectId, incarnation: Attempt): void {
    if (this.#options.guards.endsForks !== false) this.#end(node, id, incarnation, 'kill', gone(id))
  }

  #end(node: NodeId, actor: ObjectId, incarnation: Attempt, how: 'kill' | 'terminate', error: WireError): void {
    if (node === this.#options.self) this.#options.hosted.end({ actor, incarnation, how, error })
    else if (this.#options.canReach(node))
      this.#options.send(node, { type: 'actor.end', actor, incarnation, how, error })
  }

  #say({ id, incarnation, spec }: OwnedActor, place: Place): void {
    this.#options.places.set(id, incarnation, place, spec?.options.facts)
  }

  #isKnown(actor: OwnedActor): boolean {
    return this.#actors.get(formatObjectId(actor.id)) === actor
  }

  /** Arguments stay while it may be made. */
  #pin(actor: OwnedActor, isOn: boolean): void {
    const { spec, isPinned } = actor
    if (spec === undefined || isPinned === isOn) return
    actor.isPinned = isOn
    const { objects } = this.#options
    for (const id of [...spec.dependencies.map((dependency) => dependency.id), ...spec.args.refs])
      if (isOn) objects.retain(id)
      else objects.release(id)
  }
}

const WAITING: State = { kind: 'waiting' }

/** The value of an actor's own object: there is nothing in it. */
const CREATED: EncodedValue = { refs: [], body: new Uint8Array([0]), buffers: [] }

function killed(id: ObjectId): WireError {
  return newWireError('actor-died', `the actor ${showId(id)} was killed by kill()`, { actorId: formatObjectId(id) })
}

/** Of one that nobody hosts, as far as the reports say: what was to be made here still is. */
function isLost({ state, isHeard }: OwnedActor): boolean {
  if (state.kind === 'alive') return !isHeard
  return state.kind === 'creating' && state.node !== undefined
}

function birthKey(node: NodeId, id: ObjectId, { epoch, number }: Attempt): string {
  return `${node} ${formatObjectId(id)} ${epoch} ${number}`
}

function isAt(state: State, node: NodeId, self: NodeId): boolean {
  if (state.kind === 'alive') return state.node === node
  return state.kind === 'creating' && (state.node ?? self) === node
}

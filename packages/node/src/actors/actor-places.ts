import { compareAttempts, FIRST_ATTEMPT, formatObjectId } from '@shoal/protocol'
import type { ActorFacts, ActorPlace, Attempt, NodeId, NodeMessage, ObjectId, WireError } from '@shoal/protocol'
import type { Objects } from '../objects.ts'
import { gone } from './actor-errors.ts'

/** Where an actor is. */
export type Place =
  /** Not made yet, or being made again, or nobody has said. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'alive'; readonly node: NodeId }
  /** Its name was taken: calls go to the actor that has it. */
  | { readonly kind: 'same'; readonly as: ObjectId }
  | { readonly kind: 'dead'; readonly error: WireError }

interface Known {
  readonly id: ObjectId
  place: Place
  incarnation: Attempt
  facts: ActorFacts | undefined
  /** Whoever answers for it was asked, and tells of each change from then on. */
  isAsked: boolean
  /** Other nodes that are told of each change; of actors that this one answers for. */
  readonly watchers: Set<NodeId>
  waiting: Waiter[]
}

interface Waiter {
  /** Of that incarnation nothing is expected any more; undefined: any will do. */
  readonly past: Attempt | undefined
  /** Who asked first: a call that is made again goes before those that were made after it and wait already. */
  readonly order: number
  callback(place: Place, incarnation: Attempt): void
}

export interface ActorPlacesOptions {
  readonly self: NodeId
  readonly objects: Pick<Objects, 'isKnown'>
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
  /** Who answers for an owner's actors. */
  answerer(owner: NodeId): NodeId
  /** An actor with checkpoints has a place. */
  follow?(actor: ObjectId): void
  /** Another lives at `node`, with which nobody here has to do. */
  nothingKept?(actor: ObjectId, incarnation: Attempt, node: NodeId): void
  /** Whether this node answers for the owner's actors and has heard of all that there are. */
  knowsAll(owner: NodeId): boolean
  /** Somebody here waits for an actor, and whoever answers for it cannot be reached. */
  unanswered(owner: NodeId): void
}

/**
 * Where the actors are that somebody here has to do with. Whoever answers for an actor says it: for those that are this
 * node's to answer for `set` does, for others a message, asked for once and told again at each change. What is told of an
 * older incarnation counts no more.
 */
export class ActorPlaces {
  readonly #options: ActorPlacesOptions
  readonly #known = new Map<string, Known>()

  constructor(options: ActorPlacesOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#known.size
  }

  /** What is known now. */
  of(id: ObjectId): Place {
    return this.#known.get(formatObjectId(id))?.place ?? PENDING
  }

  /** Of what class it is, as far as is known here. */
  classOf(id: ObjectId): string | undefined {
    return this.#known.get(formatObjectId(id))?.facts?.className
  }

  /** Owners of actors that somebody here waits for. */
  owners(): Set<NodeId> {
    const owners = new Set<NodeId>()
    for (const { id, place } of this.#known.values()) if (place.kind === 'pending') owners.add(id.owner)
    return owners
  }

  /** Calls back once, when the actor has a place of a later incarnation than `past`, or is dead. */
  when(id: ObjectId, past: Attempt | undefined, callback: Waiter['callback'], order = 0): void {
    if (this.#isMine(id) && this.#options.knowsAll(id.owner) && !this.#known.has(formatObjectId(id))) {
      // It was forgotten with its last handle.
      callback({ kind: 'dead', error: gone(id) }, FIRST_ATTEMPT)
      return
    }
    const known = this.#know(id)
    if (this.#isSettled(known, past)) callback(known.place, known.incarnation)
    else known.waiting.push({ past, order, callback })
  }

  /** What handles of the actor know of it; undefined where nobody can say. */
  whenFacts(id: ObjectId, callback: (facts: ActorFacts | undefined) => void): void {
    this.when(id, undefined, (place) => {
      if (place.kind === 'same') this.whenFacts(place.as, callback)
      else callback(place.kind === 'dead' ? undefined : this.#known.get(formatObjectId(id))?.facts)
    })
  }

  /** The word of whoever answers for the actor. Of a former incarnation: nothing. */
  set(id: ObjectId, incarnation: Attempt, place: Place, facts: ActorFacts | undefined): void {
    const known = this.#know(id)
    if (known.place.kind === 'dead' || compareAttempts(incarnation, known.incarnation) < 0) return
    known.place = place
    known.incarnation = incarnation
    known.facts = facts ?? known.facts
    if (this.#isMine(id)) for (const watcher of known.watchers) this.#tell(watcher, known)
    if (place.kind === 'alive' && (known.facts?.checkpointEveryCalls ?? 0) > 0) this.#options.follow?.(id)
    this.#wake(known)
    // Found by its name, or known from a time before a take-over, it is counted for nobody here: nobody will let go of it.
    if (place.kind === 'dead' && !this.#options.objects.isKnown(id)) this.forget(id)
  }

  /** Who is told where the actor is. */
  watchersOf(id: ObjectId): readonly NodeId[] {
    return [...(this.#known.get(formatObjectId(id))?.watchers ?? [])]
  }

  /** These are to be told, whether they asked this node or one before it. */
  addWatchers(id: ObjectId, nodes: readonly NodeId[]): void {
    const { watchers } = this.#know(id)
    for (const node of nodes) if (node !== this.#options.self) watchers.add(node)
  }

  onWant(from: NodeId, id: ObjectId): void {
    // Who asks us by mistake is told by the gather of whoever does answer.
    if (!this.#isMine(id)) return
    const known = this.#known.get(formatObjectId(id))
    if (known === undefined && this.#options.knowsAll(id.owner)) {
      this.#tell(from, { id, place: { kind: 'dead', error: gone(id) }, incarnation: FIRST_ATTEMPT, facts: undefined })
      return
    }
    const found = known ?? this.#know(id)
    found.watchers.add(from)
    this.#tell(from, found)
  }

  onPlace(from: NodeId, { actor, incarnation, place, facts }: ActorPlace): void {
    if (this.#options.answerer(actor.owner) !== from || this.#isMine(actor)) return
    // Nobody here has to do with it any more.
    if (!this.#known.has(formatObjectId(actor))) {
      const hasCheckpoints = (facts?.checkpointEveryCalls ?? 0) > 0
      if (place.type === 'alive' && hasCheckpoints) this.#options.nothingKept?.(actor, incarnation, place.node)
      return
    }
    this.set(actor, incarnation, placeOf(place), facts)
  }

  /** Who lives there is reached no more; whoever answers for it will say what becomes of it. */
  nodeGone(node: NodeId): void {
    for (const known of this.#known.values()) {
      known.watchers.delete(node)
      if (this.#options.answerer(known.id.owner) === node) known.isAsked = false
    }
  }

  /** The path to a node is there, again perhaps: calls for who lives there may go, and what it answers for is asked anew. */
  nodeAlive(node: NodeId): void {
    for (const known of [...this.#known.values()]) {
      if (known.place.kind === 'alive' && known.place.node === node) this.#wake(known)
      if (known.place.kind !== 'dead' && this.#options.answerer(known.id.owner) === node) this.#know(known.id)
    }
  }

  /** Another node answers for the ledger: it is asked where its actors are. */
  moved(owner: NodeId): void {
    for (const known of [...this.#known.values()]) {
      if (known.id.owner !== owner || known.place.kind === 'dead') continue
      // What the former one was about to make is nothing that anybody has met: a life from before may go on.
      if (known.place.kind === 'pending') known.incarnation = FIRST_ATTEMPT
      known.isAsked = false
      this.#know(known.id)
    }
  }

  /** This tab is about to enter its room anew. */
  suspended(): void {
    for (const known of this.#known.values()) known.isAsked = false
  }

  /** What a ledger's actors are has been asked of everybody: of those that nobody has, wherever they were, nothing is left. */
  over(owner: NodeId, isThere: (id: ObjectId) => boolean, errorOf: (id: ObjectId) => WireError): void {
    for (const { id, place, incarnation } of [...this.#known.values()])
      if (id.owner === owner && place.kind !== 'dead' && !isThere(id))
        this.set(id, incarnation, { kind: 'dead', error: errorOf(id) }, undefined)
  }

  /** Nobody here has to do with the actor any more. */
  forget(id: ObjectId): void {
    const key = formatObjectId(id)
    const known = this.#known.get(key)
    // Of one that is dead there is nothing more to tell to others.
    const isUseless = known?.waiting.length === 0 && (known.watchers.size === 0 || known.place.kind === 'dead')
    if (isUseless) this.#known.delete(key)
  }

  #isMine(id: ObjectId): boolean {
    return this.#options.answerer(id.owner) === this.#options.self
  }

  #isSettled({ place, incarnation }: Known, past: Attempt | undefined): boolean {
    if (place.kind === 'pending') return false
    if (place.kind !== 'alive') return true
    if (past !== undefined && compareAttempts(incarnation, past) <= 0) return false
    return place.node === this.#options.self || this.#options.canReach(place.node)
  }

  #wake(known: Known): void {
    const waiting = known.waiting.sort((a, b) => a.order - b.order)
    known.waiting = []
    for (const waiter of waiting)
      if (this.#isSettled(known, waiter.past)) waiter.callback(known.place, known.incarnation)
      else known.waiting.push(waiter)
  }

  #know(id: ObjectId): Known {
    const key = formatObjectId(id)
    let known = this.#known.get(key)
    if (known === undefined) {
      known = {
        id,
        place: PENDING,
        incarnation: FIRST_ATTEMPT,
        facts: undefined,
        isAsked: false,
        watchers: new Set(),
        waiting: [],
      }
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

  #tell(to: NodeId, { id, incarnation, place, facts }: Omit<Known, 'isAsked' | 'watchers' | 'waiting'>): void {
    this.#options.send(to, { type: 'actor.place', actor: id, incarnation, place: toldPlace(place), facts })
  }
}

const PENDING: Place = { kind: 'pending' }

function placeOf(told: ActorPlace['place']): Place {
  switch (told.type) {
    case 'alive':
      return { kind: 'alive', node: told.node }
    case 'same':
      return { kind: 'same', as: told.as }
    case 'dead':
      return { kind: 'dead', error: told.error }
    case 'pending':
      return PENDING
  }
}

function toldPlace(place: Place): ActorPlace['place'] {
  switch (place.kind) {
    case 'alive':
      return { type: 'alive', node: place.node }
    case 'same':
      return { type: 'same', as: place.as }
    case 'dead':
      return { type: 'dead', error: place.error }
    case 'pending':
      return { type: 'pending' }
  }
}

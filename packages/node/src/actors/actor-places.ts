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
  /** Whether this node answers for the owner's actors and knows each that there is. */
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
    if (this.#options.knowsAll(id.owner) && !this.#known.has(formatObjectId(id))) {
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
    this.#wake(known)
  }

  onWant(from: NodeId, id: ObjectId): void {
    // Who asks us by mistake is told by the gather of whoever does answer.
    if (!this.#isMine(id)) return
    const known = this.#known.get(formatObjectId(id))
    if (known === undefined) {
      const place = { type: 'dead', error: gone(id) } as const
      this.#options.send(from, { type: 'actor.place', actor: id, incarnation: FIRST_ATTEMPT, place, facts: undefined })
      return
    }
    known.watchers.add(from)
    this.#tell(from, known)
  }

  onPlace(from: NodeId, { actor, incarnation, place, facts }: ActorPlace): void {
    if (this.#options.answerer(actor.owner) !== from || this.#isMine(actor)) return
    // Nobody here has to do with it any more.
    if (!this.#known.has(formatObjectId(actor))) return
    this.set(actor, incarnation, placeOf(place), facts)
    // Found by its name, it was counted for nobody here, and so nobody will say that he has let go of it.
    if (place.type === 'dead' && !this.#options.objects.isKnown(actor)) this.forget(actor)
  }

  /** Who lives there is reached no more; whoever answers for it will say what becomes of it. */
  nodeGone(node: NodeId): void {
    for (const known of this.#known.values()) {
      known.watchers.delete(node)
      if (this.#options.answerer(known.id.owner) === node) known.isAsked = false
    }
  }

  /** The path to a node is there, again perhaps: calls for who lives there may go. */
  nodeAlive(node: NodeId): void {
    for (const known of this.#known.values())
      if (known.place.kind === 'alive' && known.place.node === node) this.#wake(known)
  }

  /** Another node answers for the ledger: it is asked where its actors are. */
  moved(owner: NodeId): void {
    for (const known of [...this.#known.values()]) {
      if (known.id.owner !== owner || known.place.kind === 'dead') continue
      known.isAsked = false
      this.#know(known.id)
    }
  }

  /** This tab is about to enter its room anew. */
  suspended(): void {
    for (const known of this.#known.values()) known.isAsked = false
  }

  /** Actors of a ledger of which nobody has said what they are. */
  unplaced(owner: NodeId): ObjectId[] {
    return [...this.#known.values()].flatMap(({ id, place }) =>
      id.owner === owner && place.kind === 'pending' ? [id] : [],
    )
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

  #tell(to: NodeId, { id, incarnation, place, facts }: Known): void {
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

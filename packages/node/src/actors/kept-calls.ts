// Long because what a caller's node keeps of its calls, and why it may let go of it, is one table.
import { compareAttempts, FIRST_ATTEMPT, formatObjectId } from '@shoal/protocol'
import type { Attempt, CallOrder, NodeId, NodeMessage, ObjectId, PlacedRef, WireError } from '@shoal/protocol'
import type { Objects } from '../objects.ts'
import { whenArguments } from '../when-arguments.ts'
import type { ActorPlaces } from './actor-places.ts'

/** A call as far as it is kept. */
export interface KeptCall {
  readonly number: number
  readonly method: string
  readonly dependencies: readonly PlacedRef[]
}

export interface KeptCallsOptions<C extends KeptCall> {
  readonly objects: Objects
  readonly places: ActorPlaces
  /** To a host, this node too. */
  say(to: NodeId, message: NodeMessage): void
  /** Sends a call to its actor's host; false when an argument is not there just now. */
  send(call: C, actor: ObjectId, node: NodeId, incarnation: Attempt): boolean
  /** A call without an outcome is to have this one. Nothing for one that has one. */
  fail(call: C, error: WireError): void
  /** Whether the call has its outcome. */
  isAnswered(call: C): boolean
  /** Nobody will run it again. */
  drop(call: C): void
}

/** An actor with checkpoints that this node has to do with. */
interface Followed<C> {
  readonly id: ObjectId
  /** That its calls go to, once it has joined it. */
  incarnation: Attempt | undefined
  node: NodeId | undefined
  /** Sent to some incarnation, and by no checkpoint covered, with an outcome or without. */
  readonly calls: Map<number, C>
  /** Covered before their outcome was here: their reply was lost, and they are asked for once more. */
  readonly late: Set<number>
  /** Who ran at `first` and the positions after it. */
  first: number
  order: CallOrder[number][]
  /** The join that is under way: its calls' arguments are waited for. */
  joining: object | undefined
}

/**
 * The calls to actors with checkpoints: keeps each until a checkpoint covers it, answered or not, and gives all that it
 * keeps to the next incarnation, with the order in which they ran as far as this node knows. Its states for an actor:
 * joining (an incarnation is there, and what is kept is on its way to it) -> joined. See P1, P2, P5, P7 in
 * docs/decisions/020-models.md.
 */
export class KeptCalls<C extends KeptCall> {
  readonly #options: KeptCallsOptions<C>
  readonly #followed = new Map<string, Followed<C>>()

  constructor(options: KeptCallsOptions<C>) {
    this.#options = options
  }

  /** Calls that are kept, with an outcome or without. */
  get count(): number {
    let count = 0
    for (const { calls } of this.#followed.values()) count += calls.size
    return count
  }

  isFollowed(actor: ObjectId): boolean {
    return this.#at(actor) !== undefined
  }

  isKept(actor: ObjectId, number: number): boolean {
    return this.#at(actor)?.calls.has(number) === true
  }

  /** An actor with checkpoints has a place: whatever this node keeps for it goes to each incarnation that is to come. */
  follow(actor: ObjectId): void {
    const key = formatObjectId(actor)
    if (this.#followed.has(key)) return
    const followed: Followed<C> = {
      id: actor,
      incarnation: undefined,
      node: undefined,
      calls: new Map(),
      late: new Set(),
      first: 1,
      order: [],
      joining: undefined,
    }
    this.#followed.set(key, followed)
    this.#watch(key, followed)
  }

  /** A call to a followed actor that may go: now, or with what goes before it. */
  send(call: C, actor: ObjectId, node: NodeId, incarnation: Attempt): void {
    const followed = this.#at(actor)
    if (followed === undefined) return
    followed.calls.set(call.number, call)
    if (isLater(incarnation, followed.incarnation)) this.#enter(followed, node, incarnation)
    else if (followed.joining === undefined && !this.#options.send(call, actor, node, incarnation)) this.#join(followed)
  }

  /** A call has its outcome. @returns whether it is kept all the same */
  answered(actor: ObjectId, number: number, error: WireError | undefined): boolean {
    const followed = this.#at(actor)
    if (followed?.calls.has(number) !== true) return false
    // What was cancelled is not made again.
    if (followed.late.delete(number) || error?.code === 'task-cancelled') followed.calls.delete(number)
    return followed.calls.has(number)
  }

  /** This tab comes back under a new session: calls or replies were lost on the way, perhaps. */
  restore(): void {
    for (const followed of this.#followed.values()) this.#join(followed)
  }

  /** The path to a node is there again. */
  nodeAlive(node: NodeId): void {
    for (const followed of this.#followed.values())
      if (followed.node === node && [...followed.calls.values()].some((call) => !this.#options.isAnswered(call)))
        this.#join(followed)
  }

  /** The host's word; false for another's messages. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'actor.settle': {
        const { actor, incarnation, position } = message
        this.#options.say(from, { type: 'actor.settled', actor, incarnation, position })
        return true
      }
      case 'actor.order': {
        const followed = this.#of(message)
        if (followed !== undefined) learn(followed, message.first, message.order, message.isWhole)
        return true
      }
      case 'actor.covered': {
        const followed = this.#of(message)
        if (followed === undefined) return true
        const { numbers, position } = message
        for (const number of numbers) {
          const call = followed.calls.get(number)
          if (call === undefined) continue
          if (this.#options.isAnswered(call)) {
            followed.calls.delete(number)
            this.#options.drop(call)
          } else followed.late.add(number)
        }
        followed.order = followed.order.slice(Math.max(0, position + 1 - followed.first))
        followed.first = Math.max(followed.first, position + 1)
        return true
      }
      default:
        return false
    }
  }

  /** The session ends. */
  clear(): void {
    this.#followed.clear()
  }

  /** Asked at every call of any actor. */
  #at(actor: ObjectId): Followed<C> | undefined {
    return this.#followed.size === 0 ? undefined : this.#followed.get(formatObjectId(actor))
  }

  /** P7: nothing of a former incarnation is heard. */
  #of({ actor, incarnation }: { readonly actor: ObjectId; readonly incarnation: Attempt }): Followed<C> | undefined {
    const followed = this.#at(actor)
    const isSame = followed?.incarnation !== undefined && compareAttempts(followed.incarnation, incarnation) === 0
    return isSame ? followed : undefined
  }

  #watch(key: string, followed: Followed<C>): void {
    this.#options.places.when(followed.id, followed.incarnation, (place, incarnation) => {
      if (this.#followed.get(key) !== followed) return
      if (place.kind === 'alive') {
        if (isLater(incarnation, followed.incarnation)) this.#enter(followed, place.node, incarnation)
        this.#watch(key, followed)
        return
      }
      this.#followed.delete(key)
      for (const call of followed.calls.values())
        if (this.#options.isAnswered(call)) this.#options.drop(call)
        else if (place.kind === 'dead') this.#options.fail(call, place.error)
    })
  }

  #enter(followed: Followed<C>, node: NodeId, incarnation: Attempt): void {
    followed.incarnation = incarnation
    followed.node = node
    this.#join(followed)
  }

  /** Sends all that is kept, each after what went before it, once all their arguments are there; then says so. */
  #join(followed: Followed<C>): void {
    const { objects, say } = this.#options
    const { id, node, incarnation, calls } = followed
    if (node === undefined || incarnation === undefined) return
    const joining = {}
    followed.joining = joining
    const kept = [...calls.values()]
    let missing = kept.length + 1
    const one = (): void => {
      if (--missing > 0 || followed.joining !== joining) return
      followed.joining = undefined
      // Numbers of one caller grow.
      for (const call of [...calls.values()].sort((a, b) => a.number - b.number))
        if (!this.#options.send(call, id, node, incarnation)) {
          this.#join(followed)
          return
        }
      if (compareAttempts(incarnation, FIRST_ATTEMPT) === 0) return
      const { first, order } = followed
      say(node, { type: 'actor.kept', actor: id, incarnation, first, order: [...order] })
    }
    for (const call of kept)
      whenArguments(objects, call.dependencies, call.method, (error) => {
        if (error !== undefined && calls.delete(call.number)) {
          // Without its argument it cannot run again.
          if (this.#options.isAnswered(call)) this.#options.drop(call)
          else this.#options.fail(call, error)
        }
        one()
      })
    one()
  }
}

function isLater(a: Attempt, b: Attempt | undefined): boolean {
  return b === undefined || compareAttempts(a, b) > 0
}

/** Puts in what ran at `first` and after it; `isWhole`: and nothing is known of what comes after that. */
function learn(
  followed: Pick<Followed<KeptCall>, 'first' | 'order'>,
  first: number,
  order: CallOrder,
  isWhole: boolean,
): void {
  const skipped = Math.max(0, followed.first - first)
  const at = first + skipped - followed.first
  // Something between was missed: what is known ends there.
  if (at > followed.order.length) return
  const told = order.slice(skipped)
  if (at === followed.order.length) {
    followed.order.push(...told)
    return
  }
  const after = isWhole ? [] : followed.order.slice(at + told.length)
  followed.order = [...followed.order.slice(0, at), ...told, ...after]
}

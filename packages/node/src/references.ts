// Long because the rules of one protocol call each other: see docs/decisions/020.
import type { Log } from '@shoal/base'
import { formatObjectId, LIMITS } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'

/** One life of another node, as long as it is not declared dead: what is lent to it ends with it. */
export interface Life {
  readonly node: NodeId
}

export interface ReferencesOptions {
  readonly self: NodeId
  /** False only where the simulation shows what a sender's own count prevents (X1). */
  readonly pins?: boolean
  readonly log: Log
  send(to: NodeId, message: NodeMessage): void
  /** False for a node that is gone and will never answer. */
  canReach(node: NodeId): boolean
  /** Who answers for an owner's objects, and so counts who holds them; it may be gone until a take-over is done. */
  answerer(owner: NodeId): NodeId
  later(delayMs: number, callback: () => void): void
  retain(id: ObjectId): void
  release(id: ObjectId): void
  /** What this tab has of an object of another owner: references, only a copy that it keeps for that owner, or nothing. */
  standing(id: ObjectId): 'counted' | 'kept' | 'gone'
  /** An object that this node answers for is counted for a borrower. False when there is no such object. */
  lend(id: ObjectId, to: Life): boolean
  /** It is no longer; `isCopyGone`: nor does that node have a copy. */
  takeBack(id: ObjectId, from: Life, isCopyGone: boolean): void
  /** These say anew what they hold of a ledger: what was counted for them under an earlier epoch may be released long since. */
  recount(owner: NodeId, lives: ReadonlySet<Life>): void
  /** A dead node holds nothing. */
  takeBackAll(from: Life): void
  /** An object of which whoever answers for it knows nothing. */
  unknown(id: ObjectId): void
}

interface Peer extends Life {
  /** What was handed to it and is not confirmed: the sender's own count of each, by hand-over. */
  readonly pins: Map<number, Pin>
  nextHandOver: number
  /** Registrations that it has not answered, by number. */
  readonly registering: Map<number, readonly ObjectId[]>
  nextRegistration: number
  /** What is to be said to it at the end of this turn, in order. */
  readonly out: NodeMessage[]
}

interface Pin {
  readonly ids: readonly ObjectId[]
  /**
   * The confirmation also counts the receiver as a borrower of these: we answered for them when they were handed on, and have
   * since. For any other the receiver registers, or is asked for a report: it may have let go before it confirms.
   */
  lends: readonly ObjectId[]
}

/**
 * References of dead nodes are dropped this much late: one that it had handed on may still be on its way to be counted.
 */
const DEAD_MS = 10_000

/**
 * References between nodes, by numbered hand-overs. Whoever sends a ref keeps a count of its own until the receiver
 * confirms that hand-over by its number, and the receiver confirms once it is counted by whoever answers for the
 * ledger, its owner at first: at once when that is the sender, whose count becomes the borrower's with the confirmation, or
 * the receiver itself; else after it has registered there. A borrower tells that node when it holds the object no more. Sessions deliver in order, so that a
 * release never overtakes the registration it ends, nor a later registration a release. See docs/decisions/010.
 *
 * It knows neither tasks nor values, and counts nothing itself: Objects does. Life of a foreign object's registration:
 * none -> asked (of its owner) -> done -> none (released).
 */
export class References {
  readonly #options: ReferencesOptions
  readonly #peers = new Map<NodeId, Peer>()
  /** Objects of others for which the owner counts us. */
  readonly #registered = new Set<string>()
  /** Those that are on their way there, and what waits for it. */
  readonly #asked = new Map<string, { readonly id: ObjectId; readonly waiters: (() => void)[] }>()
  #isFlushScheduled = false

  constructor(options: ReferencesOptions) {
    this.#options = options
  }

  /** Hand-overs that no receiver has confirmed. */
  get pinned(): number {
    let count = 0
    for (const { pins } of this.#peers.values()) count += pins.size
    return count
  }

  /** Objects of others that their owners count us for. */
  get borrowed(): number {
    return this.#registered.size
  }

  /** A message with these refs is about to go: gives its number, 0 when it needs none. */
  handOver(to: NodeId, ids: readonly ObjectId[]): number {
    return this.#pin(to, ids, true)
  }

  /** Keeps objects here until `to` confirms; it registers by itself what it finds inside. 0 when that needs nothing. */
  hold(to: NodeId, ids: readonly ObjectId[]): number {
    return this.#pin(to, ids, false)
  }

  /**
   * A message with these refs has come. Each has one count now, ended by the function that is given back: call it when
   * whoever needs them has counted them.
   */
  receive(from: NodeId, number: number, ids: readonly ObjectId[]): () => void {
    if (number === 0) return nothing
    const peer = this.#peer(from)
    for (const id of ids) this.#options.retain(id)
    const others = ids.filter(({ owner }) => this.#options.answerer(owner) !== from)
    const senders = ids.filter(({ owner }) => this.#options.answerer(owner) === from)
    this.#whenRegistered(others, () => {
      this.#confirm(peer, number)
      // From now on the sender counts us for its own: also for those that were let go meanwhile.
      for (const id of senders) this.#counted(id)
    })
    return () => {
      for (const id of ids) this.#options.release(id)
    }
  }

  /** What a value that was fetched has inside: each is registered with its owner, then the holders may let go. */
  receiveInside(ids: readonly ObjectId[], holds: readonly (readonly [from: NodeId, number: number])[]): () => void {
    const peers = holds.map(([from, number]) => [this.#peer(from), number] as const)
    for (const id of ids) this.#options.retain(id)
    this.#whenRegistered(ids, () => {
      for (const [peer, number] of peers) if (number !== 0) this.#confirm(peer, number)
    })
    return () => {
      for (const id of ids) this.#options.release(id)
    }
  }

  /** This tab has no reference to an object of another owner any more, and `isCopyGone`: nor a copy that it had. */
  dropped(id: ObjectId, isCopyGone: boolean): void {
    const key = formatObjectId(id)
    // While the registration is under way, its answer finds that nobody holds it.
    if (this.#asked.has(key)) return
    if (this.#registered.delete(key) || isCopyGone) this.#sayRelease(id, isCopyGone)
  }

  /** Takes the messages that belong to references; false for any other. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'ref.confirm':
        this.#onConfirm(from, message.number)
        return true
      case 'ref.register':
        this.#onRegister(from, message.owner, message.number, message.objects)
        return true
      case 'ref.registered':
        this.#onRegistered(from, message.number, message.unknown)
        return true
      case 'ref.release':
        this.#options.takeBack(message.id, this.#peer(from), message.isCopyGone)
        return true
      default:
        return false
    }
  }

  /** Whoever answers for the ledger now has been told all that this tab holds of it, and counts it. */
  reported(owner: NodeId): void {
    for (const [key, { id, waiters }] of this.#asked) {
      if (id.owner !== owner) continue
      this.#asked.delete(key)
      if (this.#options.answerer(owner) !== this.#options.self) this.#counted(id)
      for (const waiter of waiters) waiter()
    }
  }

  /** Another node answers for the ledger: what this tab holds of it goes there in one report. */
  moved(owner: NodeId, held: readonly ObjectId[]): void {
    for (const { pins } of this.#peers.values())
      for (const pin of pins.values())
        if (pin.lends.length > 0) pin.lends = pin.lends.filter((id) => id.owner !== owner)
    for (const key of this.#registered) if (key.startsWith(owner)) this.#registered.delete(key)
    for (const id of held) {
      const key = formatObjectId(id)
      if (!this.#asked.has(key)) this.#asked.set(key, { id, waiters: [] })
    }
    if (this.#options.answerer(owner) !== this.#options.self) return
    this.#options.recount(owner, new Set(this.#peers.values()))
    this.reported(owner)
  }

  /** Whoever answers for the ledger may have given this tab up meanwhile: it is told of everything again. */
  registerAnew(owner: NodeId, held: readonly ObjectId[]): void {
    this.moved(owner, held)
    const open = [...this.#asked.values()].filter(({ id }) => id.owner === owner).map(({ id }) => id)
    this.#registerAll(new Map([[owner, open]]))
  }

  /** A node can be reached from now on: what waits to be counted by it, and could not be said so far, is said. */
  peerAlive(node: NodeId): void {
    const said = new Set([...(this.#peers.get(node)?.registering.values() ?? [])].flat().map(formatObjectId))
    const open = new Map<NodeId, ObjectId[]>()
    for (const [key, { id }] of this.#asked) {
      if (said.has(key) || this.#options.answerer(id.owner) !== node) continue
      const list = open.get(id.owner) ?? []
      open.set(id.owner, list)
      list.push(id)
    }
    this.#registerAll(open)
  }

  /** Everything of the ledger is over: nobody counts it. */
  ledgerOver(owner: NodeId): void {
    this.moved(owner, [])
    this.reported(owner)
  }

  /** Counts the refs inside what this tab just came to hold of its own accord, and registers them. */
  adopt(ids: readonly ObjectId[]): void {
    for (const id of ids) this.#options.retain(id)
    this.#whenRegistered(ids, nothing)
  }

  /** What another node holds, as it says itself. */
  reportedBy(node: NodeId, ids: readonly ObjectId[]): void {
    const peer = this.#peer(node)
    for (const id of ids) this.#options.lend(id, peer)
  }

  /**
   * The node is dead: what was handed or lent to it comes back, late, and later still when it may come back itself. Who counts
   * what it owned is decided elsewhere.
   */
  peerGone(node: NodeId, graceMs = 0): void {
    const peer = this.#peers.get(node)
    this.#peers.delete(node)
    if (peer === undefined) return
    this.#options.later(Math.max(DEAD_MS, graceMs), () => {
      if (this.#options.pins !== false)
        for (const { ids } of peer.pins.values()) for (const id of ids) this.#options.release(id)
      peer.pins.clear()
      this.#options.takeBackAll(peer)
    })
  }

  #pin(to: NodeId, ids: readonly ObjectId[], lends: boolean): number {
    if (ids.length === 0 || !this.#options.canReach(to)) return 0
    // What goes home is counted there before anything that follows.
    const away = lends ? ids.filter(({ owner }) => this.#options.answerer(owner) !== to) : ids
    const peer = this.#peer(to)
    const number = ++peer.nextHandOver
    if (this.#options.pins !== false) for (const id of away) this.#options.retain(id)
    const { answerer, self } = this.#options
    peer.pins.set(number, { ids: away, lends: lends ? away.filter(({ owner }) => answerer(owner) === self) : [] })
    return number
  }

  /** A life that is over gave its numbers to nobody: another one's would be confirmed. */
  #confirm(to: Peer, number: number): void {
    if (this.#peers.get(to.node) === to) this.#say(to.node, { type: 'ref.confirm', number })
  }

  /** The owner counts us for the object; if nobody here holds it any more, it must not for long. */
  #counted(id: ObjectId): void {
    const standing = this.#options.standing(id)
    if (standing === 'counted') this.#registered.add(formatObjectId(id))
    else {
      this.#registered.delete(formatObjectId(id))
      this.#sayRelease(id, standing === 'gone')
    }
  }

  #sayRelease(id: ObjectId, isCopyGone: boolean): void {
    const answerer = this.#options.answerer(id.owner)
    // Without one, the next report says what is still held.
    if (answerer !== this.#options.self) this.#say(answerer, { type: 'ref.release', id, isCopyGone })
  }

  #onConfirm(from: NodeId, number: number): void {
    const peer = this.#peer(from)
    const pin = peer.pins.get(number)
    if (pin === undefined) {
      this.#options.log.warn('a hand-over was confirmed that is not open', { from, number })
      return
    }
    peer.pins.delete(number)
    for (const id of pin.lends)
      if (this.#options.answerer(id.owner) === this.#options.self) this.#options.lend(id, peer)
    for (const id of pin.ids) this.#options.release(id)
  }

  #onRegister(from: NodeId, owner: NodeId, number: number, objects: readonly number[]): void {
    const peer = this.#peer(from)
    // It will be asked to report by whoever answers now; until then its pins and senders' pins hold.
    if (this.#options.answerer(owner) !== this.#options.self) return
    const unknown = objects.filter((object) => !this.#options.lend({ owner, number: object }, peer))
    this.#say(from, { type: 'ref.registered', number, unknown })
  }

  #onRegistered(from: NodeId, number: number, unknown: readonly number[]): void {
    const peer = this.#peer(from)
    const ids = peer.registering.get(number)
    if (ids === undefined) return
    peer.registering.delete(number)
    for (const id of ids) {
      const key = formatObjectId(id)
      const asked = this.#asked.get(key)
      this.#asked.delete(key)
      this.#counted(id)
      for (const waiter of asked?.waiters ?? []) waiter()
      if (unknown.includes(id.number)) this.#options.unknown(id)
    }
  }

  /** Calls back once the owner of each counts us: at once for those that do, or are gone, or are we. */
  #whenRegistered(ids: readonly ObjectId[], callback: () => void): void {
    let missing = 1
    const one = (): void => {
      if (--missing === 0) callback()
    }
    const fresh = new Map<NodeId, ObjectId[]>()
    for (const id of ids) {
      const answerer = this.#options.answerer(id.owner)
      if (answerer === this.#options.self) continue
      const key = formatObjectId(id)
      if (this.#registered.has(key)) continue
      missing++
      const asked = this.#asked.get(key)
      if (asked !== undefined) {
        asked.waiters.push(one)
        continue
      }
      this.#asked.set(key, { id, waiters: [one] })
      // Nobody answers now: whoever will asks for a report, and that counts.
      if (!this.#options.canReach(answerer)) continue
      const list = fresh.get(id.owner) ?? []
      fresh.set(id.owner, list)
      list.push(id)
    }
    this.#registerAll(fresh)
    one()
  }

  #registerAll(byOwner: ReadonlyMap<NodeId, readonly ObjectId[]>): void {
    for (const [owner, list] of byOwner)
      for (let at = 0; at < list.length; at += LIMITS.messageReferences)
        this.#register(owner, list.slice(at, at + LIMITS.messageReferences))
  }

  #register(owner: NodeId, ids: readonly ObjectId[]): void {
    const answerer = this.#options.answerer(owner)
    const peer = this.#peer(answerer)
    const number = ++peer.nextRegistration
    peer.registering.set(number, ids)
    this.#say(answerer, { type: 'ref.register', owner, number, objects: ids.map((id) => id.number) })
  }

  #peer(node: NodeId): Peer {
    let peer = this.#peers.get(node)
    if (peer === undefined) {
      peer = { node, pins: new Map(), nextHandOver: 0, registering: new Map(), nextRegistration: 0, out: [] }
      this.#peers.set(node, peer)
    }
    return peer
  }

  /** At the end of the turn: what a message brought and did not keep is said once, behind what it was part of. */
  #say(to: NodeId, message: NodeMessage): void {
    if (!this.#options.canReach(to)) return
    this.#peer(to).out.push(message)
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    queueMicrotask(() => {
      this.#isFlushScheduled = false
      for (const { node, out } of [...this.#peers.values()])
        for (const waiting of out.splice(0)) this.#options.send(node, waiting)
    })
  }
}

function nothing(): void {
  // Nothing was handed over.
}

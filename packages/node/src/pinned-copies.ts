import type { NodeId, ObjectId } from '@shoal/protocol'
import type { Objects } from './objects.ts'

export interface PinnedCopiesOptions {
  readonly self: NodeId
  readonly objects: Objects
  /** Whose ledger the objects are of. */
  readonly owner: NodeId
  /**
   * Asks somebody beside these for a copy that is kept until the object is freed. @returns whom; undefined: there is nobody;
   * this node itself: its caller fetches it
   */
  ask(id: ObjectId, places: readonly NodeId[]): NodeId | undefined
  /** An object has as many copies as it was to have. */
  safe(number: number): void
  /** Nobody has its bytes any more. */
  lost(number: number): void
}

interface Pinned {
  /** Who keeps a copy until it is told to let go, unlike a borrower. */
  readonly places: Set<NodeId>
  /** Who was asked for one and has not said that it has it. */
  asked: NodeId | undefined
}

/** What no task makes again shall survive the death of one tab. */
const COPIES = 2

/**
 * Objects that are to lie in two tabs for as long as they are needed: asks for the second copy, and for another one when
 * one is lost. An object's states: wanted -> safe, and back to wanted with the death of who had a copy, or dropped.
 */
export class PinnedCopies {
  readonly #options: PinnedCopiesOptions
  readonly #pinned = new Map<number, Pinned>()

  constructor(options: PinnedCopiesOptions) {
    this.#options = options
  }

  /** `places`: who keeps a copy already. */
  want(number: number, places: Iterable<NodeId>): void {
    const pinned: Pinned = { places: new Set(places), asked: undefined }
    this.#pinned.set(number, pinned)
    this.#ensure(number, pinned)
  }

  isSafe(number: number): boolean {
    return (this.#pinned.get(number)?.places.size ?? 0) >= COPIES
  }

  drop(number: number): void {
    this.#pinned.delete(number)
  }

  clear(): void {
    this.#pinned.clear()
  }

  /** A node says that it has a copy. */
  onHeld(number: number, node: NodeId): void {
    const pinned = this.#pinned.get(number)
    if (pinned?.asked === node) this.#has(number, pinned, node)
  }

  nodeGone(node: NodeId): void {
    for (const [number, pinned] of [...this.#pinned]) {
      if (pinned.asked === node) pinned.asked = undefined
      pinned.places.delete(node)
      this.#ensure(number, pinned)
    }
  }

  /** Somebody came who may be asked, or this node has heard anew who has what. */
  look(): void {
    for (const [number, pinned] of [...this.#pinned]) {
      const holders = this.#options.objects.holdersOf(this.#id(number))
      for (const node of pinned.places) if (!holders.includes(node)) pinned.places.delete(node)
      this.#ensure(number, pinned)
    }
  }

  #ensure(number: number, pinned: Pinned): void {
    const { self, objects, ask, safe, lost } = this.#options
    const id = this.#id(number)
    if (pinned.places.size >= COPIES) safe(number)
    else if (objects.holdersOf(id).length === 0) {
      this.#pinned.delete(number)
      lost(number)
    } else if (pinned.asked === undefined) {
      pinned.asked = ask(id, [...pinned.places])
      if (pinned.asked !== self) return
      objects.whenHere(id, (value) => {
        if (value !== undefined && this.#pinned.get(number) === pinned) this.#has(number, pinned, self)
      })
    }
  }

  #has(number: number, pinned: Pinned, node: NodeId): void {
    pinned.asked = undefined
    pinned.places.add(node)
    this.#ensure(number, pinned)
  }

  #id(number: number): ObjectId {
    return { owner: this.#options.owner, number }
  }
}

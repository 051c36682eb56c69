import { formatObjectId } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import type { Entry } from './object-entry.ts'

/** The entries of a node's objects, its own by number, since those are nearly all, and others' by their whole id. */
export class EntryTable {
  readonly #self: NodeId
  readonly #own = new Map<number, Entry>()
  readonly #others = new Map<string, Entry>()

  constructor(self: NodeId) {
    this.#self = self
  }

  get ownCount(): number {
    return this.#own.size
  }

  get othersCount(): number {
    return this.#others.size
  }

  find(id: ObjectId): Entry | undefined {
    return id.owner === this.#self ? this.#own.get(id.number) : this.#others.get(formatObjectId(id))
  }

  add(entry: Entry): void {
    const { id } = entry
    if (id.owner === this.#self) this.#own.set(id.number, entry)
    else this.#others.set(formatObjectId(id), entry)
  }

  delete(id: ObjectId): void {
    if (id.owner === this.#self) this.#own.delete(id.number)
    else this.#others.delete(formatObjectId(id))
  }

  clear(): void {
    this.#own.clear()
    this.#others.clear()
  }

  /** Of a ledger, as they are now: what is done with one may take others away. */
  of(owner: NodeId): Entry[] {
    if (owner === this.#self) return [...this.#own.values()]
    return [...this.#others.values()].filter(({ id }) => id.owner === owner)
  }

  own(): Entry[] {
    return [...this.#own.values()]
  }

  others(): Iterable<Entry> {
    return this.#others.values()
  }

  all(): Entry[] {
    return [...this.#own.values(), ...this.#others.values()]
  }

  *[Symbol.iterator](): Generator<Entry> {
    yield* this.#own.values()
    yield* this.#others.values()
  }
}

import type { Attempt, EncodedValue, NodeId, ObjectId } from '@shoal/protocol'
import { compareAttempts, valueBytes } from '@shoal/protocol'

interface Stored {
  readonly attempt: Attempt
  readonly value: EncodedValue
}

/**
 * The objects whose bytes lie in this tab, own and others', by owner and number. Immutable; a newer attempt replaces an
 * older one and an older one never a newer. It knows no references: its user says when an object may go.
 */
export class ObjectTable {
  readonly #owners = new Map<NodeId, Map<number, Stored>>()
  #bytes = 0
  #count = 0

  /** Bytes of all values held, without their references. */
  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#count
  }

  /** False when a newer attempt is here already. */
  put(id: ObjectId, attempt: Attempt, value: EncodedValue): boolean {
    let objects = this.#owners.get(id.owner)
    if (objects === undefined) {
      objects = new Map()
      this.#owners.set(id.owner, objects)
    }
    const present = objects.get(id.number)
    if (present !== undefined) {
      if (compareAttempts(present.attempt, attempt) > 0) return false
      this.#bytes -= valueBytes(present.value)
      this.#count--
    }
    objects.set(id.number, { attempt, value })
    this.#bytes += valueBytes(value)
    this.#count++
    return true
  }

  get(id: ObjectId): Stored | undefined {
    return this.#owners.get(id.owner)?.get(id.number)
  }

  delete(id: ObjectId): void {
    const objects = this.#owners.get(id.owner)
    const present = objects?.get(id.number)
    if (objects === undefined || present === undefined) return
    this.#bytes -= valueBytes(present.value)
    this.#count--
    objects.delete(id.number)
    if (objects.size === 0) this.#owners.delete(id.owner)
  }

  /** Drops everything that one owner's node owned. */
  deleteOwner(owner: NodeId): void {
    for (const number of [...(this.#owners.get(owner)?.keys() ?? [])]) this.delete({ owner, number })
  }
  /** Drops everything. */
  clear(): void {
    this.#owners.clear()
    this.#bytes = 0
    this.#count = 0
  }
}

import type { Attempt, EncodedValue, NodeId, ObjectId } from '@shoal/protocol'
import { compareAttempts, valueBytes } from '@shoal/protocol'

/** An object of this tab: its bytes are in memory, on disk, or both. */
export interface Stored {
  readonly id: ObjectId
  readonly attempt: Attempt
  /** Undefined while its bytes are on disk alone. */
  readonly value: EncodedValue | undefined
  /** Undefined for what was never written to disk. */
  readonly disk: DiskCopy | undefined
}

/** What stays in memory of an object whose bytes are on disk. */
export interface DiskCopy {
  /** The disk's name for it. */
  readonly key: number
  readonly bytes: number
  readonly refs: readonly ObjectId[]
}

type Entry = { -readonly [K in keyof Stored]: Stored[K] }

/** Smaller ones stay in memory: what is known of an object on disk takes a few hundred bytes too. */
export const LEAST_SPILLED_BYTES = 1_024

const NO_REFS: readonly ObjectId[] = []

/**
 * The objects whose bytes lie in this tab, own and others', by owner and number. Immutable; a newer attempt replaces an
 * older one and an older one never a newer. It knows no references: its user says when an object may go. Nor does it know
 * the disk, only which objects are there, and which of the others were used longest ago.
 */
export class ObjectTable {
  readonly #owners = new Map<NodeId, Map<number, Entry>>()
  /** In memory and large enough to be spilled, the one used longest ago first. */
  readonly #recent = new Set<Entry>()
  readonly #pinned = new Map<Stored, number>()
  #bytes = 0
  #spilledBytes = 0
  #count = 0
  #watcher: TableWatcher | undefined

  /** Bytes of all values held, in memory or on disk, without their references. */
  get bytes(): number {
    return this.#bytes
  }

  /** Of those, the ones that are on disk alone. */
  get spilledBytes(): number {
    return this.#spilledBytes
  }

  get memoryBytes(): number {
    return this.#bytes - this.#spilledBytes
  }

  get count(): number {
    return this.#count
  }

  /** Hears of every change from now on; there is one. */
  watch(watcher: TableWatcher): void {
    this.#watcher = watcher
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
      this.#gone(present)
    }
    const entry: Entry = { id, attempt, value, disk: undefined }
    objects.set(id.number, entry)
    const bytes = valueBytes(value)
    this.#bytes += bytes
    this.#count++
    if (bytes >= LEAST_SPILLED_BYTES) this.#recent.add(entry)
    this.#watcher?.grown()
    return true
  }

  get(id: ObjectId): Stored | undefined {
    return this.#owners.get(id.owner)?.get(id.number)
  }

  /** Somebody uses its bytes: it is spilled after what was used before. */
  touch(stored: Stored): void {
    if (this.#recent.delete(stored)) this.#recent.add(stored)
  }

  /** It stays in memory until it is unpinned as often. */
  pin(stored: Stored): void {
    this.#pinned.set(stored, (this.#pinned.get(stored) ?? 0) + 1)
  }

  unpin(stored: Stored): void {
    const pins = (this.#pinned.get(stored) ?? 0) - 1
    if (pins > 0) this.#pinned.set(stored, pins)
    else this.#pinned.delete(stored)
  }

  /** What may leave memory, that used longest ago first. */
  *spillable(): Iterable<Stored> {
    for (const entry of this.#recent) if (!this.#pinned.has(entry)) yield entry
  }

  isHere(stored: Stored): boolean {
    return this.get(stored.id) === stored
  }

  /** Its bytes are on disk too. */
  written(stored: Stored, key: number): void {
    const { value } = stored
    if (value !== undefined) (stored as Entry).disk = { key, bytes: valueBytes(value), refs: value.refs }
  }

  /** What is on disk leaves memory. */
  forget(stored: Stored): void {
    const { value, disk } = stored
    if (value === undefined || disk === undefined) return
    ;(stored as Entry).value = undefined
    this.#spilledBytes += disk.bytes
    this.#recent.delete(stored)
  }

  /** Its bytes are in memory again, and on disk as before. */
  restore(stored: Stored, value: EncodedValue): void {
    const { disk } = stored
    if (stored.value !== undefined || disk === undefined) return
    ;(stored as Entry).value = value
    this.#spilledBytes -= disk.bytes
    this.#recent.add(stored)
    this.#watcher?.grown()
  }

  delete(id: ObjectId): void {
    const objects = this.#owners.get(id.owner)
    const present = objects?.get(id.number)
    if (objects === undefined || present === undefined) return
    this.#gone(present)
    objects.delete(id.number)
    if (objects.size === 0) this.#owners.delete(id.owner)
  }

  /** Drops everything. */
  clear(): void {
    for (const objects of this.#owners.values()) for (const { id } of [...objects.values()]) this.delete(id)
  }

  #gone(entry: Entry): void {
    const bytes = bytesOf(entry)
    this.#bytes -= bytes
    this.#count--
    if (entry.value === undefined) this.#spilledBytes -= bytes
    else if (bytes >= LEAST_SPILLED_BYTES) this.#recent.delete(entry)
    this.#watcher?.gone(entry)
  }
}

export interface TableWatcher {
  /** More is in memory than before. */
  grown(): void
  /** An object is here no more; or another attempt of it is. */
  gone(stored: Stored): void
}

export function bytesOf({ value, disk }: Stored): number {
  return value === undefined ? (disk?.bytes ?? 0) : valueBytes(value)
}

/** What the object has inside, wherever its bytes are. */
export function refsOf({ value, disk }: Stored): readonly ObjectId[] {
  return value?.refs ?? disk?.refs ?? NO_REFS
}

// Long because who waits for room, for the disk and for what is read from it wait for each other.
import { must, toError } from '@shoal/base'
import type { Log } from '@shoal/base'
import type { EncodedValue } from '@shoal/protocol'
import { bytesOf, refsOf } from './object-table.ts'
import type { ObjectTable, Stored } from './object-table.ts'
import { SpillError } from './spill-store.ts'
import type { SpilledBytes, SpillStore } from './spill-store.ts'

export interface SpillingOptions {
  readonly table: ObjectTable
  /** Undefined: everything stays in memory, and what has no room there is refused. */
  readonly store: SpillStore | undefined
  /** Bytes of objects that memory has room for. */
  readonly limitBytes: number
  readonly log: Log
  /** Something was refused; or there is room again. */
  full?(isFull: boolean): void
  now(): number
}

/** Ray's figures: it begins to spill at 0.8 of the limit. */
const BEGINS_AT = 0.8
const ENDS_AT = 0.6
/** So much goes to disk in one transaction. */
const BATCH_BYTES = 32 * 1024 * 1024
const BATCH_OBJECTS = 1_000
/** A disk that was full is tried again so often: others may have freed some of it. */
const TRY_AGAIN_MS = 5_000

/** Room in memory that was promised, until its user gives it back. */
export type Reservation = () => void

interface RoomWaiter {
  readonly bytes: number
  readonly callback: (giveBack: Reservation | undefined) => void
}

/** An object on its way back from disk. */
interface Reading {
  giveBack: Reservation | undefined
  readonly waiting: ((value: EncodedValue | undefined) => void)[]
}

/**
 * Keeps the objects in memory below a limit: those used longest ago go to disk, in batches, before memory is full, and come
 * back when they are asked for. What was once on disk stays there as long as it exists, so that it is written once. Who
 * wants room waits until there is some, or nothing is left that could go.
 *
 * States: idle <-> writing, closed; and of the disk: fine <-> full, unavailable for good.
 */
export class Spilling {
  readonly #options: SpillingOptions
  #limit: number
  /** Each object that is being read, with who waits for it. */
  readonly #reading = new Map<Stored, Reading>()
  #toRead: Stored[] = []
  #toRemove: number[] = []
  #waiters: RoomWaiter[] = []
  #reserved = 0
  #nextKey = 1
  #isWriting = false
  /** One at a time where the disk had no room for a batch: a smaller one may fit. */
  #isOneByOne = false
  #isAdmitting = false
  #isFull = false
  #isClosed = false
  #disk: 'fine' | 'full' | 'unavailable'
  #fullAt = 0

  constructor(options: SpillingOptions) {
    this.#options = options
    this.#limit = options.limitBytes
    this.#disk = options.store === undefined ? 'unavailable' : 'fine'
    options.table.watch({
      grown: () => this.#spill(),
      gone: (stored) => this.#gone(stored),
    })
  }

  get limitBytes(): number {
    return this.#limit
  }

  /** Another limit from now on: what is too much goes to disk. */
  limit(bytes: number): void {
    if (bytes === this.#limit) return
    this.#limit = bytes
    this.#lookIfFull()
    this.#spill()
    this.#admitSoon()
  }

  get disk(): 'fine' | 'full' | 'unavailable' {
    return this.#disk
  }

  /** Something was refused, and there is no room yet. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Objects that are being read from disk. */
  get reading(): number {
    return this.#reading.size
  }

  /** Whether nobody who comes now has to wait for room. */
  get hasRoom(): boolean {
    return this.#waiters.length === 0 && this.#fits(0)
  }

  /** Whether an object of so many bytes may come: the disk takes what memory has no room for. */
  canTake(bytes: number): boolean {
    this.#tryDiskAgain()
    const isRefused = !this.#fits(bytes) && this.#disk !== 'fine'
    if (isRefused && !this.#isFull) {
      this.#isFull = true
      this.#options.full?.(true)
    }
    return !isRefused
  }

  /**
   * Calls back when there is room, at once where there is; with nothing when there is none and the disk takes no more. What
   * is larger than memory's limit comes in when nothing else is left that could go.
   */
  whenRoom(bytes: number, callback: (giveBack: Reservation | undefined) => void): void {
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      callback(this.#reserve(bytes))
      return
    }
    this.#waiters.push({ bytes, callback })
    this.#spill()
  }

  /**
   * Calls back with an object's bytes, at once when they are in memory; with nothing when the disk has lost them. By then
   * it may be another object that is here.
   */
  whenLoaded(stored: Stored, callback: (value: EncodedValue | undefined) => void): void {
    const { value } = stored
    if (value !== undefined) {
      this.#options.table.touch(stored)
      callback(value)
      return
    }
    const known = this.#reading.get(stored)
    if (known !== undefined) {
      known.waiting.push(callback)
      return
    }
    const reading: Reading = { giveBack: undefined, waiting: [callback] }
    this.#reading.set(stored, reading)
    // Without room too: it can go again without being written.
    this.whenRoom(bytesOf(stored), (giveBack) => {
      reading.giveBack = giveBack
      this.#readSoon(stored)
    })
  }

  /** Everything on disk is wiped. Who waits is never called. */
  close(): void {
    this.#isClosed = true
    this.#waiters = []
    this.#reading.clear()
    this.#options.store?.close().catch((error: unknown) => this.#warn('could not be wiped', error))
  }

  #fits(bytes: number): boolean {
    return this.#options.table.memoryBytes + this.#reserved + bytes <= this.#limit
  }

  #reserve(bytes: number): Reservation {
    this.#reserved += bytes
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#reserved -= bytes
      this.#admitSoon()
    }
  }

  #tryDiskAgain(): void {
    if (this.#disk === 'full' && this.#options.now() - this.#fullAt >= TRY_AGAIN_MS) this.#disk = 'fine'
  }

  /** Not in the middle of what made room: it may not be over. */
  #admitSoon(): void {
    if (this.#isAdmitting || this.#waiters.length === 0) return
    this.#isAdmitting = true
    queueMicrotask(() => {
      this.#isAdmitting = false
      this.#admit()
    })
  }

  #gone(stored: Stored): void {
    if (this.#isClosed) return
    const { disk } = stored
    // Who waits for it gets it all the same.
    if (disk !== undefined && !this.#reading.has(stored)) this.#removeSoon(disk.key)
    this.#lookIfFull()
    this.#admitSoon()
  }

  #lookIfFull(): void {
    if (!this.#isFull || this.#isClosed) return
    if (this.#disk !== 'fine' && this.#options.table.memoryBytes > this.#limit * BEGINS_AT) return
    this.#isFull = false
    this.#options.full?.(false)
  }

  #removeSoon(key: number): void {
    if (this.#toRemove.push(key) > 1) return
    queueMicrotask(() => {
      const keys = this.#toRemove
      this.#toRemove = []
      if (this.#isClosed) return
      must(this.#options.store)
        .remove(keys)
        .then(() => {
          // There is room again.
          if (this.#disk !== 'full') return
          this.#disk = 'fine'
          this.#spill()
        })
        .catch((error: unknown) => this.#warn('could not be removed from', error))
    })
  }

  /** Lets in who waits, in order, as far as there is room, or nothing that could still make some. */
  #admit(): void {
    for (;;) {
      const [first] = this.#waiters
      if (first === undefined || this.#isClosed) return
      if (!this.#fits(first.bytes) && (this.#isWriting || this.#pick(1).length > 0)) {
        this.#spill()
        return
      }
      this.#waiters.shift()
      const isRefused = !this.#fits(first.bytes) && this.#disk !== 'fine'
      first.callback(isRefused ? undefined : this.#reserve(first.bytes))
    }
  }

  /** What should leave memory: enough for everybody who waits. */
  #excess(): number {
    const used = this.#options.table.memoryBytes + this.#reserved
    const wanted = this.#waiters.reduce((sum, { bytes }) => sum + bytes, 0)
    return used + wanted > this.#limit * BEGINS_AT ? used + wanted - this.#limit * ENDS_AT : 0
  }

  /**
   * The ones used longest ago that together have so many bytes, no more than one transaction takes; of those that have to
   * be written, none when the disk takes no more.
   */
  #pick(bytes: number): Stored[] {
    const picked: Stored[] = []
    let sum = 0
    for (const stored of this.#options.table.spillable()) {
      if (sum >= Math.min(bytes, BATCH_BYTES) || picked.length >= (this.#isOneByOne ? 1 : BATCH_OBJECTS)) break
      if (stored.disk === undefined && this.#disk !== 'fine') continue
      picked.push(stored)
      sum += bytesOf(stored)
    }
    return picked
  }

  #spill(): void {
    const { store, table } = this.#options
    this.#tryDiskAgain()
    this.#lookIfFull()
    if (store === undefined || this.#isWriting || this.#isClosed) return this.#admitUnlessWriting()
    const excess = this.#excess()
    const picked = excess > 0 ? this.#pick(excess) : []
    if (picked.length === 0) return this.#admitUnlessWriting()
    const fresh = picked.filter(({ disk }) => disk === undefined)
    // What is on disk already just goes.
    for (const stored of picked) table.forget(stored)
    if (fresh.length === 0) {
      this.#spill()
      return
    }
    this.#isWriting = true
    const batch = fresh.map((stored) => ({ stored, key: this.#nextKey++ }))
    store
      .write(batch.map(({ stored, key }) => [key, must(stored.value)] as const))
      .then(() => {
        this.#isOneByOne = false
        for (const { stored, key } of batch)
          if (this.#options.table.isHere(stored)) {
            table.written(stored, key)
            table.forget(stored)
          } else this.#removeSoon(key)
      })
      .catch((error: unknown) => this.#failed(error, batch.length))
      .finally(() => {
        this.#isWriting = false
        if (!this.#isClosed) this.#spill()
      })
  }

  #admitUnlessWriting(): void {
    if (!this.#isWriting) this.#admitSoon()
  }

  #failed(error: unknown, objects: number): void {
    if (this.#isClosed) return
    const isFull = error instanceof SpillError && error.reason === 'full'
    if (isFull && objects > 1) {
      this.#isOneByOne = true
      return
    }
    this.#disk = isFull ? 'full' : 'unavailable'
    this.#fullAt = this.#options.now()
    const { log } = this.#options
    log.warn(
      isFull
        ? 'the disk that this page may use is full: objects that memory has no room for are refused'
        : 'objects cannot be spilled to disk here: what memory has no room for is refused',
      { limitBytes: this.#limit, error: toError(error).message },
    )
  }

  #readSoon(stored: Stored): void {
    if (this.#toRead.push(stored) > 1) return
    queueMicrotask(() => {
      const wanted = this.#toRead
      this.#toRead = []
      if (!this.#isClosed) this.#read(wanted)
    })
  }

  #read(wanted: readonly Stored[]): void {
    const keys = wanted.map(({ disk }) => must(disk).key)
    const store = must(this.#options.store)
    store
      .read(keys)
      // Once more, each alone: an access that failed says nothing of what is there.
      .catch(() => Promise.all(keys.map((key) => this.#readOne(store, key))))
      .then((found) => {
        if (!this.#isClosed) wanted.forEach((stored, index) => this.#loaded(stored, found[index]))
      })
      .catch((error: unknown) => this.#options.log.error('who waits for spilled objects failed', { error }))
  }

  async #readOne(store: SpillStore, key: number): Promise<SpilledBytes | undefined> {
    try {
      return (await store.read([key]))[0]
    } catch (error) {
      this.#warn('could not be read from', error)
      return undefined
    }
  }

  #loaded(stored: Stored, bytes: SpilledBytes | undefined): void {
    const { table } = this.#options
    const reading = this.#reading.get(stored)
    this.#reading.delete(stored)
    const value = bytes === undefined ? undefined : { refs: refsOf(stored), ...bytes }
    // It is not to be reckoned twice.
    const waiting = reading?.waiting ?? []
    if (value !== undefined && table.isHere(stored)) {
      table.pin(stored)
      reading?.giveBack?.()
      table.restore(stored, value)
      for (const callback of waiting) callback(value)
      table.unpin(stored)
      this.#spill()
      return
    }
    if (stored.disk !== undefined && !table.isHere(stored)) this.#removeSoon(stored.disk.key)
    for (const callback of waiting) callback(value)
    reading?.giveBack?.()
  }

  #warn(what: string, error: unknown): void {
    this.#options.log.warn(`spilled objects ${what} the disk`, { error: toError(error).message })
  }
}

import type { ObjectTable, PullHolds, PullOutcome, Spilling, Transfers } from '@shoal/object-store'
import { compareAttempts, newWireError } from '@shoal/protocol'
import type { Attempt, EncodedValue, NodeId, ObjectId, WireError } from '@shoal/protocol'
import { lost } from './object-entry.ts'
import type { Entry, ObjectState } from './object-entry.ts'

export interface FetchesOptions {
  readonly self: NodeId
  readonly transfers: Transfers
  readonly table: ObjectTable
  readonly spilling: Spilling
  find(id: ObjectId): Entry | undefined
  isMine(id: ObjectId): boolean
  knowsAll(owner: NodeId): boolean
  rebuild(id: ObjectId): boolean
  notRebuilt(id: ObjectId): WireError
  /** Calls back once with the bytes, from wherever they are by now. */
  whenHere(id: ObjectId, callback: Fetched): void
  /** Asks whoever answers for the object where it is. */
  askAgain(entry: Entry, callback: Fetched): void
  /** Its bytes have come. */
  arrived(id: ObjectId, attempt: Attempt, value: EncodedValue): void
  /** Its bytes were on disk, and are there no more. */
  lostHere(id: ObjectId, attempt: Attempt): void
  receiveInside(refs: readonly ObjectId[], holds: PullHolds): () => void
  later(delayMs: number, callback: () => void): void
}

export type Fetched = (value: EncodedValue | undefined, error: WireError | undefined) => void

/** An owner that names dead holders is asked again for as long as it may take it to hear of their death. */
const MOST_LOST_FETCHES = 20
export const ASK_AGAIN_MS = 300

/** Brings the bytes of objects into this tab's memory: from its disk, or from who has them, as soon as there is room. */
export class Fetches {
  readonly #options: FetchesOptions

  constructor(options: FetchesOptions) {
    this.#options = options
  }

  /** Of an object whose bytes are here, in memory or on disk: at once when they are in memory. */
  load(id: ObjectId, callback: Fetched): void {
    const { table, spilling } = this.#options
    const stored = table.get(id)
    if (stored === undefined) {
      callback(undefined, lost(id))
      return
    }
    spilling.whenLoaded(stored, (value) => {
      if (value !== undefined) {
        callback(value, undefined)
        return
      }
      this.#options.lostHere(id, stored.attempt)
      this.#options.whenHere(id, callback)
    })
  }

  /** What another node asked this one for; undefined when it is not here. */
  serve(id: ObjectId): EncodedValue | Promise<EncodedValue | undefined> | undefined {
    const { table, spilling } = this.#options
    const stored = table.get(id)
    if (stored === undefined) return undefined
    if (stored.value !== undefined) {
      table.touch(stored)
      return stored.value
    }
    return new Promise((resolve) =>
      spilling.whenLoaded(stored, (value) => {
        if (value === undefined) this.#options.lostHere(id, stored.attempt)
        resolve(value)
      }),
    )
  }

  /** Of an object whose bytes are with others. */
  fetch(id: ObjectId, state: ObjectState & { kind: 'elsewhere' }, callback: Fetched): void {
    const { transfers, self, spilling } = this.#options
    const holders = state.holders.filter((holder) => holder !== self)
    spilling.whenRoom(state.bytes, (giveBack) => {
      if (giveBack === undefined) {
        callback(undefined, storeFull(state.bytes, spilling.limitBytes))
        return
      }
      const taken = (outcome: PullOutcome): void => {
        giveBack()
        this.#taken(id, state, outcome, callback)
      }
      transfers.pull({ type: 'object', id, attempt: state.attempt }, holders, taken, state.bytes)
    })
  }

  #taken(id: ObjectId, state: ObjectState & { kind: 'elsewhere' }, outcome: PullOutcome, callback: Fetched): void {
    const { find, isMine, knowsAll, rebuild, notRebuilt, whenHere, askAgain, receiveInside, later } = this.#options
    if (outcome.kind === 'value') {
      const letGo = receiveInside(outcome.value.refs, outcome.holds)
      this.#arrived(id, state.attempt, outcome.value)
      callback(outcome.value, undefined)
      letGo()
      return
    }
    receiveInside([], outcome.holds)()
    const entry = find(id)
    // While this tab comes back, or takes over, nothing is decided: whoever has it will say so.
    if (entry !== undefined && isMine(id) && !knowsAll(id.owner)) {
      later(ASK_AGAIN_MS, () => whenHere(id, callback))
      return
    }
    // Somebody else may have found it, or begun to make it again, in the meantime.
    if (entry !== undefined && entry.state !== state) whenHere(id, callback)
    else if (entry !== undefined && isMine(id) && rebuild(id)) whenHere(id, callback)
    else if (entry !== undefined && !isMine(id) && ++entry.lostFetches < MOST_LOST_FETCHES) askAgain(entry, callback)
    else callback(undefined, notRebuilt(id))
  }

  /** Keeps what is in memory there until the function given back is called. */
  pin(id: ObjectId): () => void {
    const { table } = this.#options
    const stored = table.get(id)
    if (stored === undefined) return nothing
    table.pin(stored)
    return () => table.unpin(stored)
  }

  #arrived(id: ObjectId, attempt: Attempt, value: EncodedValue): void {
    const entry = this.#options.find(id)
    // The state may be another object by now, with other holders: what counts is the attempt.
    if (entry?.state.kind !== 'elsewhere' || compareAttempts(entry.state.attempt, attempt) !== 0) return
    entry.lostFetches = 0
    this.#options.arrived(id, attempt, value)
  }
}

/** In the place of an object that memory has no room for, where the disk takes no more either. */
export function storeFull(bytes: number, limitBytes: number): WireError {
  return newWireError(
    'object-store-full',
    `there is no room for an object of ${inMb(bytes)}: this tab's objects fill the ${inMb(limitBytes)} that they may have, and the disk takes no more; release what is not needed, or give init() more objectStoreBytes`,
  )
}

function nothing(): void {
  // It is not here.
}

function inMb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

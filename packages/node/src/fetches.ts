import type { ObjectTable, PullHolds, PullOutcome, Spilling, Transfers } from '@shoal/object-store'
import { compareAttempts, formatObjectId, newWireError } from '@shoal/protocol'
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
  /** Whoever waits for an object refers to it: what is inside of it lives for as long. */
  retain(id: ObjectId): void
  release(id: ObjectId): void
}

interface OpenFetch {
  readonly attempt: Attempt
  readonly waiting: Fetched[]
}

export type Fetched = (value: EncodedValue | undefined, error: WireError | undefined) => void

/** An owner that names dead holders is asked again for as long as it may take it to hear of their death. */
const MOST_LOST_FETCHES = 20
export const ASK_AGAIN_MS = 300

/** Brings the bytes of objects into this tab's memory: from its disk, or from who has them, as soon as there is room. */
export class Fetches {
  readonly #options: FetchesOptions
  /** What is on its way here, or waits for room, with everybody who wants it. */
  readonly #open = new Map<string, OpenFetch>()

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
    if (stored.value !== undefined) {
      table.touch(stored)
      callback(stored.value, undefined)
      return
    }
    this.#options.retain(id)
    spilling.whenLoaded(stored, (value) => {
      if (value !== undefined) callback(value, undefined)
      else {
        this.#options.lostHere(id, stored.attempt)
        this.#options.whenHere(id, callback)
      }
      this.#options.release(id)
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
    this.#options.retain(id)
    return new Promise((resolve) =>
      spilling.whenLoaded(stored, (value) => {
        if (value === undefined) this.#options.lostHere(id, stored.attempt)
        resolve(value)
        // After those who were told of it have counted what is inside.
        this.#options.later(0, () => this.#options.release(id))
      }),
    )
  }

  /** Of an object whose bytes are with others. */
  fetch(id: ObjectId, state: ObjectState & { kind: 'elsewhere' }, callback: Fetched): void {
    const key = formatObjectId(id)
    const open = this.#open.get(key)
    if (open !== undefined && compareAttempts(open.attempt, state.attempt) === 0) {
      open.waiting.push(callback)
      return
    }
    const mine: OpenFetch = { attempt: state.attempt, waiting: [callback] }
    this.#open.set(key, mine)
    const { transfers, self, spilling, find, whenHere, retain, release } = this.#options
    retain(id)
    const over = (tell: (each: Fetched) => void): void => {
      if (this.#open.get(key) === mine) this.#open.delete(key)
      for (const each of mine.waiting) tell(each)
      release(id)
    }
    spilling.whenRoom(state.bytes, (giveBack) => {
      const now = find(id)?.state
      if (giveBack === undefined) {
        over((each) => each(undefined, storeFull(state.bytes, spilling.limitBytes)))
      } else if (now?.kind !== 'elsewhere' || compareAttempts(now.attempt, state.attempt) !== 0) {
        giveBack()
        over((each) => whenHere(id, each))
      } else {
        const holders = now.holders.filter((holder) => holder !== self)
        const taken = (outcome: PullOutcome): void => {
          giveBack()
          this.#taken(id, now, outcome, over)
        }
        transfers.pull({ type: 'object', id, attempt: state.attempt }, holders, taken, state.bytes)
      }
    })
  }

  #taken(
    id: ObjectId,
    state: ObjectState & { kind: 'elsewhere' },
    outcome: PullOutcome,
    over: (tell: (each: Fetched) => void) => void,
  ): void {
    const { find, isMine, knowsAll, rebuild, notRebuilt, whenHere, askAgain, receiveInside, later } = this.#options
    if (outcome.kind === 'value') {
      const letGo = receiveInside(outcome.value.refs, outcome.holds)
      this.#arrived(id, state.attempt, outcome.value)
      over((each) => each(outcome.value, undefined))
      letGo()
      return
    }
    receiveInside([], outcome.holds)()
    const entry = find(id)
    // While this tab comes back, or takes over, nothing is decided: whoever has it will say so.
    if (entry !== undefined && isMine(id) && !knowsAll(id.owner)) {
      later(ASK_AGAIN_MS, () => over((each) => whenHere(id, each)))
      return
    }
    // Somebody else may have found it, or begun to make it again, in the meantime.
    if (entry !== undefined && entry.state !== state) over((each) => whenHere(id, each))
    else if (entry !== undefined && isMine(id) && rebuild(id)) over((each) => whenHere(id, each))
    else if (entry !== undefined && !isMine(id) && ++entry.lostFetches < MOST_LOST_FETCHES)
      over((each) => askAgain(entry, each))
    else {
      const error = notRebuilt(id)
      over((each) => each(undefined, error))
    }
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

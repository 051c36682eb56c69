import { Queue } from '@shoal/base'
import type { Clock } from '@shoal/base'
import { DETOURED_BULK_BYTES, DETOURED_BULK_STALL_MS } from './timing.ts'

/** One chunk on its way, or its announcement that a new run begins (pull 0, no bytes). */
export interface NumberedChunk {
  readonly run: number
  readonly number: number
  readonly pull: number
  readonly offset: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface DetouredBulkOptions {
  readonly clock: Clock
  send(chunk: NumberedChunk): void
  taken(run: number, chunks: number): void
  deliver(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  /** Chunks were lost: whoever serves stops, whoever pulls asks again. */
  lost(): void
}

/** So that an announcement counts as something under way. */
const LEAST_BYTES = 64

/**
 * Bulk to and from one peer over relays, which may drop or die. Chunks of a run are numbered, taken in order, and no
 * more than a window of them is under way. When nobody takes them for a while, or the run's way is gone, the run is
 * over for both ends, which start again as they do over a new link. It has no timer: `tick` is called.
 */
export class DetouredBulk {
  readonly #options: DetouredBulkOptions
  readonly #underWay = new Queue<number>()
  #underWayBytes = 0
  #run = 0
  #sentNumber = 0
  #takenNumber = 0
  #progressAt = 0
  #waiting: (() => void) | undefined
  #theirRun: number | undefined
  #theirNumber = 0

  constructor(options: DetouredBulkOptions) {
    this.#options = options
  }

  room(): number {
    return Math.max(0, DETOURED_BULK_BYTES - this.#underWayBytes)
  }

  onRoom(callback: () => void): void {
    this.#waiting = callback
  }

  send(pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#underWay.length === 0) this.#progressAt = this.#options.clock.now()
    this.#underWay.push(Math.max(LEAST_BYTES, bytes.length))
    this.#underWayBytes += Math.max(LEAST_BYTES, bytes.length)
    this.#options.send({ run: this.#run, number: this.#sentNumber++, pull, offset, bytes })
  }

  onChunk(chunk: NumberedChunk): void {
    if (this.#theirRun !== undefined && chunk.run < this.#theirRun) return
    if (chunk.run !== this.#theirRun) {
      if (chunk.number !== 0) return
      // Without bytes it says that its sender began anew: perhaps nothing of the run before has come here.
      const isAnew = this.#theirRun !== undefined || chunk.bytes.length === 0
      this.#theirRun = chunk.run
      this.#theirNumber = 0
      if (isAnew) this.#options.lost()
    }
    // After a gap nothing of the run is taken, and its sender begins another.
    if (chunk.number !== this.#theirNumber) return
    this.#theirNumber++
    this.#options.taken(chunk.run, this.#theirNumber)
    if (chunk.bytes.length > 0) this.#options.deliver(chunk.pull, chunk.offset, chunk.bytes)
  }

  onTaken(run: number, chunks: number): void {
    if (run !== this.#run || chunks > this.#sentNumber) return
    for (; this.#takenNumber < chunks; this.#takenNumber++) this.#underWayBytes -= this.#underWay.shift() ?? 0
    this.#progressAt = this.#options.clock.now()
    this.poke()
  }

  tick(now: number): void {
    if (this.#underWay.length === 0 || now - this.#progressAt < DETOURED_BULK_STALL_MS) return
    this.#restart()
    this.#options.lost()
    this.send(0, 0, new Uint8Array(0))
  }

  /** Whoever waits may look again: there was another reason than the window. */
  poke(): void {
    if (this.room() <= 0) return
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  /** The run is over without a word: there is a link now, or no way at all. */
  end(): void {
    const waiting = this.#waiting
    if (this.#sentNumber > 0) this.#restart()
    this.#waiting = undefined
    this.#theirRun = undefined
    waiting?.()
  }

  #restart(): void {
    this.#run++
    this.#sentNumber = this.#takenNumber = 0
    this.#underWay.clear()
    this.#underWayBytes = 0
    this.#waiting = undefined
  }
}

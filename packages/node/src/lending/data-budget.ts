/** The last hour in parts; the oldest is forgotten as a new one begins. */
const PART_MS = 60_000
const PARTS = 60
/** A tab that paused goes on once so much of what it may send and receive is free again. */
const GOES_ON_AT = 0.9

/** Counts the bytes of the last hour, by the minute, and says when they are too many. It knows no clock. */
export class DataBudget {
  readonly #parts = new Array<number>(PARTS).fill(0)
  #at = 0
  #last: number | undefined
  #isSpent = false

  get isSpent(): boolean {
    return this.#isSpent
  }

  /** In the last hour, to the minute. */
  get bytes(): number {
    return this.#parts.reduce((sum, each) => sum + each, 0)
  }

  /** @param total - of all time; one that is lower than before began anew */
  look(nowMs: number, total: number, bytesPerHour: number | undefined): void {
    const part = Math.floor(nowMs / PART_MS)
    for (let next = Math.max(this.#at + 1, part - PARTS + 1); next <= part; next++) this.#parts[next % PARTS] = 0
    this.#at = part
    const known = this.#last ?? total
    const since = total >= known ? total - known : total
    this.#last = total
    this.#parts[part % PARTS] = (this.#parts[part % PARTS] ?? 0) + since
    if (bytesPerHour === undefined) this.#isSpent = false
    else this.#isSpent = this.bytes >= bytesPerHour * (this.#isSpent ? GOES_ON_AT : 1)
  }
}

import { Queue } from '@shoal/base'

/** Values waiting to be checked. What overflows is dropped; the next exchange of vectors brings it again. */
const MAX_WAITING = 8_192
/** Values checked at once: enough to keep the platform's crypto threads busy. */
const CHECKED_AT_ONCE = 16

/** A value as it stands in a document, not yet believed. */
export interface SealedValue {
  readonly key: string
  readonly sealed: Uint8Array<ArrayBuffer>
}

/**
 * Runs checks of sealed values a few at a time, in the background. In what order they end is open: what they feed is a
 * join. It knows nothing of what a check is.
 */
export class CheckQueue {
  readonly #waiting = new Queue<SealedValue>(MAX_WAITING)
  readonly #check: (value: SealedValue) => Promise<void>
  readonly #onError: (error: unknown) => void
  #isRunning = false

  /** `check` failing is a bug or a broken platform: it is told to `onError`, and the values after it go on. */
  constructor(check: (value: SealedValue) => Promise<void>, onError: (error: unknown) => void) {
    this.#check = check
    this.#onError = onError
  }

  /** False when the value was dropped: too many wait. */
  push(value: SealedValue): boolean {
    const isTaken = this.#waiting.push(value)
    if (!this.#isRunning) void this.#run()
    return isTaken
  }

  clear(): void {
    this.#waiting.clear()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const batch: Promise<void>[] = []
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        batch.push(this.#check(next).catch(this.#onError))
        if (batch.length === CHECKED_AT_ONCE) break
      }
      await Promise.all(batch)
    }
    this.#isRunning = false
  }
}

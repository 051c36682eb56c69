import type { Clock } from '@shoal/base'

/**
 * What time it is, for records of tasks: in whole milliseconds since the node began, which engines keep without an object of
 * its own, and read once a batch, since reading the clock costs more than everything else that is written of a task.
 */
export class BatchTime {
  readonly #clock: Clock
  readonly #originMs: number
  readonly #epochMs: number
  #nowMs = 0
  #isFresh = false

  /** @param epochMs milliseconds since 1970 when the clock showed 0 */
  constructor(clock: Clock, epochMs: number) {
    this.#clock = clock
    this.#originMs = clock.now()
    this.#epochMs = epochMs
  }

  now(): number {
    if (this.#isFresh) return this.#nowMs
    this.#isFresh = true
    this.#nowMs = Math.trunc(this.#clock.now() - this.#originMs)
    queueMicrotask(() => (this.#isFresh = false))
    return this.#nowMs
  }

  /** Milliseconds since 1970 for what the clock showed. */
  clockToEpochMs(clockMs: number): number {
    return this.#epochMs + clockMs
  }

  /** Milliseconds since 1970 for what `now` gave. */
  toEpochMs(ms: number): number {
    return Math.round(this.#epochMs + this.#originMs) + ms
  }
}

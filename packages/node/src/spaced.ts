import type { Clock, Timer } from '@shoal/base'

/**
 * Calls `run` when it is asked to, and no more often than every `everyMs`. What is asked too early is done later, never
 * dropped; many early asks are one. States: quiet -> waiting (an early ask) -> quiet; any -> closed.
 */
export class Spaced {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #run: () => void
  #ranAtMs: number | undefined
  #timer: Timer | undefined
  #isClosed = false

  constructor(clock: Clock, everyMs: number, run: () => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#run = run
  }

  ask(): void {
    if (this.#isClosed || this.#timer !== undefined) return
    const waitMs = this.#ranAtMs === undefined ? 0 : this.#ranAtMs + this.#everyMs - this.#clock.now()
    if (waitMs <= 0) this.#fire()
    else this.#timer = this.#clock.after(waitMs, () => this.#fire())
  }

  /** Nothing is called any more. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #fire(): void {
    this.#timer = undefined
    this.#ranAtMs = this.#clock.now()
    this.#run()
  }
}

import type { Clock } from '@shoal/base'

/** Allows `burst` at once and `perSecond` lasting (Turner's leaky bucket as a meter). */
export class TokenBucket {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #filledAt: number

  constructor(clock: Clock, options: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock
    this.#perSecond = options.perSecond
    this.#burst = options.burst
    this.#tokens = options.burst
    this.#filledAt = clock.now()
  }

  /** Takes `amount` tokens, or none and false when there are fewer. */
  take(amount: number): boolean {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = now
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }
}

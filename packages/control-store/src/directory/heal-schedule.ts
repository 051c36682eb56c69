import type { Clock, Timer } from '@shoal/base'

/**
 * Keys whose record the document lacks, each with the time at which it is put back; one timer for all. It knows nothing
 * of records: whether a key is still lacking is asked again when its time has come.
 */
export class HealSchedule {
  readonly #clock: Clock
  readonly #heal: (keys: readonly string[]) => void
  readonly #due = new Map<string, number>()
  #timer: Timer | undefined
  #timerMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, heal: (keys: readonly string[]) => void) {
    this.#clock = clock
    this.#heal = heal
  }

  has(key: string): boolean {
    return this.#due.has(key)
  }

  add(key: string, delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    this.#due.set(key, dueMs)
    this.#arm(dueMs)
  }

  remove(key: string): void {
    this.#due.delete(key)
  }

  clear(): void {
    this.#due.clear()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerMs = Number.POSITIVE_INFINITY
  }

  /** An earlier timer is left to fire, and then finds what is due and what comes next. */
  #arm(dueMs: number): void {
    if (dueMs >= this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = dueMs
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => this.#fire())
  }

  #fire(): void {
    this.#timer = undefined
    this.#timerMs = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    const keys: string[] = []
    let next = Number.POSITIVE_INFINITY
    for (const [key, dueMs] of this.#due) {
      if (dueMs <= now) keys.push(key)
      else next = Math.min(next, dueMs)
    }
    for (const key of keys) this.#due.delete(key)
    if (next < Number.POSITIVE_INFINITY) this.#arm(next)
    if (keys.length > 0) this.#heal(keys)
  }
}

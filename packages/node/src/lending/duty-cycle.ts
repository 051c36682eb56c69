import type { Clock, Timer } from '@shoal/base'

/** How much of it may be saved up, for each worker: a pause between two bursts is short, and few are needed. */
const SAVED_MS = 250

export interface DutyCycleOptions {
  readonly clock: Clock
  /** Workers in which work of others runs at this moment. */
  running(): number
  /** It has to rest now, or may go on. */
  changed(isResting: boolean): void
}

/**
 * Keeps the time for which others' work is in this tab's workers to a share of the time that passes. A bucket of worker
 * milliseconds: it fills at share x workers, empties at the number of workers that run, and what is taken past its bottom,
 * since nothing is stopped in the middle, is waited for before anything new begins. So the share holds however long tasks
 * are. States: off, running <-> resting.
 */
export class DutyCycle {
  readonly #options: DutyCycleOptions
  #share = 1
  #workers = 1
  #saved = 0
  #running = 0
  #atMs: number
  #isResting = false
  #timer: Timer | undefined

  constructor(options: DutyCycleOptions) {
    this.#options = options
    this.#atMs = options.clock.now()
  }

  get isResting(): boolean {
    return this.#isResting
  }

  /** @param share - of the time, above 0; 1 is no limit */
  set(share: number, workers: number): void {
    if (share === this.#share && workers === this.#workers) return
    const wasOff = this.#share >= 1
    this.#look()
    this.#share = share
    this.#workers = Math.max(1, workers)
    if (wasOff) this.#saved = this.#most
    this.#decide()
  }

  /** Something may have begun or ended. */
  look(): void {
    if (this.#share >= 1) return
    this.#look()
    this.#decide()
  }

  /** Time that others' work took beside the workers that are counted. */
  took(ms: number): void {
    if (this.#share >= 1) return
    this.#look()
    this.#saved -= ms
    this.#decide()
  }

  close(): void {
    this.#timer?.cancel()
    this.#share = 1
  }

  get #most(): number {
    return SAVED_MS * this.#workers
  }

  #look(): void {
    const now = this.#options.clock.now()
    const gained = (this.#share * this.#workers - this.#running) * (now - this.#atMs)
    this.#saved = Math.min(this.#most, this.#saved + gained)
    this.#atMs = now
    this.#running = this.#options.running()
  }

  #decide(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const isOff = this.#share >= 1
    const isResting = !isOff && (this.#isResting ? this.#saved < this.#most : this.#saved <= 0)
    if (!isOff) {
      const perMs = this.#share * this.#workers - this.#running
      const missing = isResting ? this.#most - this.#saved : -this.#saved
      // Away from that bound it stays as it is until something begins or ends.
      const inMs = Math.ceil(missing / perMs)
      if (inMs > 0 && inMs < Infinity) this.#timer = this.#options.clock.after(inMs, () => this.look())
    }
    if (isResting === this.#isResting) return
    this.#isResting = isResting
    this.#options.changed(isResting)
  }
}

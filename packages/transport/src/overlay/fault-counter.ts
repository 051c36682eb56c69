import type { Clock } from '@shoal/base'
import { FAULTS_LIMIT, FAULTS_WINDOW_MS } from './timing.ts'

/** Counts a peer's faults on one link. One may be an accident of versions or timing, three in a row are a bad peer. */
export class FaultCounter {
  readonly #clock: Clock
  #recent: number[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one fault; true when the link must be closed. */
  add(): boolean {
    const now = this.#clock.now()
    this.#recent = this.#recent.filter((at) => now - at < FAULTS_WINDOW_MS)
    this.#recent.push(now)
    return this.#recent.length >= FAULTS_LIMIT
  }
}

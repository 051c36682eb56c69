import type { Clock } from '@shoal/base'
import type { Traffic } from './traffic.ts'

/** The times in a link's beats: ours, and the peer's given back with how long we kept it, which measures the way. */
export class BeatMeter {
  readonly #clock: Clock
  readonly #traffic: Traffic
  readonly #origin: number
  #theirs: { readonly sentAtMs: number; readonly receivedAt: number } | undefined

  constructor(clock: Clock, traffic: Traffic) {
    this.#clock = clock
    this.#traffic = traffic
    this.#origin = clock.now()
  }

  /** What the next beat carries. */
  next(): { readonly sentAtMs: number; readonly echoMs: number } {
    const theirs = this.#theirs
    // Each of their beats is given back once: a later echo would measure the same way again.
    this.#theirs = undefined
    const echoMs = theirs === undefined ? 0 : Math.round(theirs.sentAtMs + this.#clock.now() - theirs.receivedAt)
    return { sentAtMs: this.#now(), echoMs }
  }

  heard(sentAtMs: number, echoMs: number): void {
    this.#theirs = { sentAtMs, receivedAt: this.#clock.now() }
    if (echoMs > 0) this.#traffic.measured(Math.max(0, this.#now() - echoMs))
  }

  /** Whole milliseconds since the link began, from 1, as 0 stands for no echo. */
  #now(): number {
    return 1 + Math.round(this.#clock.now() - this.#origin)
  }
}

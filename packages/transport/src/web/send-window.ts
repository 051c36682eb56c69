/** How much may wait in front of the network: longer, and a heartbeat on the same association waits behind it. */
const WINDOW_MS = 50
const MIN_BYTES = 64 * 1024
const MAX_BYTES = 4 * 1024 * 1024
/** Shorter intervals measure the event loop rather than the network. */
const SAMPLE_MS = 20
const SMOOTHING = 0.3

/**
 * The window of one bulk lane: about 50 ms of the rate at which its buffer empties, measured while there is something
 * in it. Pure: times are given in milliseconds.
 */
export class SendWindow {
  #rate: number | undefined
  #startedAt = 0
  #drainedBytes = 0
  #lastBuffered = 0

  /** Bytes that may wait. */
  get bytes(): number {
    const wanted = ((this.#rate ?? 0) * WINDOW_MS) / 1000
    return Math.min(MAX_BYTES, Math.max(MIN_BYTES, Math.round(wanted)))
  }

  /** Bytes a second; undefined until measured. */
  get rate(): number | undefined {
    return this.#rate
  }

  /** `sent` bytes were added at `now`; `buffered` wait after it. Called with 0 to note what has drained. */
  note(now: number, sent: number, buffered: number): void {
    const before = this.#lastBuffered
    if (before === 0) {
      // It was idle: that time says nothing about the network.
      this.#startedAt = now
      this.#drainedBytes = 0
    }
    this.#drainedBytes += Math.max(0, before + sent - buffered)
    this.#lastBuffered = buffered
    const elapsed = now - this.#startedAt
    if (elapsed < SAMPLE_MS) return
    const sample = (this.#drainedBytes / elapsed) * 1000
    this.#rate = this.#rate === undefined ? sample : this.#rate + SMOOTHING * (sample - this.#rate)
    this.#startedAt = now
    this.#drainedBytes = 0
  }
}

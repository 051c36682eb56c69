/** What went between us and one peer, over all its links. */
export class Traffic {
  bytesSent = 0
  bytesReceived = 0
  /** Frames and signals that a correct peer does not send. */
  faults = 0
  #roundTripMs: number | undefined

  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Smoothed as TCP does it (RFC 6298: an eighth of each new sample). */
  measured(sampleMs: number): void {
    this.#roundTripMs = this.#roundTripMs === undefined ? sampleMs : this.#roundTripMs * 0.875 + sampleMs * 0.125
  }
}

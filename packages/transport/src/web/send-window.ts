import { Queue } from '@shoal/base'

/** How much longer than on an empty path bulk may be under way: a heartbeat on the same association waits behind it. */
const WINDOW_MS = 50
/** Two chunks: one is on its way while the report of the other comes back. */
const LEAST_BYTES = 128 * 1024
/**
 * Beyond what the path itself holds: a machine's UDP buffers are about 200 kB, and when a burst overflows them on a busy
 * machine SCTP goes silent for seconds (docs/decisions/002).
 */
const QUEUE_BYTES = 192 * 1024
/** On a path of no length worth naming. */
const SHORT_PATH_BYTES = 256 * 1024
const MOST_BYTES = 4 * 1024 * 1024
const SMOOTHING = 0.3

interface Sent {
  /** Bytes sent so far, with this message. */
  readonly total: number
  readonly at: number
  /** What had been taken when it was sent, and since when: the time of that report, or of this message after a pause. */
  readonly taken: number
  readonly takenAt: number
}

/**
 * The window of one bulk lane over everything that the other side has not reported as taken: in our buffers, in SCTP's,
 * and in queues on the way, which nothing else here can see. It is the rate at which reports come times the least round
 * trip plus 50 ms of it, at most 192 KiB; while a full window comes back with less than half of that delay it is doubled each round, as in
 * slow start. Rate samples are taken as in "Delivery Rate Estimation" (draft-cheng-iccrg-delivery-rate-estimation).
 * Pure: times are given in milliseconds.
 */
export class SendWindow {
  readonly #underWay = new Queue<Sent>()
  #bytes = LEAST_BYTES
  #sent = 0
  #taken = 0
  #takenAt = 0
  #rate: number | undefined
  #leastMs = Number.POSITIVE_INFINITY
  /** `#sent` when the window was last full. */
  #fullTotal = 0
  /** The report of this much ends the round, by a message that filled the window and so waited behind all of it. */
  #roundTotal: number | undefined
  #faults = 0

  /** Bytes that may be under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes that may be sent now; negative when it is overfull. */
  get room(): number {
    return this.#bytes - (this.#sent - this.#taken)
  }

  /** Bytes a second; undefined until measured. */
  get rate(): number | undefined {
    return this.#rate
  }

  /** Reports that cannot be true, and were ignored. */
  get faults(): number {
    return this.#faults
  }

  noteSent(now: number, bytes: number): void {
    const takenAt = this.#sent === this.#taken ? now : this.#takenAt
    this.#sent += bytes
    this.#underWay.push({ total: this.#sent, at: now, taken: this.#taken, takenAt })
    if (this.room > 0) return
    this.#fullTotal = this.#sent
    this.#roundTotal ??= this.#sent
  }

  /** The other side says how many bytes it has taken so far. False: that cannot be; it was counted and changes nothing. */
  noteTaken(now: number, total: number): boolean {
    if (!Number.isSafeInteger(total) || total <= this.#taken || total > this.#sent) {
      this.#faults++
      return false
    }
    this.#taken = total
    this.#takenAt = now
    let last: Sent | undefined
    for (let next = this.#underWay.peek(); next && next.total <= total; next = this.#underWay.peek()) {
      last = next
      this.#underWay.shift()
    }
    if (last) this.#measure(now, last)
    return true
  }

  #measure(now: number, last: Sent): void {
    const elapsedMs = now - last.at
    this.#leastMs = Math.min(this.#leastMs, elapsedMs)
    // Clocks in browsers are coarse: 0 ms would be no rate.
    const sample = ((this.#taken - last.taken) / Math.max(1, now - last.takenAt)) * 1000
    // A sender with little to send measures itself: its sample can only say that the path is at least as fast.
    if (this.#rate === undefined) this.#rate = sample
    else if (sample > this.#rate || last.total <= this.#fullTotal) this.#rate += SMOOTHING * (sample - this.#rate)
    if (this.#roundTotal === undefined || this.#taken < this.#roundTotal) return
    this.#roundTotal = undefined
    const queueMs = Math.min(WINDOW_MS, (QUEUE_BYTES / this.#rate) * 1000)
    const heldByPath = (this.#rate * this.#leastMs) / 1000
    const wanted =
      elapsedMs <= this.#leastMs + queueMs / 2
        ? Math.min(this.#bytes * 2, Math.max(SHORT_PATH_BYTES, 2 * heldByPath))
        : heldByPath + (this.#rate * queueMs) / 1000
    this.#bytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.round(wanted)))
  }
}

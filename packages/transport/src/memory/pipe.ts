import { Queue } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'

export type Lane = 'control' | 'bulk'

interface Parcel {
  /** `end`: the sender closed; it travels behind everything sent before. */
  readonly lane: Lane | 'end'
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly leavesAt: number
  arrivesAt: number
  hasLeft: boolean
}

const NOTHING = new Uint8Array(0)

/**
 * One direction of a memory link: a path with a rate and a latency on which parcels keep their order. A parcel leaves
 * when the path is free, arrives a latency later, and is handed over in a timer of the receiver's clock, so that a
 * frozen receiver takes nothing. Without rate and latency it goes through a microtask and needs no timer.
 */
export class MemoryPipe {
  readonly #options: MemoryPipeOptions
  readonly #parcels = new Queue<Parcel>()
  readonly #outlet: Outlet
  #lastArrival = 0
  /** Bytes of bulk that have not left, or with an unlimited rate, not arrived. */
  #waitingBytes = 0
  #roomCallback: (() => void) | undefined
  #roomTimer: Timer | undefined
  #arrivalTimer: Timer | undefined
  #isArrivalDue = false
  #isHeld = false
  #isDropped = false

  constructor(options: MemoryPipeOptions) {
    this.#options = options
    this.#outlet = options.outlet ?? { freeAt: 0 }
  }

  send(lane: Lane | 'end', bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isDropped) return
    const { clock, latency, bytesPerSecond } = this.#options
    const leavesAt = Math.max(clock.now(), this.#outlet.freeAt) + (bytes.length / bytesPerSecond) * 1000
    this.#outlet.freeAt = leavesAt
    const arrivesAt = Math.max(this.#lastArrival, leavesAt + latency())
    this.#lastArrival = arrivesAt
    if (lane === 'bulk') this.#waitingBytes += bytes.length
    this.#parcels.push({ lane, bytes, leavesAt, arrivesAt, hasLeft: false })
    this.#schedule()
  }

  sendEnd(): void {
    this.send('end', NOTHING)
  }

  bulkRoom(): number {
    this.#settleDepartures()
    return this.#options.windowBytes - this.#waitingBytes
  }

  onRoom(callback: () => void): void {
    this.#roomCallback = callback
    this.#watchRoom()
  }

  /** The link has ended: a waiter must not wait for ever. */
  releaseWaiter(): void {
    this.#roomTimer?.cancel()
    this.#roomTimer = undefined
    const callback = this.#roomCallback
    this.#roomCallback = undefined
    if (callback !== undefined) queueMicrotask(callback)
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    if (isHeld) {
      this.#arrivalTimer?.cancel()
      this.#arrivalTimer = undefined
    } else this.#schedule()
  }

  /** Nothing under way arrives any more. */
  drop(): void {
    this.#isDropped = true
    this.#parcels.clear()
    this.#arrivalTimer?.cancel()
    this.#arrivalTimer = undefined
    this.releaseWaiter()
  }

  #watchRoom(): void {
    if (this.#roomCallback === undefined) return
    if (this.bulkRoom() > 0) {
      this.releaseWaiter()
      return
    }
    const { clock, senderClock, bytesPerSecond } = this.#options
    if (!Number.isFinite(bytesPerSecond)) return
    const next = this.#firstWaiting()
    if (next === undefined) return
    this.#roomTimer?.cancel()
    this.#roomTimer = senderClock.after(Math.max(0, next.leavesAt - clock.now()), () => {
      this.#roomTimer = undefined
      this.#watchRoom()
    })
  }

  #firstWaiting(): Parcel | undefined {
    for (const parcel of this.#parcels) if (parcel.lane === 'bulk' && !parcel.hasLeft) return parcel
    return undefined
  }

  #settleDepartures(): void {
    if (!Number.isFinite(this.#options.bytesPerSecond)) return
    const now = this.#options.clock.now()
    for (const parcel of this.#parcels) {
      if (parcel.leavesAt > now) return
      this.#left(parcel)
    }
  }

  #left(parcel: Parcel): void {
    if (parcel.hasLeft) return
    parcel.hasLeft = true
    if (parcel.lane === 'bulk') this.#waitingBytes -= parcel.bytes.length
  }

  #schedule(): void {
    const next = this.#parcels.peek()
    if (next === undefined || this.#isHeld || this.#isArrivalDue || this.#arrivalTimer !== undefined) return
    const { clock, receiverClock } = this.#options
    const delay = next.arrivesAt - clock.now()
    if (delay > 0) {
      this.#arrivalTimer = receiverClock.after(delay, () => {
        this.#arrivalTimer = undefined
        this.#arrive()
      })
      return
    }
    this.#isArrivalDue = true
    queueMicrotask(() => {
      this.#isArrivalDue = false
      this.#arrive()
    })
  }

  #arrive(): void {
    const { clock, arrive, arriveEnd } = this.#options
    const now = clock.now()
    for (let next = this.#parcels.peek(); next && !this.#isHeld; next = this.#parcels.peek()) {
      // A timer may fire a fraction of a millisecond early, by rounding.
      if (next.arrivesAt > now + 0.5) break
      this.#parcels.shift()
      this.#left(next)
      if (next.lane === 'end') arriveEnd()
      else arrive(next.lane, next.bytes)
    }
    this.#watchRoom()
    this.#schedule()
  }
}

/** What all that one node sends goes through, where it has no more than one path's rate for all of them. */
export interface Outlet {
  freeAt: number
}

export interface MemoryPipeOptions {
  readonly clock: Clock
  readonly senderClock: Clock
  readonly receiverClock: Clock
  readonly latency: () => number
  readonly bytesPerSecond: number
  /** Default: one of its own. */
  readonly outlet?: Outlet | undefined
  readonly windowBytes: number
  readonly arrive: (lane: Lane, bytes: Uint8Array<ArrayBuffer>) => void
  readonly arriveEnd: () => void
}

import type { Clock } from '@shoal/base'
import { LIMITS } from '@shoal/protocol'
import type { Link, LinkEnd, LinkHandlers } from '../link.ts'
import { MemoryPipe } from './pipe.ts'
import type { Lane, Outlet } from './pipe.ts'

export interface MemoryLinkOptions {
  readonly clock: Clock
  /** One way, in milliseconds; a function is asked for each message. Order is kept. 0: delivered in a microtask. */
  readonly latencyMs?: number | (() => number)
  /** Of the path, each way, shared by both lanes. Unlimited by default. */
  readonly bytesPerSecond?: number
  /** Of nodes that share their rate among all their links. */
  readonly outlets?: { readonly a: Outlet; readonly b: Outlet } | undefined
  /** The clocks of the two ends, where these can be frozen apart from each other: nothing arrives at a frozen one. */
  readonly endClocks?: { readonly a: Clock; readonly b: Clock }
}

/** Two ends of one link in one process, and the hands that break it. */
export interface MemoryLinkPair {
  readonly a: Link
  readonly b: Link
  /** Holds back what is under way in a direction, or lets it go on: nothing is lost, as over SCTP. */
  hold(direction: 'a-to-b' | 'b-to-a', isHeld: boolean): void
  /** Ends one side or both as `failed`; what was under way to it is lost. */
  fail(end?: 'a' | 'b'): void
  /** Whether both ends have ended. */
  readonly isOver: boolean
}

/** 50 ms of the rate, but two chunks at least; where the rate is unlimited, a bound on what was not taken yet. */
const WINDOW_SECONDS = 0.05
const UNLIMITED_WINDOW_BYTES = 4 * 1024 * 1024

export function createMemoryLinkPair(options: MemoryLinkOptions): MemoryLinkPair {
  const { clock, latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, endClocks, outlets } = options
  const latency = typeof latencyMs === 'number' ? (): number => latencyMs : latencyMs
  const windowBytes = Number.isFinite(bytesPerSecond)
    ? Math.max(2 * LIMITS.bulkChunkBytes, bytesPerSecond * WINDOW_SECONDS)
    : UNLIMITED_WINDOW_BYTES
  const a = new MemoryLink()
  const b = new MemoryLink()
  const clockOfA = endClocks?.a ?? clock
  const clockOfB = endClocks?.b ?? clock
  const pipe = (senderClock: Clock, receiver: MemoryLink, receiverClock: Clock, outlet?: Outlet): MemoryPipe =>
    new MemoryPipe({
      clock,
      senderClock,
      receiverClock,
      latency,
      bytesPerSecond,
      outlet,
      windowBytes,
      arrive: (lane, bytes) => {
        receiver.arrive(lane, bytes)
      },
      arriveEnd: () => {
        receiver.end('closed-there')
      },
    })
  const toB = pipe(clockOfA, b, clockOfB, outlets?.a)
  const toA = pipe(clockOfB, a, clockOfA, outlets?.b)
  a.connect(toB, toA)
  b.connect(toA, toB)
  return {
    a,
    b,
    hold(direction, isHeld) {
      if (direction === 'a-to-b') toB.hold(isHeld)
      else toA.hold(isHeld)
    },
    fail(end) {
      if (end !== 'b') a.end('failed')
      if (end !== 'a') b.end('failed')
    },
    get isOver() {
      return a.isOver && b.isOver
    },
  }
}

/** One end: ready -> started -> over. Its two pipes do the carrying. */
class MemoryLink implements Link {
  #out: MemoryPipe | undefined
  #in: MemoryPipe | undefined
  #handlers: LinkHandlers | undefined
  #early: { readonly lane: Lane; readonly bytes: Uint8Array<ArrayBuffer> }[] = []
  #end: LinkEnd | undefined
  #isTold = false

  get isOver(): boolean {
    return this.#end !== undefined
  }

  connect(out: MemoryPipe, incoming: MemoryPipe): void {
    this.#out = out
    this.#in = incoming
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers
    const early = this.#early
    this.#early = []
    for (const { lane, bytes } of early) if (this.#end !== 'closed-here') handlers[lane](bytes)
    if (this.#end !== undefined) this.#tellEnd(this.#end)
  }

  sendControl(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.isOver) this.#out?.send('control', bytes)
  }

  sendBulk(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.isOver) this.#out?.send('bulk', bytes)
  }

  bulkRoom(): number {
    return this.isOver ? 0 : (this.#out?.bulkRoom() ?? 0)
  }

  onBulkRoom(callback: () => void): void {
    if (this.isOver) queueMicrotask(callback)
    else this.#out?.onRoom(callback)
  }

  close(): void {
    if (this.isOver) return
    this.#out?.sendEnd()
    this.end('closed-here')
  }

  arrive(lane: Lane, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isOver) return
    if (this.#handlers === undefined) this.#early.push({ lane, bytes })
    else this.#handlers[lane](bytes)
  }

  end(why: LinkEnd): void {
    if (this.isOver) return
    this.#end = why
    // What was sent before our own close goes on; in every other case nobody is left to take it.
    if (why !== 'closed-here') this.#out?.drop()
    this.#in?.drop()
    this.#out?.releaseWaiter()
    this.#tellEnd(why)
  }

  #tellEnd(why: LinkEnd): void {
    if (this.#handlers === undefined || this.#isTold) return
    this.#isTold = true
    this.#handlers.ended(why)
  }
}

import { assert, Queue } from '@shoal/base'
import type { Link, LinkEnd, LinkHandlers } from '../link.ts'
import type { Lane } from './lane.ts'
import { SendWindow } from './send-window.ts'

/** So much is reported at once: each report is a packet that the sender's thread handles, and dear on a fast path. */
const REPORT_BYTES = 64 * 1024
/** Less than that is reported this long after it came. */
const REPORT_AFTER_MS = 5

/**
 * A link over two lanes of one WebRTC connection. It knows nothing of how they came to be or where they live.
 * The two ends report to each other, as words on the bulk lane, how many bulk bytes they have delivered: decimal, from
 * the beginning of the link.
 * States: kept (messages wait for `start`) -> started -> ended.
 */
export class RtcLink implements Link {
  readonly #control: Lane
  readonly #bulk: Lane
  readonly #onClose: () => void
  readonly #window = new SendWindow()
  readonly #kept = new Queue<{ readonly lane: 'control' | 'bulk'; readonly bytes: Uint8Array<ArrayBuffer> }>()
  #handlers: LinkHandlers | undefined
  #end: LinkEnd | undefined
  #isTold = false
  #waiter: (() => void) | undefined
  #taken = 0
  #reported = 0
  #reportTimer: ReturnType<typeof setTimeout> | undefined
  #strayWords = 0

  /** `onClose`: this side ends the link; the lanes are closed after what was sent. */
  constructor(lanes: { readonly control: Lane; readonly bulk: Lane }, onClose: () => void) {
    this.#control = lanes.control
    this.#bulk = lanes.bulk
    this.#onClose = onClose
  }

  /** Words of the other side that say nothing true, and were ignored. */
  get faults(): number {
    return this.#strayWords + this.#window.faults
  }

  start(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, 'a link is started once')
    this.#handlers = handlers
    for (let kept = this.#kept.shift(); kept; kept = this.#kept.shift()) {
      if (this.#end !== 'closed-here') this.#deliver(handlers, kept.lane, kept.bytes)
    }
    this.#tellEnd()
  }

  sendControl(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end === undefined) this.#control.send(bytes)
  }

  sendBulk(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end !== undefined) return
    this.#window.noteSent(performance.now(), bytes.length)
    this.#bulk.send(bytes)
  }

  bulkRoom(): number {
    return this.#end === undefined ? Math.max(0, this.#window.room) : 0
  }

  onBulkRoom(callback: () => void): void {
    this.#waiter = callback
    if (this.bulkRoom() > 0 || this.#end !== undefined) queueMicrotask(() => this.#wake())
  }

  close(): void {
    if (this.#end !== undefined) return
    this.#onClose()
    this.ended('closed-here')
  }

  // What the connection reports:

  received(lane: 'control' | 'bulk', bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end !== undefined) return
    if (this.#handlers === undefined) this.#kept.push({ lane, bytes })
    else this.#deliver(this.#handlers, lane, bytes)
  }

  said(lane: 'control' | 'bulk', text: string): void {
    if (this.#end !== undefined) return
    if (lane !== 'bulk' || !/^[0-9]{1,16}$/.test(text)) this.#strayWords++
    else if (this.#window.noteTaken(performance.now(), Number(text)) && this.bulkRoom() > 0) this.#wake()
  }

  ended(why: LinkEnd): void {
    if (this.#end !== undefined) return
    this.#end = why
    clearTimeout(this.#reportTimer)
    if (this.#kept.length === 0) this.#tellEnd()
    this.#wake()
  }

  #deliver(handlers: LinkHandlers, lane: 'control' | 'bulk', bytes: Uint8Array<ArrayBuffer>): void {
    // Before the handler, which may give the bytes away. What waits for `start` is not reported: that bounds it.
    if (lane === 'bulk') this.#take(bytes.length)
    handlers[lane](bytes)
  }

  #take(bytes: number): void {
    this.#taken += bytes
    if (this.#taken - this.#reported >= REPORT_BYTES) this.#report()
    else this.#reportTimer ??= setTimeout(() => this.#report(), REPORT_AFTER_MS)
  }

  #report(): void {
    clearTimeout(this.#reportTimer)
    this.#reportTimer = undefined
    if (this.#end !== undefined || this.#taken === this.#reported) return
    this.#reported = this.#taken
    this.#bulk.say(String(this.#taken))
  }

  #tellEnd(): void {
    if (this.#end === undefined || this.#handlers === undefined || this.#isTold) return
    this.#isTold = true
    this.#handlers.ended(this.#end)
  }

  #wake(): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.()
  }
}

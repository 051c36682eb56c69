import { assert, Queue } from '@shoal/base'
import type { Link, LinkEnd, LinkHandlers } from '../link.ts'
import type { Lane } from './lane.ts'
import { SendWindow } from './send-window.ts'

/**
 * A link over two lanes of one WebRTC connection. It knows nothing of how they came to be or where they live.
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

  /** `onClose`: this side ends the link; the lanes are closed after what was sent. */
  constructor(lanes: { readonly control: Lane; readonly bulk: Lane }, onClose: () => void) {
    this.#control = lanes.control
    this.#bulk = lanes.bulk
    this.#onClose = onClose
    this.#bulk.setLowMark(this.#window.bytes / 2)
  }

  start(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, 'a link is started once')
    this.#handlers = handlers
    for (let kept = this.#kept.shift(); kept; kept = this.#kept.shift()) {
      if (this.#end !== 'closed-here') handlers[kept.lane](kept.bytes)
    }
    this.#tellEnd()
  }

  sendControl(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end === undefined) this.#control.send(bytes)
  }

  sendBulk(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end !== undefined) return
    const { length } = bytes
    // What drained before is noted first, so that it is not mixed up with what is sent now.
    this.#window.note(performance.now(), 0, this.#bulk.buffered)
    this.#bulk.send(bytes)
    this.#window.note(performance.now(), length, this.#bulk.buffered)
  }

  bulkRoom(): number {
    return this.#end === undefined ? Math.max(0, this.#window.bytes - this.#bulk.buffered) : 0
  }

  onBulkRoom(callback: () => void): void {
    assert(this.#waiter === undefined, 'one waits for room at a time')
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
    else this.#handlers[lane](bytes)
  }

  drained(): void {
    this.#window.note(performance.now(), 0, this.#bulk.buffered)
    this.#bulk.setLowMark(this.#window.bytes / 2)
    if (this.bulkRoom() > 0) this.#wake()
  }

  ended(why: LinkEnd): void {
    if (this.#end !== undefined) return
    this.#end = why
    if (this.#kept.length === 0) this.#tellEnd()
    this.#wake()
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

import { Queue } from '@shoal/base'
import type { Lane, LaneHandlers } from './lane.ts'

/** A channel's own buffer ends at 16 MiB in Chromium, where `send` throws: what comes sooner waits here, in order. */
const CHANNEL_BUFFER_BYTES = 4 * 1024 * 1024

/** SCTP's cause for an association that the other side closed on purpose (RFC 4960, 3.3.10.12). */
const USER_INITIATED_ABORT = 12

/**
 * A lane over a data channel that this thread holds: in the node worker after a transfer, else on the page.
 * States: connecting -> open -> closing (still sending what waits) -> closed.
 */
export class ChannelLane implements Lane {
  readonly #channel: RTCDataChannel
  readonly #handlers: LaneHandlers
  readonly #waiting = new Queue<Uint8Array<ArrayBuffer> | string>()
  #hasOpened = false
  #isClosing = false
  #isClosed = false
  #isFailure = false

  constructor(channel: RTCDataChannel, handlers: LaneHandlers) {
    this.#channel = channel
    this.#handlers = handlers
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = CHANNEL_BUFFER_BYTES / 2
    channel.onopen = () => this.#open()
    channel.onmessage = (event: MessageEvent<unknown>) => {
      // The first message may come before the event that says so (seen in Chromium 156 after a transfer).
      this.#open()
      if (this.#isClosed) return
      if (event.data instanceof ArrayBuffer) this.#handlers.message(new Uint8Array(event.data))
      else if (typeof event.data === 'string') this.#handlers.said(event.data)
    }
    channel.onbufferedamountlow = () => this.#drain()
    channel.onerror = (event) => {
      this.#isFailure = event.error.sctpCauseCode !== USER_INITIATED_ABORT
    }
    channel.onclose = () => this.#end()
    // What happened before the handlers stood, in particular during a transfer, is not said again.
    queueMicrotask(() => this.check())
  }

  get isOpen(): boolean {
    return this.#hasOpened && !this.#isClosed
  }

  /** Looks at the channel itself, since events can be lost while it changes hands (w3c/webrtc-pc#3058). */
  check(): void {
    if (this.#channel.readyState === 'open') this.#open()
    else if (this.#channel.readyState === 'closed') this.#end()
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#put(bytes)
  }

  say(text: string): void {
    this.#put(text)
  }

  close(): void {
    if (this.#isClosing || this.#isClosed) return
    this.#isClosing = true
    if (this.#waiting.length === 0) this.#channel.close()
  }

  #put(data: Uint8Array<ArrayBuffer> | string): void {
    if (this.#isClosed || this.#isClosing) return
    if (this.#waiting.length === 0 && this.#hasRoom()) this.#hand(data)
    else this.#waiting.push(data)
  }

  #hasRoom(): boolean {
    return this.#channel.readyState === 'open' && this.#channel.bufferedAmount < CHANNEL_BUFFER_BYTES
  }

  #open(): void {
    if (this.#hasOpened || this.#isClosed) return
    this.#hasOpened = true
    this.#handlers.opened()
    this.#drain()
  }

  #drain(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      const data = this.#waiting.shift()
      if (data === undefined) break
      this.#hand(data)
    }
    if (!this.#isClosed && this.#isClosing && this.#waiting.length === 0) this.#channel.close()
  }

  #hand(data: Uint8Array<ArrayBuffer> | string): void {
    try {
      if (typeof data === 'string') this.#channel.send(data)
      else this.#channel.send(data)
    } catch {
      // It closed a moment ago, or took less than it should: either way bytes are lost and the lane with them.
      this.#isFailure = true
      this.#channel.close()
      this.#end()
    }
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting.clear()
    this.#handlers.closed(this.#isFailure)
  }
}

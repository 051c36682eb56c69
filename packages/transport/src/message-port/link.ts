import { assert } from '@shoal/base'
import type { Link, LinkEnd, LinkHandlers } from '../link.ts'

/** What a link needs of a MessagePort; dedicated workers and Node's ports have it too. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message' | 'close', listener: (event: { readonly data?: unknown }) => void): void
  removeEventListener(type: 'message' | 'close', listener: (event: { readonly data?: unknown }) => void): void
  /** Ports hold messages back until they are started; workers have no such method. */
  start?(): void
  close?(): void
}

/** Bulk bytes that the other thread has not taken yet: some 5 ms of what a port carries. */
const WINDOW_BYTES = 4 * 1024 * 1024

/** What crosses the port: `[kind, bytes]`, or `[TAKEN, count]`. */
const CONTROL = 0
const BULK = 1
const TAKEN = 2
const END = 3

/**
 * A link to another thread of the same program. Buffers move, they are not copied. The other thread says what it has
 * taken, so that a slow one is not buried in bulk; and it says when it ends, for a port tells nobody that it closed.
 * States: ready -> started -> over. The port is trusted: what is not ours is a bug.
 */
export function createMessagePortLink(port: MessagePortLike): Link {
  return new MessagePortLink(port)
}

class MessagePortLink implements Link {
  readonly #port: MessagePortLike
  #handlers: LinkHandlers | undefined
  #end: LinkEnd | undefined
  #waitingBytes = 0
  #roomCallback: (() => void) | undefined

  constructor(port: MessagePortLike) {
    this.#port = port
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers
    if (this.#end !== undefined) {
      handlers.ended(this.#end)
      return
    }
    this.#port.addEventListener('message', this.#onMessage)
    this.#port.addEventListener('close', this.#onClose)
    this.#port.start?.()
  }

  sendControl(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end === undefined) this.#post(CONTROL, bytes)
  }

  sendBulk(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#end !== undefined) return
    this.#waitingBytes += bytes.length
    this.#post(BULK, bytes)
  }

  bulkRoom(): number {
    return this.#end === undefined ? WINDOW_BYTES - this.#waitingBytes : 0
  }

  onBulkRoom(callback: () => void): void {
    this.#roomCallback = callback
    if (this.#end !== undefined || this.bulkRoom() > 0) queueMicrotask(this.#tellRoom)
  }

  close(): void {
    if (this.#end !== undefined) return
    this.#port.postMessage([END], [])
    this.#over('closed-here')
  }

  #post(kind: number, bytes: Uint8Array<ArrayBuffer>): void {
    // A view of a larger buffer would drag the rest along, and take it from whoever else holds a view.
    const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
    this.#port.postMessage([kind, whole], [whole.buffer])
  }

  readonly #onMessage = (event: { readonly data?: unknown }): void => {
    if (this.#end !== undefined) return
    const [kind, content] = event.data as [number, Uint8Array<ArrayBuffer> | number]
    if (kind === CONTROL) this.#handlers?.control(content as Uint8Array<ArrayBuffer>)
    else if (kind === BULK) this.#onBulk(content as Uint8Array<ArrayBuffer>)
    else if (kind === TAKEN) {
      this.#waitingBytes -= content as number
      if (this.#roomCallback !== undefined && this.bulkRoom() > 0) this.#tellRoom()
    } else {
      assert(kind === END, 'a port carried what no link sends')
      this.#over('closed-there')
    }
  }

  readonly #onClose = (): void => {
    this.#over('failed')
  }

  readonly #tellRoom = (): void => {
    const callback = this.#roomCallback
    this.#roomCallback = undefined
    callback?.()
  }

  #onBulk(bytes: Uint8Array<ArrayBuffer>): void {
    const { length } = bytes
    this.#handlers?.bulk(bytes)
    if (this.#end === undefined) this.#port.postMessage([TAKEN, length], [])
  }

  #over(why: LinkEnd): void {
    if (this.#end !== undefined) return
    this.#end = why
    this.#port.removeEventListener('message', this.#onMessage)
    this.#port.removeEventListener('close', this.#onClose)
    this.#port.close?.()
    if (this.#roomCallback !== undefined) queueMicrotask(this.#tellRoom)
    this.#handlers?.ended(why)
  }
}

import { every, toError } from '@shoal/base'
import type { Clock, Log, Timer } from '@shoal/base'
import { ProtocolError } from '@shoal/protocol'
import type { Refusal } from '@shoal/protocol'
import type { RawData, WebSocket } from 'ws'
import type { ServerLimits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

/**
 * Close codes: 4400-4499 where trying again cannot help, 4500-4599 where it can (the convention of y-websocket, which
 * stops or backs off by it). The reason's text is the refusal itself.
 */
const CLOSE_CODES: Readonly<Record<Refusal, number>> = {
  malformed: 4400,
  replaced: 4409,
  'too-large': 4413,
  version: 4426,
  'shutting-down': 4500,
  'room-full': 4501,
  'server-full': 4503,
  idle: 4508,
  'too-fast': 4529,
}

export interface SocketHandlers {
  /** One message within the limits. A ProtocolError closes the socket with its code. */
  message(bytes: Uint8Array<ArrayBuffer>): void
  /** Said once: refused, or closed by the other side. Nothing is delivered after it. */
  closed(): void
  /** The last words to a refused client in the path's own language, where it has any. */
  farewell(reason: Refusal, message: string): Uint8Array | undefined
  /** Bytes that count as a sign of life for clients that cannot see pings; undefined where pings are enough. */
  keepAlive?(): Uint8Array
}

/**
 * One client's socket behind the limits that do not depend on what it says: size, rate, idleness, a peer that is gone.
 * States: open -> refused (told why, closing) -> closed; or open -> closed. It knows neither rooms nor documents.
 */
export class GuardedSocket {
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #limits: ServerLimits
  readonly #log: Log
  readonly #maxBytes: number
  readonly #handlers: SocketHandlers
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  readonly #ping: Timer
  #isOpen = true
  #isAnswering = true
  #usedAt: number

  constructor(
    socket: WebSocket,
    options: { readonly clock: Clock; readonly limits: ServerLimits; readonly log: Log; readonly maxBytes: number },
    handlers: SocketHandlers,
  ) {
    const { clock, limits } = options
    this.#socket = socket
    this.#clock = clock
    this.#limits = limits
    this.#log = options.log
    this.#maxBytes = options.maxBytes
    this.#handlers = handlers
    this.#messages = new TokenBucket(clock, { perSecond: limits.messagesPerSecond, burst: limits.messageBurst })
    this.#bytes = new TokenBucket(clock, { perSecond: limits.bytesPerSecond, burst: limits.byteBurst })
    this.#usedAt = clock.now()
    this.#ping = every(clock, limits.pingMs, () => this.#beat())
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('pong', () => {
      this.#isAnswering = true
    })
    socket.on('error', (error) => this.#log.debug?.('socket error', { error: error.message }))
    socket.on('close', () => this.#end())
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** False when the client reads too slowly or is gone: the message is dropped. */
  send(bytes: Uint8Array): boolean {
    if (!this.#isOpen || this.#socket.bufferedAmount > this.#limits.receiverBacklogBytes) return false
    this.#usedAt = this.#clock.now()
    this.#socket.send(bytes)
    return true
  }

  /** Says why and closes; a client that does not close in turn is cut off. Idempotent. */
  refuse(reason: Refusal, message: string): void {
    if (!this.#isOpen) return
    const log = reason === 'shutting-down' || reason === 'replaced' ? this.#log.info : this.#log.warn
    log?.('refused', { reason, message })
    const farewell = this.#handlers.farewell(reason, message)
    if (farewell) this.#socket.send(farewell)
    this.#socket.close(CLOSE_CODES[reason], reason)
    const cut = this.#clock.after(this.#limits.closeMs, () => this.#socket.terminate())
    this.#socket.once('close', () => cut.cancel())
    this.#end()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.#isOpen) return
    const bytes = new Uint8Array(data as ArrayBuffer)
    this.#usedAt = this.#clock.now()
    if (bytes.length > this.#maxBytes) {
      this.refuse('too-large', `a message of ${bytes.length} bytes; at most ${this.#maxBytes} are allowed`)
    } else if (!this.#messages.take(1)) {
      this.refuse('too-fast', `more than ${this.#limits.messagesPerSecond} messages a second`)
    } else if (!this.#bytes.take(bytes.length)) {
      this.refuse('too-fast', `more than ${this.#limits.bytesPerSecond} bytes a second`)
    } else if (!isBinary) {
      this.refuse('malformed', 'messages are binary')
    } else {
      this.#deliver(bytes)
    }
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#handlers.message(bytes)
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#log.error('a message could not be handled', { error: toError(error).stack })
        this.refuse('malformed', 'the message could not be handled')
        return
      }
      const reason = error.code === 'too-large' || error.code === 'version' ? error.code : 'malformed'
      this.refuse(reason, error.message)
    }
  }

  #beat(): void {
    if (this.#clock.now() - this.#usedAt > this.#limits.idleMs) {
      this.refuse('idle', 'nothing was sent for a long time')
    } else if (!this.#isAnswering) {
      this.#log.info?.('gone without a word')
      this.#socket.terminate()
      this.#end()
    } else {
      this.#isAnswering = false
      this.#socket.ping()
      const sign = this.#handlers.keepAlive?.()
      if (sign) this.#socket.send(sign)
    }
  }

  #end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#ping.cancel()
    this.#handlers.closed()
  }
}

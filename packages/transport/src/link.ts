/** Why a link ended. `remote` and `failed` cannot be told apart from a death by the link itself. */
export type LinkEnd = 'closed-here' | 'closed-there' | 'failed'

export interface LinkHandlers {
  /** One control message, whole, in order. The handler owns the bytes. */
  control(bytes: Uint8Array<ArrayBuffer>): void
  /** One bulk message, whole, in order among bulk messages. The handler owns the bytes. */
  bulk(bytes: Uint8Array<ArrayBuffer>): void
  /** Said once, last. */
  ended(why: LinkEnd): void
}

/**
 * An open connection to one peer with two lanes that share one path: `control` for small messages that must not wait,
 * `bulk` for chunks of objects. Both are reliable and ordered while the link lives; what was under way when it ends is
 * lost. A link knows nothing of nodes, sessions or what the bytes mean.
 */
export interface Link {
  /** Begins delivery; messages that came before are delivered first. Called exactly once. */
  start(handlers: LinkHandlers): void
  /** Sends at most LIMITS.controlMessageBytes + 256 bytes. Takes ownership of the bytes. After the end it does nothing. */
  sendControl(bytes: Uint8Array<ArrayBuffer>): void
  /** Sends at most LIMITS.bulkChunkBytes + 64 bytes, past the window too: callers ask `bulkRoom` first. Takes ownership. */
  sendBulk(bytes: Uint8Array<ArrayBuffer>): void
  /** Bytes that may be handed to `sendBulk` now: the window, of about 50 ms of the measured rate, less what is under way. */
  bulkRoom(): number
  /** Calls back once, when `bulkRoom()` has become positive or the link has ended; not any more once somebody else waits. */
  onBulkRoom(callback: () => void): void
  /** Ends the link; what was sent before is handed to the network first where that is possible. Idempotent. */
  close(): void
}

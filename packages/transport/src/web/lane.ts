/** What a lane tells its link. Nothing is said after `closed`. */
export interface LaneHandlers {
  opened(): void
  message(bytes: Uint8Array<ArrayBuffer>): void
  /** What the other side's link says to this one, beside the messages and in order with them. */
  said(text: string): void
  closed(isFailure: boolean): void
}

/** One data channel as a link uses it, wherever the channel itself lives. */
export interface Lane {
  readonly isOpen: boolean
  /** Sends now or as soon as there is room; in order. Takes ownership of the bytes. */
  send(bytes: Uint8Array<ArrayBuffer>): void
  /** Sends a word to the other side's link: a string, where messages are bytes, so neither needs a frame. */
  say(text: string): void
  /** Closes once everything sent was handed to the network. Idempotent. */
  close(): void
}

/** What a lane tells its link. Nothing is said after `closed`. */
export interface LaneHandlers {
  opened(): void
  message(bytes: Uint8Array<ArrayBuffer>): void
  /** `buffered` has fallen to the low mark or under it. */
  drained(): void
  closed(isFailure: boolean): void
}

/** One data channel as a link uses it, wherever the channel itself lives. */
export interface Lane {
  readonly isOpen: boolean
  /** Bytes taken that were not yet handed to the network. */
  readonly buffered: number
  /** Sends now or as soon as there is room; in order. Takes ownership of the bytes. */
  send(bytes: Uint8Array<ArrayBuffer>): void
  /** From which `buffered` on `drained` is said. */
  setLowMark(bytes: number): void
  /** Closes once everything sent was handed to the network. Idempotent. */
  close(): void
}

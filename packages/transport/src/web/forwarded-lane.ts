import type { Lane, LaneHandlers } from './lane.ts'

/**
 * A lane whose channel stays on the page, where channels cannot be transferred (Firefox before 144): bytes go over the
 * port without being copied, and the page reports how many still wait there.
 */
export class ForwardedLane implements Lane {
  readonly #handlers: LaneHandlers
  readonly #post: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly #finish: () => void
  readonly #tellLowMark: (bytes: number) => void
  #sent = 0
  #taken = 0
  #waitingThere = 0
  #lowMark = 0
  #isOpen = false
  #isClosing = false
  #isClosed = false

  constructor(
    handlers: LaneHandlers,
    port: { post(bytes: Uint8Array<ArrayBuffer>): void; finish(): void; lowMark(bytes: number): void },
  ) {
    this.#handlers = handlers
    this.#post = (bytes) => port.post(bytes)
    this.#finish = () => port.finish()
    this.#tellLowMark = (bytes) => port.lowMark(bytes)
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed
  }

  get buffered(): number {
    return this.#sent - this.#taken + this.#waitingThere
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed || this.#isClosing) return
    this.#sent += bytes.length
    this.#post(bytes)
  }

  setLowMark(bytes: number): void {
    if (bytes === this.#lowMark) return
    this.#lowMark = bytes
    this.#tellLowMark(bytes)
  }

  close(): void {
    if (this.#isClosing || this.#isClosed) return
    this.#isClosing = true
    this.#finish()
  }

  // What the page reports:

  opened(): void {
    if (this.#isOpen || this.#isClosed) return
    this.#isOpen = true
    this.#handlers.opened()
  }

  received(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isClosed) this.#handlers.message(bytes)
  }

  drained(taken: number, buffered: number): void {
    this.#taken = taken
    this.#waitingThere = buffered
    if (!this.#isClosed && this.buffered <= this.#lowMark) this.#handlers.drained()
  }

  closed(isFailure: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers.closed(isFailure)
  }
}

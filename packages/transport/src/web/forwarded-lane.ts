import type { Lane, LaneHandlers } from './lane.ts'

/**
 * A lane whose channel stays on the page, where channels cannot be transferred (Firefox before 144): bytes go over the
 * port without being copied.
 */
export class ForwardedLane implements Lane {
  readonly #handlers: LaneHandlers
  readonly #post: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly #finish: () => void
  readonly #say: (text: string) => void
  #isOpen = false
  #isClosing = false
  #isClosed = false

  constructor(
    handlers: LaneHandlers,
    port: { post(bytes: Uint8Array<ArrayBuffer>): void; say(text: string): void; finish(): void },
  ) {
    this.#handlers = handlers
    this.#post = (bytes) => port.post(bytes)
    this.#finish = () => port.finish()
    this.#say = (text) => port.say(text)
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isClosed && !this.#isClosing) this.#post(bytes)
  }

  say(text: string): void {
    if (!this.#isClosed && !this.#isClosing) this.#say(text)
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

  said(text: string): void {
    if (!this.#isClosed) this.#handlers.said(text)
  }

  closed(isFailure: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers.closed(isFailure)
  }
}

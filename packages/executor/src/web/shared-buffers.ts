import { keyOf, SHARED_FROM_BYTES } from './frame-control.ts'
import type { FromFrame, ToFrame } from './frame-control.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A buffer of this node that is, or soon will be, in the frame's shared memory too. */
interface Area {
  readonly key: string
  readonly bytes: number
  /** False until the frame has what a worker left there, and again once it was dropped. */
  isThere: boolean
}

export interface SharedBuffersOptions {
  readonly tell: (message: ToFrame) => void
  /** So much may be kept; what was used longest ago goes first. */
  readonly limitBytes: number
}

/**
 * What the node worker knows of one frame's shared memory: which of the large buffers that it holds are there too, so that
 * a task's argument does not cross from process to process again. A buffer that goes into the sandbox a second time goes
 * into shared memory, and stays there for the third; what a worker made is there from the start. It is a cache: the node
 * has every byte itself, and a buffer that the node lets go is dropped there.
 */
export class SharedBuffers {
  readonly #options: SharedBuffersOptions
  /** Seen once, or in shared memory. */
  readonly #byBuffer = new WeakMap<Bytes, Area | 'seen'>()
  /** Least recently used first. */
  readonly #areas = new Map<string, Area>()
  readonly #registry = new FinalizationRegistry<string>((key) => this.#drop(key))
  #lastShared = 0
  #lastTicket = 0
  #bytes = 0
  #isOver = false

  constructor(options: SharedBuffersOptions) {
    this.#options = options
  }

  /** A message of a worker: the numbers that it put behind its buffers are taken off and remembered. */
  strip(worker: number, message: unknown): void {
    if (!Array.isArray(message) || !Array.isArray(message.at(-1))) return
    const places = message.pop() as unknown[]
    this.#kept(worker, message, places)
  }

  /** What to post to the worker for a buffer that this node goes on using: a copy, or a ticket. */
  take(worker: number, buffer: Bytes): Bytes | number {
    if (this.#isOver || buffer.byteLength < SHARED_FROM_BYTES) return buffer.slice()
    const known = this.#byBuffer.get(buffer)
    if (known === undefined) {
      this.#byBuffer.set(buffer, 'seen')
      return buffer.slice()
    }
    const area = known !== 'seen' && known.isThere ? known : this.#share(buffer, known)
    if (area === undefined) return buffer.slice()
    this.#areas.delete(area.key)
    this.#areas.set(area.key, area)
    this.#options.tell({ type: 'give', key: area.key, worker, ticket: ++this.#lastTicket })
    return this.#lastTicket
  }

  /** The frame has what a worker left there. */
  came({ worker, number, bytes }: FromFrame & { readonly type: 'kept' }): void {
    const key = keyOf(worker, number)
    const area = this.#areas.get(key) ?? { key, bytes, isThere: true }
    area.isThere = true
    this.#add(area)
  }

  /** Its frame is gone, and all that was there. */
  close(): void {
    this.#isOver = true
  }

  #kept(worker: number, message: readonly unknown[], places: readonly unknown[]): void {
    for (let i = 0; i + 1 < places.length; i += 2) {
      const [place, number] = [places[i], places[i + 1]]
      const buffer = typeof place === 'number' ? message[place] : undefined
      if (!(buffer instanceof Uint8Array) || !(buffer.buffer instanceof ArrayBuffer) || typeof number !== 'number')
        continue
      const key = keyOf(worker, number)
      const area = this.#areas.get(key) ?? { key, bytes: buffer.byteLength, isThere: false }
      // What is not as it says is not used.
      if (area.bytes !== buffer.byteLength) continue
      this.#areas.set(key, area)
      this.#byBuffer.set(buffer as Bytes, area)
      this.#registry.register(buffer, key)
    }
  }

  /** Undefined where it is on its way to shared memory, or too large for it. */
  #share(buffer: Bytes, known: Area | 'seen'): Area | undefined {
    if (buffer.byteLength > this.#options.limitBytes) return undefined
    if (known !== 'seen' && this.#areas.has(known.key)) return undefined
    const area: Area = { key: keyOf(0, ++this.#lastShared), bytes: buffer.byteLength, isThere: true }
    this.#byBuffer.set(buffer, area)
    this.#registry.register(buffer, area.key)
    // A clone of a view takes all of the buffer under it along.
    const bytes = buffer.byteLength === buffer.buffer.byteLength ? buffer : buffer.slice()
    this.#options.tell({ type: 'share', key: area.key, bytes })
    this.#add(area)
    return area
  }

  #add(area: Area): void {
    this.#areas.set(area.key, area)
    this.#bytes += area.bytes
    for (const key of this.#areas.keys()) {
      if (this.#bytes <= this.#options.limitBytes || key === area.key) break
      this.#drop(key)
    }
  }

  #drop(key: string): void {
    const area = this.#areas.get(key)
    if (area === undefined) return
    this.#areas.delete(key)
    if (!area.isThere) return
    area.isThere = false
    this.#bytes -= area.bytes
    if (!this.#isOver) this.#options.tell({ type: 'drop', key })
  }
}

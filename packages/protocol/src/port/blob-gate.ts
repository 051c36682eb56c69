import { isBlob, readBlob } from '../value/blob.ts'
import type { Frame, ArrivingFrame } from './frame.ts'

/**
 * The receiving end of a port: hands frames on in their order, each once the Blobs among its buffers were read. Frames
 * without any go straight through while nothing waits before them. Reading goes on beside everything else: other ports,
 * timers and heartbeats do not wait for it.
 */
export class BlobGate {
  readonly #deliver: (frame: Frame) => void
  readonly #waiting: { frame: Frame | undefined }[] = []
  #isClosed = false

  /** What it reads. */
  static readonly takes = isBlob

  constructor(deliver: (frame: Frame) => void) {
    this.#deliver = deliver
  }

  push(frame: ArrivingFrame): void {
    if (this.#isClosed) return
    const whole = withoutBlobs(frame)
    if (whole !== undefined && this.#waiting.length === 0) {
      this.#deliver(whole)
      return
    }
    const place: { frame: Frame | undefined } = { frame: whole }
    this.#waiting.push(place)
    if (whole === undefined)
      void read(frame).then((readable) => {
        place.frame = readable
        this.#goOn()
      })
  }

  /** What still waits is dropped. */
  close(): void {
    this.#isClosed = true
    this.#waiting.length = 0
  }

  #goOn(): void {
    for (let first = this.#waiting[0]; first?.frame !== undefined; first = this.#waiting[0]) {
      this.#waiting.shift()
      try {
        this.#deliver(first.frame)
      } catch (error) {
        // As if it had been thrown where a frame arrives: not a promise that was rejected.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

function withoutBlobs(frame: ArrivingFrame): Frame | undefined {
  for (const buffer of frame.buffers) if (!(buffer instanceof Uint8Array)) return undefined
  return frame as Frame
}

/** `readBlob` tells of what cannot be read as bytes too, so this always comes to an end. */
async function read({ bytes, buffers }: ArrivingFrame): Promise<Frame> {
  const reading = buffers.map((item) => (item instanceof Uint8Array ? Promise.resolve(item) : readBlob(item)))
  return { bytes, buffers: await Promise.all(reading) }
}

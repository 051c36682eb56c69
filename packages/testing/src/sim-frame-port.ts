import type { Clock } from '@shoal/base'
import type { Frame, FramePort } from '@shoal/protocol'

/** A hop between two threads of one tab: about what a message between a page and a worker takes. */
const HOP_MS = 0.04

/** Two ends of a port whose frames take simulated time; buffers are copied as a real port would move them. */
export function simFramePorts(clock: Clock): readonly [FramePort, FramePort] {
  const [a, b] = [new SimFramePort(clock), new SimFramePort(clock)]
  a.other = b
  b.other = a
  return [a, b]
}

class SimFramePort implements FramePort {
  other: SimFramePort | undefined
  readonly #clock: Clock
  #handler: ((frame: Frame) => void) | undefined
  #early: Frame[] = []
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  post(frame: Frame): void {
    if (this.#isClosed) return
    const { other } = this
    this.#clock.after(HOP_MS, () => other?.deliver(frame))
  }

  onFrame(handler: (frame: Frame) => void): void {
    this.#handler = handler
    for (const frame of this.#early.splice(0)) handler(frame)
  }

  close(): void {
    this.#isClosed = true
  }

  deliver(frame: Frame): void {
    if (this.#isClosed) return
    if (this.#handler) this.#handler(frame)
    else this.#early.push(frame)
  }
}

import type { Clock } from '@shoal/base'
import { BlobGate } from '@shoal/protocol'
import type { ArrivingFrame, Frame, FramePort, OutgoingFrame } from '@shoal/protocol'

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
  #gate: BlobGate | undefined
  #early: ArrivingFrame[] = []
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  post(frame: OutgoingFrame): void {
    if (this.#isClosed) return
    const { other } = this
    // There are no tickets among its buffers: this port gives none.
    this.#clock.after(HOP_MS, () => other?.deliver(frame as ArrivingFrame))
  }

  onFrame(handler: (frame: Frame) => void): void {
    this.#gate = new BlobGate(handler)
    for (const frame of this.#early.splice(0)) this.#gate.push(frame)
  }

  close(): void {
    this.#isClosed = true
    this.#gate?.close()
  }

  deliver(frame: ArrivingFrame): void {
    if (this.#isClosed) return
    if (this.#gate) this.#gate.push(frame)
    else this.#early.push(frame)
  }
}

import { BlobGate } from '@shoal/protocol'
import type { FramePort } from '@shoal/protocol'
import type { HostedWorker } from '../worker-host.ts'
import { SECOND_STAGE } from './frame-control.ts'
import { createLaneFramePort } from './message-frame-port.ts'
import type { MessageLane, PortLanes } from './port-lanes.ts'

/** A worker's thread in the frame, and the runners in it. */
export interface FrameThread {
  readonly number: number
  readonly port: MessagePort
  readonly lanes: PortLanes
  readonly workers: Set<FrameWorker>
}

/**
 * The node worker's handle of one worker in the sandbox frame.
 * States: running -> ended (by itself, told once) | terminated (by the caller, told to nobody).
 */
export class FrameWorker implements HostedWorker {
  readonly port: FramePort
  readonly thread: FrameThread
  readonly #onOver: () => void
  #isOver = false
  #reason: string | undefined
  #handler: ((reason: string) => void) | undefined

  /** `onOver` is called once, however it comes to an end. */
  constructor(thread: FrameThread, lane: MessageLane, onOver: () => void, loadSecondStage: () => Promise<string>) {
    this.thread = thread
    thread.workers.add(this)
    this.#onOver = onOver
    let isAsked = false
    const framePort = createLaneFramePort(lane, {
      blobs: BlobGate,
      onMalformed: (reason) => this.end(reason),
      onText: (text) => {
        if (text !== SECOND_STAGE || isAsked) this.end('it sent a text that it may not send')
        isAsked = true
        if (this.#isOver) return
        loadSecondStage().then(
          (stage) => this.#isOver || framePort.postText(stage),
          (error: unknown) => this.end(`its second stage could not be loaded: ${String(error)}`),
        )
      },
    })
    this.port = framePort
  }

  get isOver(): boolean {
    return this.#isOver
  }

  onEnded(handler: (reason: string) => void): void {
    this.#handler = handler
    this.#report()
  }

  terminate(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.port.close()
    this.#onOver()
  }

  /** It is gone; nothing of it is delivered any more. Idempotent. */
  end(reason: string): void {
    if (this.#isOver) return
    this.terminate()
    this.#reason = reason
    this.#report()
  }

  /** In a later turn, so that a caller never meets the end inside of its own `start`. */
  #report(): void {
    const reason = this.#reason
    const handler = this.#handler
    if (reason !== undefined && handler !== undefined) queueMicrotask(() => handler(reason))
  }
}

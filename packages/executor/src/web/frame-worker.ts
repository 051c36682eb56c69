import { BlobGate } from '@shoal/protocol'
import type { FramePort } from '@shoal/protocol'
import type { HostedWorker } from '../worker-host.ts'
import { GPU_PART, SECOND_STAGE } from './frame-control.ts'
import type { GpuPart } from './frame-control.ts'
import { createLaneFramePort } from './message-frame-port.ts'
import type { MessageLane, PortLanes } from './port-lanes.ts'
import type { SharedBuffers } from './shared-buffers.ts'

/** A worker's thread in the frame, and the runners in it. */
export interface FrameThread {
  readonly number: number
  readonly port: MessagePort
  readonly lanes: PortLanes
  readonly workers: Set<FrameWorker>
  /** Lanes that were closed in the middle of something, until the thread answers. */
  readonly ending: Map<number, ReturnType<typeof setTimeout>>
}

/** In the place of gpu-script.ts. */
const NO_GPU = `shoalTake({ createGpuClient: (lane, makeError) => ({
  call() { throw makeError('gpu-unavailable', 'the part of Shoal that speaks with the GPU could not be loaded') },
  cancel() {}, ended() {}, close() {},
}) })`

/** What a worker asks for when it first needs it. */
export interface FrameWorkerParts {
  loadSecondStage(): Promise<string>
  /** And a way to the broker, for a worker in that thread. */
  loadGpu(thread: number): Promise<GpuPart>
  /** Of the frame, where its workers share memory. */
  shared(): SharedBuffers | undefined
}

/**
 * The node worker's handle of one worker in the sandbox frame.
 * States: running -> ended (by itself, told once) | terminated (by the caller, told to nobody).
 */
export class FrameWorker implements HostedWorker {
  readonly port: FramePort
  readonly thread: FrameThread
  readonly #shared: () => SharedBuffers | undefined
  readonly #onOver: (mayHang: boolean) => void
  #isOver = false
  #end: { readonly reason: string; readonly isNeighbours: boolean } | undefined
  #handler: ((reason: string, isNeighbours: boolean) => void) | undefined

  /** `onOver` is called once, however it comes to an end. */
  constructor(
    thread: FrameThread,
    lane: MessageLane,
    onOver: (mayHang: boolean) => void,
    { loadSecondStage, loadGpu, shared }: FrameWorkerParts,
  ) {
    this.thread = thread
    this.#shared = shared
    thread.workers.add(this)
    this.#onOver = onOver
    let isAsked = false
    const framePort = createLaneFramePort(this.#withShared(lane), {
      blobs: BlobGate,
      onMalformed: (reason) => this.end(reason),
      onText: (text) => {
        if (text === GPU_PART) {
          const answer = (part: GpuPart): void => void (this.#isOver || framePort.postText(part, [part.port]))
          // The server of this page may be gone: then its tasks are told.
          loadGpu(thread.number).then(answer, () => answer({ text: NO_GPU, port: new MessageChannel().port1 }))
          return
        }
        if (text !== SECOND_STAGE || isAsked) this.end('it sent a text that it may not send')
        isAsked = true
        if (this.#isOver) return
        loadSecondStage().then(
          (stage) => this.#isOver || framePort.postText(stage),
          (error: unknown) => this.end(`its second stage could not be loaded: ${String(error)}`),
        )
      },
    })
    this.port = { ...framePort, keep: (buffer) => this.#shared()?.take(thread.number, buffer) ?? buffer.slice() }
  }

  #withShared(lane: MessageLane): MessageLane {
    const listen: MessageLane['listen'] = (handler) =>
      lane.listen((data) => {
        this.#shared()?.strip(this.thread.number, data)
        handler(data)
      })
    return { ...lane, listen }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  onEnded(handler: (reason: string, isNeighbours: boolean) => void): void {
    this.#handler = handler
    this.#report()
  }

  terminate(mayHang = false): void {
    if (this.#isOver) return
    this.#isOver = true
    this.port.close()
    this.#onOver(mayHang)
  }

  /** It is gone; nothing of it is delivered any more. Idempotent. */
  end(reason: string, isNeighbours = false): void {
    if (this.#isOver) return
    this.terminate()
    this.#end = { reason, isNeighbours }
    this.#report()
  }

  /** In a later turn, so that a caller never meets the end inside of its own `start`. */
  #report(): void {
    const end = this.#end
    const handler = this.#handler
    if (end !== undefined && handler !== undefined) queueMicrotask(() => handler(end.reason, end.isNeighbours))
  }
}

// Long because a frame may come, die and come again under everything that is asked of it: workers, shared buffers and the GPU.
import type { GpuInfo } from '@shoal/core-worker'
import { PROTOCOL_VERSION } from '@shoal/protocol'
import { HANGS_AFTER_MS } from '../worker-host.ts'
import type { HostedWorker, WorkerHost, WorkerInit } from '../worker-host.ts'
import type { FromBroker, ToBroker } from '../gpu/gpu-messages.ts'
import type { FromFrame, FromPage, GpuPart, ToFrame, ToPage } from './frame-control.ts'
import { FramePulse } from './frame-pulse.ts'
import { FrameWorker } from './frame-worker.ts'
import type { FrameThread, FrameWorkerParts } from './frame-worker.ts'
import { createPortLanes, FIRST_LANE } from './port-lanes.ts'
import type { MessageLane } from './port-lanes.ts'
import { SharedBuffers } from './shared-buffers.ts'

export interface FrameWorkerHostOptions {
  /** The text of a worker's second stage: wanted for each worker whose tasks do more than compute on plain values. */
  loadSecondStage(): Promise<string>
  /** The text of gpu-script.ts: wanted when a task first uses the GPU. */
  loadGpu(): Promise<string>
  /** The frame is up, and nothing of it waits any more: a time to have the second stage at hand. */
  onUp?(): void
  /** Of large buffers, so much may be in memory that workers share, beside what they and the node have. */
  readonly sharedBytes?: number
  /** How long the frame may take to come up before every start is called off. */
  readonly answerWithinMs?: number
}

const ANSWER_WITHIN_MS = 10_000
const SHARED_BYTES = 128 * 1024 * 1024
/** Threads have numbers from 1 on: this one is the node worker's own. */
const NO_THREAD = 0
const HANGS = 'another actor in its thread was killed in the middle of code that did not come to an end'

/** Such a host, which knows the frame's GPU too. */
export interface GpuWorkerHost extends WorkerHost {
  /** What the frame says of its GPU; undefined where it has none, and where what asks could not be loaded. */
  gpuInfo(): Promise<GpuInfo | undefined>
}

/**
 * Workers in the page's sandbox frame, for the node worker. Takes ownership of `SandboxFrame.controlPort`. A start never
 * fails by itself: the worker ends with a reason, when the frame does not answer too. A frame that dies ends all its
 * workers, and the page makes another.
 */
export function createFrameWorkerHost(controlPort: MessagePort, options: FrameWorkerHostOptions): GpuWorkerHost {
  return new FrameWorkerHost(controlPort, options)
}

type HostState =
  /** Starts wait for the frame, in it or here. */
  | { readonly kind: 'coming' }
  | { readonly kind: 'up' }
  /** Starts end with the reason. A frame that was only slow may still come up. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'closed' }

/**
 * States: coming -> up -> coming (the frame died and is made again) | coming -> unusable (silent, or of another version)
 * -> up (it answered late); the page removed the frame: -> unusable; close: -> closed.
 * It knows workers by its own numbers and nothing of what they run.
 */
class FrameWorkerHost implements GpuWorkerHost {
  readonly #pagePort: MessagePort
  readonly #answerWithinMs: number
  readonly #sharedBytes: number
  readonly #parts: FrameWorkerParts
  readonly #loadGpu: () => Promise<string>
  readonly #onUp: () => void
  readonly #threads = new Map<number, FrameThread>()
  /** Who asked what its GPU is: a frame that dies does not answer. */
  readonly #gpuWaiters = new Set<() => void>()
  /** Starts from before there was a frame to send them to. */
  #waiting: ((frame: Frame) => void)[] = []
  #frame: Frame | undefined
  #patience: ReturnType<typeof setTimeout> | undefined
  #state: HostState = { kind: 'coming' }
  #lastNumber = 0

  constructor(pagePort: MessagePort, options: FrameWorkerHostOptions) {
    this.#pagePort = pagePort
    this.#loadGpu = () => options.loadGpu()
    this.#parts = {
      loadSecondStage: () => options.loadSecondStage(),
      loadGpu: async (thread) => this.#openGpu(await options.loadGpu(), thread),
      shared: () => this.#frame?.shared,
    }
    this.#onUp = () => options.onUp?.()
    this.#answerWithinMs = options.answerWithinMs ?? ANSWER_WITHIN_MS
    this.#sharedBytes = options.sharedBytes ?? SHARED_BYTES
    this.#expectFrame()
    pagePort.addEventListener('message', this.#onPageMessage)
    pagePort.start()
  }

  start(init: WorkerInit, beside?: HostedWorker): HostedWorker {
    const number = ++this.#lastNumber
    // A thread that has just ended leaves it one of its own.
    const former = beside instanceof FrameWorker && !beside.isOver ? beside.thread : undefined
    if (former !== undefined) {
      const lane = former.lanes(number)
      lane.post(init, [])
      return this.#worker(former, lane, number)
    }
    const { port1, port2 } = new MessageChannel()
    const ending: FrameThread['ending'] = new Map()
    const onClose = (lane: number): void => {
      clearTimeout(ending.get(lane))
      ending.delete(lane)
    }
    const lanes = createPortLanes(port1, { onClose })
    const thread: FrameThread = { number, port: port1, lanes, workers: new Set(), ending }
    const worker = this.#worker(thread, lanes(FIRST_LANE), FIRST_LANE)
    const state = this.#state
    if (state.kind === 'closed') worker.end('the host of workers was closed')
    else if (state.kind === 'unusable') worker.end(state.reason)
    else {
      this.#threads.set(number, thread)
      if (this.#frame !== undefined) this.#frame.start(number, init, port2)
      else this.#waiting.push((frame) => worker.isOver || frame.start(number, init, port2))
    }
    return worker
  }

  tellCancelled(run: number): void {
    this.#frame?.tellCancelled(run)
  }

  async gpuInfo(): Promise<GpuInfo | undefined> {
    const text = await this.#loadGpu()
    if (this.#frame === undefined) return undefined
    const { port } = this.#openGpu(text, NO_THREAD)
    return new Promise((resolve) => {
      const answer = (info?: GpuInfo): void => {
        this.#gpuWaiters.delete(answer)
        port.close()
        resolve(info)
      }
      this.#gpuWaiters.add(answer)
      port.addEventListener('message', ({ data }: MessageEvent<FromBroker>) => {
        port.postMessage({ type: 'close' } satisfies ToBroker)
        answer('code' in data ? undefined : (data.result as GpuInfo))
      })
      port.start()
      port.postMessage({ type: 'info', call: 1 } satisfies ToBroker)
    })
  }

  #openGpu(text: string, thread: number): GpuPart {
    const { port1, port2 } = new MessageChannel()
    this.#frame?.openGpu(thread, text, port1)
    return { text, port: port2 }
  }

  /** Its thread ends with the last of them, or when one that was ended does not let it go on. */
  #worker(thread: FrameThread, lane: MessageLane, number: number): FrameWorker {
    const onOver = (mayHang: boolean): void => {
      thread.workers.delete(worker)
      if (thread.workers.size > 0) {
        if (mayHang)
          thread.ending.set(
            number,
            setTimeout(() => this.#hangs(thread), HANGS_AFTER_MS),
          )
        return
      }
      for (const timer of thread.ending.values()) clearTimeout(timer)
      thread.port.close()
      if (this.#threads.delete(thread.number)) this.#frame?.terminate(thread.number)
    }
    const worker = new FrameWorker(thread, lane, onOver, this.#parts)
    return worker
  }

  #hangs({ workers }: FrameThread): void {
    for (const worker of [...workers]) worker.end(HANGS, true)
  }

  #workers(): FrameWorker[] {
    return [...this.#threads.values()].flatMap(({ workers }) => [...workers])
  }

  close(): void {
    if (this.#state.kind === 'closed') return
    for (const worker of this.#workers()) worker.terminate()
    this.#state = { kind: 'closed' }
    this.#dropFrame()
    clearTimeout(this.#patience)
    this.#tellPage('close')
    this.#pagePort.removeEventListener('message', this.#onPageMessage)
    this.#pagePort.close()
  }

  readonly #onPageMessage = (event: MessageEvent<FromPage>): void => {
    const [port] = event.ports
    if (event.data === 'frame' && port !== undefined) this.#onFrame(port)
    else this.#giveUp('the page removed the sandbox frame')
  }

  #onFrame(port: MessagePort): void {
    this.#dropFrame()
    const frame = new Frame(port, {
      onThreadEnded: (number, reason) => {
        for (const worker of [...(this.#threads.get(number)?.workers ?? [])]) worker.end(reason)
      },
      onHello: (version) => this.#onHello(version),
      onDead: (reason) => this.#onDead(reason),
      isNeeded: () => this.#threads.size > 0,
      sharedBytes: this.#sharedBytes,
    })
    this.#frame = frame
    for (const start of this.#waiting.splice(0)) start(frame)
  }

  #onHello(version: number): void {
    clearTimeout(this.#patience)
    if (version === PROTOCOL_VERSION) {
      this.#state = { kind: 'up' }
      this.#onUp()
    } else
      this.#giveUp(
        `the sandbox page is of protocol version ${version} and this tab of ${PROTOCOL_VERSION}: ` +
          'serve the sandbox.html of the same build',
      )
  }

  #onDead(reason: string): void {
    this.#dropFrame()
    this.#endWorkers(reason)
    this.#state = { kind: 'coming' }
    this.#expectFrame()
    this.#tellPage('again')
  }

  #expectFrame(): void {
    clearTimeout(this.#patience)
    this.#patience = setTimeout(
      () =>
        this.#giveUp(
          `the sandbox frame did not answer within ${this.#answerWithinMs / 1000} s. If this page has a ` +
            'Content-Security-Policy, the frame inherits it: serve the sandbox.html that Shoal ships and name it in sandboxUrl',
        ),
      this.#answerWithinMs,
    )
  }

  #giveUp(reason: string): void {
    clearTimeout(this.#patience)
    this.#state = { kind: 'unusable', reason }
    this.#endWorkers(reason)
  }

  #endWorkers(reason: string): void {
    for (const worker of this.#workers()) worker.end(reason)
    this.#waiting = []
  }

  #dropFrame(): void {
    for (const answer of [...this.#gpuWaiters]) answer()
    this.#frame?.close()
    this.#frame = undefined
  }

  #tellPage(message: ToPage): void {
    this.#pagePort.postMessage(message)
  }
}

interface FrameEvents {
  onThreadEnded(number: number, reason: string): void
  onHello(version: number): void
  /** Nothing comes from it any more. */
  onDead(reason: string): void
  /** Whether anybody would miss it. */
  isNeeded(): boolean
  /** See FrameWorkerHostOptions. */
  readonly sharedBytes: number
}

/** One life of the sandbox frame. States: silent -> answering (its pulse is felt) -> dead | closed. */
class Frame {
  readonly #port: MessagePort
  readonly #events: FrameEvents
  #pulse: FramePulse | undefined
  #shared: SharedBuffers | undefined
  #isOver = false

  constructor(port: MessagePort, events: FrameEvents) {
    this.#port = port
    this.#events = events
    port.addEventListener('message', this.#onMessage)
    port.start()
  }

  /** Where its workers share memory, once it is up. */
  get shared(): SharedBuffers | undefined {
    return this.#shared
  }

  start(number: number, init: WorkerInit, port: MessagePort): void {
    this.#tell({ type: 'start', number, init }, [port])
  }

  tellCancelled(run: number): void {
    this.#tell({ type: 'cancelled', run })
  }

  openGpu(number: number, text: string, port: MessagePort): void {
    this.#tell({ type: 'gpu', number, text }, [port])
  }

  terminate(number: number): void {
    this.#tell({ type: 'terminate', number })
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pulse?.close()
    this.#shared?.close()
    this.#port.removeEventListener('message', this.#onMessage)
    this.#port.close()
  }

  readonly #onMessage = ({ data }: MessageEvent<FromFrame>): void => {
    switch (data.type) {
      case 'hello':
        if (data.isShared)
          this.#shared = new SharedBuffers({
            tell: (message) => this.#tell(message),
            limitBytes: this.#events.sharedBytes,
          })
        this.#onHello(data.version)
        return
      case 'kept':
        this.#shared?.came(data)
        return
      case 'ended':
        this.#events.onThreadEnded(data.number, data.reason)
        return
      case 'failed':
        this.#die(`the sandbox frame failed: ${data.reason}`)
    }
  }

  #onHello(version: number): void {
    const { port1, port2 } = new MessageChannel()
    this.#tell({ type: 'pulse' }, [port2])
    this.#pulse = new FramePulse(port1, this.#events.isNeeded, () =>
      this.#die('the sandbox frame died: a task took all memory, or its process was ended'),
    )
    this.#events.onHello(version)
  }

  #tell(message: ToFrame, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #die(reason: string): void {
    if (!this.#isOver) this.#events.onDead(reason)
  }
}

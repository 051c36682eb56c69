/// <reference types="@shoal/vite-plugin/inline-worker" />
/**
 * All that runs in the sandbox frame's document. It makes blob workers for the node worker, hands each its port, tells
 * when one breaks, and ends them. It takes one message, the control port from the page, and nothing from its workers but
 * memory that it hands on unread: user code is in those, and this document could still open a WebRTC connection, which no
 * CSP stops.
 * It knows nothing of tasks: the workers speak with the node worker themselves.
 */
import { PROTOCOL_VERSION } from '@shoal/protocol'
import { CANCELLED_SLOTS, cancelledSlot, CONTROL_MESSAGE } from './frame-control.ts'
import type { FromFrame, ToFrame, WorkerStart } from './frame-control.ts'
import { FrameMemory } from './frame-memory.ts'
import type { GpuScript } from './gpu-script.ts'
import workerScript from './sandbox-worker.ts?shoal-first'

class WorkerShop {
  readonly #url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }))
  readonly #running = new Map<number, SandboxWorker>()
  readonly #tell: (message: FromFrame) => void
  /** The node worker is another agent cluster and cannot share it. */
  readonly #cancelledRuns = crossOriginIsolated ? new Int32Array(new SharedArrayBuffer(4 * CANCELLED_SLOTS)) : undefined
  readonly #memory: FrameMemory | undefined
  #spare: SandboxWorker | undefined
  #isRefillScheduled = false
  #echo: Worker | undefined
  #gpu: GpuScript | undefined

  constructor(tell: (message: FromFrame) => void) {
    this.#tell = tell
    this.#memory = crossOriginIsolated ? new FrameMemory(tell) : undefined
    this.#refillSoon()
  }

  obey(message: ToFrame, port: MessagePort | undefined): void {
    if (message.type === 'terminate') this.terminate(message.number)
    else if (message.type === 'cancelled') this.tellCancelled(message.run)
    else if (message.type === 'share') this.#memory?.share(message)
    else if (message.type === 'give') this.#memory?.give(message)
    else if (message.type === 'drop') this.#memory?.drop(message)
    else if (port === undefined) throw new TypeError('no port came along')
    else if (message.type === 'pulse') this.pulse(port)
    else if (message.type === 'gpu') this.openGpu(message.number, message.text, port)
    else
      this.start(message.number, {
        init: message.init,
        port,
        ...(this.#cancelledRuns && { cancelledRuns: this.#cancelledRuns }),
        ...(this.#memory && { memory: this.#memory.open(message.number) }),
      })
  }

  start(number: number, start: WorkerStart): void {
    const worker = this.#spare ?? new SandboxWorker(this.#url)
    this.#running.set(number, worker)
    worker.give(start, (reason) => {
      if (!this.#running.has(number)) return
      this.terminate(number)
      this.#tell({ type: 'ended', number, reason })
    })
    this.#spare = undefined
    this.#refillSoon()
  }

  terminate(number: number): void {
    this.#running.get(number)?.terminate()
    this.#running.delete(number)
    this.#memory?.end(number)
    this.#gpu?.frame(number)
  }

  tellCancelled(run: number): void {
    if (this.#cancelledRuns !== undefined) Atomics.store(this.#cancelledRuns, cancelledSlot(run), run)
  }

  /** The text is ours, from the node worker: user code has no way to this port. */
  openGpu(thread: number, text: string, port: MessagePort): void {
    if (this.#gpu === undefined) new Function('shoalTake', text)((gpu: GpuScript) => (this.#gpu = gpu))
    this.#gpu?.frame(thread, port)
  }

  pulse(port: MessagePort): void {
    const url = URL.createObjectURL(new Blob([ECHO], { type: 'text/javascript' }))
    this.#echo = new Worker(url, { name: 'shoal pulse' })
    this.#echo.postMessage(undefined, [port])
  }

  /** One worker waits ready (about 2 MB), made after a burst of starts rather than between them. */
  #refillSoon(): void {
    if (this.#isRefillScheduled) return
    this.#isRefillScheduled = true
    setTimeout(() => {
      this.#isRefillScheduled = false
      this.#spare ??= new SandboxWorker(this.#url)
    })
  }
}

/** A blob worker, and the first fault that the browser reported of it. */
class SandboxWorker {
  readonly #worker: Worker
  #fault: string | undefined
  #onBroken: ((reason: string) => void) | undefined

  constructor(url: string) {
    this.#worker = new Worker(url, { name: 'shoal' })
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.#break(event.message === undefined || event.message === '' ? NOT_STARTED : event.message)
    })
    this.#worker.addEventListener('messageerror', () => this.#break('it sent its frame what cannot be read'))
  }

  give(start: WorkerStart, onBroken: (reason: string) => void): void {
    this.#onBroken = onBroken
    const ports = start.memory === undefined ? [start.port] : [start.port, start.memory]
    if (this.#fault === undefined) this.#worker.postMessage(start, ports)
    else onBroken(this.#fault)
  }

  terminate(): void {
    this.#worker.terminate()
  }

  #break(reason: string): void {
    this.#fault ??= reason
    this.#onBroken?.(reason)
  }
}

/** Answers for the frame's process on a thread that user code never keeps busy. */
const ECHO = 'onmessage = ({ ports: [port] }) => { port.onmessage = () => port.postMessage(0) }'

const NOT_STARTED = 'the browser did not start it; a Content-Security-Policy of the page may forbid workers from blob:'

function onMessage(event: MessageEvent): void {
  const [port] = event.ports
  if (event.source !== parent || event.data !== CONTROL_MESSAGE || port === undefined) return
  removeEventListener('message', onMessage)
  const tell = (message: FromFrame): void => port.postMessage(message)
  const shop = new WorkerShop(tell)
  port.addEventListener('message', ({ data, ports }: MessageEvent<ToFrame>) => {
    try {
      shop.obey(data, ports[0])
    } catch (error) {
      tell({ type: 'failed', reason: String(error) })
    }
  })
  port.start()
  tell({ type: 'hello', version: PROTOCOL_VERSION, isShared: crossOriginIsolated })
}
// A site that hosts this document as `sandbox.html` can be framed by anybody: without the sandbox attribute it would run
// the framing page's code at the site's own origin.
if (origin === 'null') addEventListener('message', onMessage)
else document.documentElement.append('Shoal: this page works only in a frame with sandbox="allow-scripts".')

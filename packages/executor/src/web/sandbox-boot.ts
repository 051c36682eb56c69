/// <reference types="@shoal/vite-plugin/inline-worker" />
/**
 * All that runs in the sandbox frame's document. It makes blob workers for the node worker, hands each its port, tells
 * when one breaks, and ends them. It takes one message, the control port from the page, and nothing from its workers:
 * user code is in those, and this document could still open a WebRTC connection, which no CSP stops.
 * It knows nothing of tasks: the workers speak with the node worker themselves.
 */
import { PROTOCOL_VERSION } from '@shoal/protocol'
import { CONTROL_MESSAGE } from './frame-control.ts'
import { HANGS_AFTER_MS } from '../worker-host.ts'
import type { FromFrame, RunnerStart, ToFrame, ToThread, WorkerStart } from './frame-control.ts'
import workerScript from './sandbox-worker.ts?shoal-first'

class WorkerShop {
  readonly #url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }))
  readonly #running = new Map<number, SandboxWorker>()
  readonly #tell: (message: FromFrame) => void
  #spare: SandboxWorker | undefined
  #isRefillScheduled = false
  #echo: Worker | undefined

  constructor(tell: (message: FromFrame) => void) {
    this.#tell = tell
    this.#refillSoon()
  }

  obey(message: ToFrame, port: MessagePort | undefined): void {
    if (message.type === 'terminate') this.terminate(message.number, message.mayHang)
    else if (port === undefined) throw new TypeError('no port came along')
    else if (message.type === 'pulse') this.pulse(port)
    else this.start({ number: message.number, init: message.init, port }, message.beside)
  }

  start(start: RunnerStart, beside: number | undefined): void {
    const { number } = start
    const ended = (reason: string, isNeighbours: boolean): void =>
      this.#tell({ type: 'ended', number, reason, isNeighbours })
    // One that has just ended leaves it a thread of its own.
    const neighbour = beside === undefined ? undefined : this.#running.get(beside)
    const worker = neighbour ?? this.#spare ?? new SandboxWorker(this.#url)
    this.#running.set(number, worker)
    worker.give(start, (reason, isNeighbours) => {
      if (!this.#running.delete(number)) return
      worker.terminate(number, false)
      ended(reason, isNeighbours)
    })
    if (neighbour !== undefined) return
    this.#spare = undefined
    this.#refillSoon()
  }

  terminate(number: number, mayHang: boolean): void {
    this.#running.get(number)?.terminate(number, mayHang)
    this.#running.delete(number)
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

/** A blob worker, the runners in it, and the first fault that the browser reported of it. */
class SandboxWorker {
  readonly #worker: Worker
  #thread: MessagePort | undefined
  #fault: string | undefined
  /** What to do for each runner when the worker breaks. */
  readonly #runners = new Map<number, OnBroken>()
  /** Runners that were told to end and may be in code that never does. */
  readonly #ending = new Map<number, ReturnType<typeof setTimeout>>()

  constructor(url: string) {
    this.#worker = new Worker(url, { name: 'shoal' })
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.#break(event.message === undefined || event.message === '' ? NOT_STARTED : event.message)
    })
    this.#worker.addEventListener('messageerror', () => this.#break('it sent its frame what cannot be read'))
  }

  give(start: RunnerStart, onBroken: OnBroken): void {
    this.#runners.set(start.number, onBroken)
    if (this.#fault !== undefined) onBroken(this.#fault, true)
    else if (this.#thread !== undefined) this.#thread.postMessage(start satisfies ToThread, [start.port])
    else {
      const { port1, port2: thread } = new MessageChannel()
      this.#thread = port1
      port1.onmessage = ({ data }: MessageEvent<number>) => {
        clearTimeout(this.#ending.get(data))
        this.#ending.delete(data)
      }
      this.#worker.postMessage({ ...start, thread } satisfies WorkerStart, [start.port, thread])
    }
  }

  /** Ends one runner, and the worker with the last. */
  terminate(number: number, mayHang: boolean): void {
    this.#runners.delete(number)
    if (this.#runners.size === 0) {
      for (const timer of this.#ending.values()) clearTimeout(timer)
      this.#worker.terminate()
      return
    }
    this.#thread?.postMessage({ end: number } satisfies ToThread)
    if (mayHang)
      this.#ending.set(
        number,
        setTimeout(() => this.#break(HANGS, true), HANGS_AFTER_MS),
      )
  }

  #break(reason: string, isNeighbours = false): void {
    if (this.#fault !== undefined) return
    this.#fault = reason
    for (const onBroken of [...this.#runners.values()]) onBroken(reason, isNeighbours)
  }
}

type OnBroken = (reason: string, isNeighbours: boolean) => void

const HANGS = 'another actor in its thread was killed in the middle of code that did not come to an end'

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
  tell({ type: 'hello', version: PROTOCOL_VERSION })
}
// A site that hosts this document as `sandbox.html` can be framed by anybody: without the sandbox attribute it would run
// the framing page's code at the site's own origin.
if (origin === 'null') addEventListener('message', onMessage)
else document.documentElement.append('Shoal: this page works only in a frame with sandbox="allow-scripts".')

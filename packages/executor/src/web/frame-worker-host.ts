import { proxy, releaseProxy, transfer, wrap } from 'comlink'
import type { Remote } from 'comlink'
import { PROTOCOL_VERSION } from '@shoal/protocol'
import type { FramePort } from '@shoal/protocol'
import type { HostedWorker, WorkerHost, WorkerInit } from '../worker-host.ts'
import type { FrameControl, FrameHello } from './frame-control.ts'
import { createMessageFramePort } from './message-frame-port.ts'

export interface FrameWorkerHostOptions {
  /** How long the frame may take to come up before every start is called off. */
  readonly answerWithinMs?: number
}

const ANSWER_WITHIN_MS = 10_000

/**
 * Workers in the page's sandbox frame, for the node worker. Takes ownership of the control port. A start never fails by
 * itself: the worker ends with a reason, when the frame does not answer too.
 */
export function createFrameWorkerHost(controlPort: MessagePort, options: FrameWorkerHostOptions = {}): WorkerHost {
  return new FrameWorkerHost(controlPort, options)
}

type FrameState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'up' }
  /** Starts end with the reason. A frame that was only slow may still come up. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'closed' }

// Comlink drops a call in flight when its proxy is collected, and a host may be held by nobody but its own callbacks.
const pinned = new Set<FrameWorkerHost>()

/**
 * States of the frame: unknown -> up -> unusable (its port closed) | unknown -> unusable (silent, wrong version) -> up
 * (answered late); any -> closed.
 * It knows workers by its own numbers and nothing of what they run.
 */
class FrameWorkerHost implements WorkerHost {
  readonly #port: MessagePort
  readonly #control: Remote<FrameControl>
  readonly #workers = new Map<number, FrameWorker>()
  readonly #patience: ReturnType<typeof setTimeout>
  #state: FrameState = { kind: 'unknown' }
  #lastNumber = 0

  constructor(port: MessagePort, { answerWithinMs = ANSWER_WITHIN_MS }: FrameWorkerHostOptions) {
    this.#port = port
    this.#control = wrap<FrameControl>(port)
    pinned.add(this)
    port.addEventListener('close', this.#onGone)
    this.#patience = setTimeout(() => this.#onSilent(answerWithinMs), answerWithinMs)
    this.#tell(this.#control.watch(proxy((number: number, reason: string) => this.#workers.get(number)?.end(reason))))
    this.#tell(this.#control.hello().then((hello) => this.#onHello(hello)))
  }

  start(init: WorkerInit): HostedWorker {
    const { port1, port2 } = new MessageChannel()
    const number = ++this.#lastNumber
    const worker = new FrameWorker(port1, () => {
      this.#workers.delete(number)
      if (this.#state.kind !== 'closed') this.#tell(this.#control.terminate(number))
    })
    const state = this.#state
    if (state.kind === 'closed') worker.end('the host of workers was closed')
    else if (state.kind === 'unusable') worker.end(state.reason)
    else {
      this.#workers.set(number, worker)
      this.#tell(this.#control.start(number, init, transfer(port2, [port2])))
    }
    return worker
  }

  close(): void {
    if (this.#state.kind === 'closed') return
    for (const worker of [...this.#workers.values()]) worker.terminate()
    this.#state = { kind: 'closed' }
    clearTimeout(this.#patience)
    this.#port.removeEventListener('close', this.#onGone)
    this.#control[releaseProxy]()
    // Comlink closes it after an answer that a frame that never came up does not give.
    this.#port.close()
    pinned.delete(this)
  }

  /** Control calls answer nothing but errors of the frame itself, and then no call can be relied on. */
  #tell(call: Promise<unknown>): void {
    call.catch((error: unknown) => this.#onUnusable(`the sandbox frame failed: ${String(error)}`))
  }

  #onHello({ version }: FrameHello): void {
    clearTimeout(this.#patience)
    if (this.#state.kind === 'closed') return
    if (version === PROTOCOL_VERSION) this.#state = { kind: 'up' }
    else
      this.#onUnusable(
        `the sandbox page is of protocol version ${version} and this tab of ${PROTOCOL_VERSION}: ` +
          'serve the sandbox.html of the same build',
      )
  }

  #onSilent(afterMs: number): void {
    this.#onUnusable(
      `the sandbox frame did not answer within ${afterMs / 1000} s. If this page has a Content-Security-Policy, ` +
        'the frame inherits it: serve the sandbox.html that Shoal ships and name it in sandboxUrl',
    )
  }

  readonly #onGone = (): void => this.#onUnusable('the sandbox frame is gone: removed by the page, or it crashed')

  #onUnusable(reason: string): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'unusable', reason }
    for (const worker of [...this.#workers.values()]) worker.end(reason)
  }
}

/** One worker. States: running -> ended (by itself, told once) | terminated (by the caller, told to nobody). */
class FrameWorker implements HostedWorker {
  readonly port: FramePort
  readonly #onOver: () => void
  #isOver = false
  #reason: string | undefined
  #handler: ((reason: string) => void) | undefined

  constructor(port: MessagePort, onOver: () => void) {
    this.#onOver = onOver
    this.port = createMessageFramePort(port, { onMalformed: (reason) => this.end(reason) })
    // Nobody in the worker can close its end: it closes with the worker, whatever killed that. Chromium 122 and later;
    // where the event is unknown, a worker that runs out of memory takes its tab along.
    port.addEventListener('close', () => this.end('it exited: a crash, or memory ran out'))
  }

  onEnded(handler: (reason: string) => void): void {
    this.#handler = handler
    if (this.#reason !== undefined) this.#report(this.#reason)
  }

  terminate(): void {
    this.#over()
  }

  end(reason: string): void {
    if (this.#isOver) return
    this.#over()
    this.#reason = reason
    this.#report(reason)
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.port.close()
    this.#onOver()
  }

  /** In a later turn, so that a caller never meets the end inside of its own `start`. */
  #report(reason: string): void {
    const handler = this.#handler
    if (handler === undefined) return
    queueMicrotask(() => {
      handler(reason)
    })
  }
}

import { createLog, deferred } from '@shoal/base'
import type { Deferred, Log } from '@shoal/base'
import { createMessageFramePort, createSandboxFrame } from '@shoal/executor/web'
import { PROTOCOL_VERSION, ShutdownError, toHex } from '@shoal/protocol'
import type { FramePort, LogLine, NodeId, NodeLabels, ResourceSet, RoomSettings } from '@shoal/protocol'
import { createRtcHost } from '@shoal/transport/web'
import type { RtcHost } from '@shoal/transport/web'
import { releaseProxy, transfer, wrap } from 'comlink'
import type { Remote } from 'comlink'
import type { NodeStatus } from '../node-options.ts'
import type { LendingTerms } from '../lending/lending.ts'
import type { StateRows } from '../state/merge-answers.ts'
import type { StateQuestion } from '../state/state-service.ts'
import type {
  ChunkName,
  ChunkText,
  Joined,
  JoinRequest,
  NodeControl,
  NodeNews,
  TabFaults,
  TabInit,
} from './tab-messages.ts'

export interface TabOptions {
  readonly slots: number
  /** What the tab has beside its CPUs. */
  readonly resources: ResourceSet
  /** What it says of itself, for work that asks for it. */
  readonly labels: NodeLabels
  /** See TabInit.numGpus. */
  readonly numGpus?: number | undefined
  readonly cores: number
  readonly name: string
  readonly agent: string
  readonly isLending: boolean
  /** What goes wrong on purpose; rules that make no sense fail the tab's start. */
  readonly faults?: TabFaults
  /** NodeOptions.objectStoreBytes */
  readonly objectStoreBytes: number
  /** NodeOptions.graceMs */
  readonly graceMs?: number
  /** NodeOptions.namespace */
  readonly namespace?: string
  readonly sandboxUrl?: string
  /** Starts the script of the node worker, for pages whose CSP refuses a worker from a blob. */
  readonly createWorker?: () => Worker
  onStatus(status: NodeStatus): void
  onLogLine(line: LogLine): void
  /** What the room's owner decided for everybody in it. */
  onRoomSettings(settings: RoomSettings): void
  /** The room has given this tab up, or will have: leave it and join again. Never more than once in three seconds. */
  onEnterAgain(): void
  /** The node worker could not start, or broke. */
  onFailed(reason: Error): void
}

/**
 * The page's side of one tab's node. Every promise settles: with ShutdownError once the tab is closed, with the failure
 * once the node worker broke.
 */
export interface Tab {
  /** For the page's core worker; frames may be posted before the node is up. */
  readonly pagePort: FramePort
  readonly nodeId: Promise<NodeId>
  join(request: JoinRequest, iceServers: readonly RTCIceServer[]): Promise<Joined>
  /** For the links that are made from now on. */
  setIceServers(iceServers: readonly RTCIceServer[]): void
  newOwner(): ReturnType<NodeControl['newOwner']>
  leave(): Promise<void>
  /** Leaves in order to enter again under a higher session: what this tab owns stays. */
  suspend(): Promise<void>
  lend(terms: LendingTerms): void
  /** Rows of the whole room; see `ShoalNode.state`. */
  state(question: StateQuestion): Promise<StateRows>
  /** Joining again has failed: `onEnterAgain` is called once more, a little later. */
  retryEntry(): void
  /** Says goodbye, for a second at most, and lets go of worker, frame and ports, whatever state they are in. */
  close(): Promise<void>
}

/** A node worker that does not answer for so long says no goodbye any more; the page's own channel does. */
const GOODBYE_MS = 1_000

/**
 * Starts a tab's node: the node worker, the sandbox frame and the ports between them. The page keeps what only a page
 * has: the frame's element, WebRTC's handshakes and the texts of lazily loaded scripts. Returns at once.
 */
export function createTab(options: TabOptions): Tab {
  return new PageTab(options)
}

/** States: open (starting, then up) -> closed; open -> broken (the node worker failed) -> closed. */
class PageTab implements Tab {
  readonly pagePort: FramePort
  readonly nodeId: Promise<NodeId>
  readonly #options: TabOptions
  /** Undefined until its script is here, and when it could not be started. */
  #worker: Worker | undefined
  readonly #frame: ReturnType<typeof createSandboxFrame>
  readonly #control: Remote<NodeControl>
  readonly #news: MessagePort
  readonly #log: Log
  readonly #started: Deferred<NodeId> = deferred()
  /** Rejects when the tab is closed or its worker broke: calls into a worker that is gone would wait for ever. */
  readonly #over: Deferred<never> = deferred()
  #state: 'open' | 'broken' | 'closed' = 'open'
  /** From then on the worker hears calls. */
  #hasStarted = false
  #closing: Promise<void> | undefined
  #rtc: RtcHost | undefined

  constructor(options: TabOptions) {
    this.#options = options
    this.#log = createLog({
      level: 'warn',
      write: ({ scope, message, fields }) => console.warn(`[shoal ${scope}] ${message}`, fields),
    })
    const page = new MessageChannel()
    const control = new MessageChannel()
    const news = new MessageChannel()
    this.pagePort = createMessageFramePort(page.port1)
    this.#control = wrap<NodeControl>(control.port1)
    this.#news = news.port1
    this.nodeId = this.#untilOver(this.#started.promise)
    this.#frame = createSandboxFrame({
      ...(options.sandboxUrl !== undefined && { sandboxUrl: options.sandboxUrl }),
      onFailed: (reason) => this.#fail(new Error(`the sandbox could not be loaded: ${String(reason)}`)),
    })
    // Whoever awaits it sees the failure; `onFailed` told of it in any case.
    this.nodeId.catch(() => undefined)
    this.#over.promise.catch(() => undefined)
    this.#news.onmessage = (event: MessageEvent<NodeNews>): void => this.#onNews(event.data)
    const { slots, resources, labels, cores, name, agent, isLending } = options
    const init: TabInit = {
      version: PROTOCOL_VERSION,
      slots,
      resources,
      labels,
      cores,
      name,
      agent,
      isLending,
      device: deviceOfBrowser(),
      ...(options.faults && { faults: options.faults }),
      objectStoreBytes: options.objectStoreBytes,
      numGpus: options.numGpus,
      ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      pagePort: page.port2,
      sandboxPort: this.#frame.controlPort,
      controlPort: control.port2,
      newsPort: news.port2,
    }
    void this.#startWorker(init)
  }

  async join(request: JoinRequest, iceServers: readonly RTCIceServer[]): Promise<Joined> {
    await this.#whenUp()
    this.#rtc?.close()
    const { port1, port2 } = new MessageChannel()
    this.#rtc = createRtcHost(port1, { iceServers, log: this.#log.child('rtc') })
    return this.#untilOver(this.#control.join(request, transfer(port2, [port2])))
  }

  setIceServers(iceServers: readonly RTCIceServer[]): void {
    this.#rtc?.setIceServers(iceServers)
  }

  async newOwner(): ReturnType<NodeControl['newOwner']> {
    await this.#whenUp()
    return this.#untilOver(this.#control.newOwner())
  }

  async leave(): Promise<void> {
    await this.#whenUp()
    await this.#untilOver(this.#control.leave())
    this.#rtc?.close()
    this.#rtc = undefined
  }

  async suspend(): Promise<void> {
    await this.#whenUp()
    await this.#untilOver(this.#control.suspend())
    this.#rtc?.close()
    this.#rtc = undefined
  }

  lend(terms: LendingTerms): void {
    if (this.#state !== 'open') return
    this.#control.lend(terms).catch((error: unknown) => this.#log.warn('lending', { error: String(error) }))
  }

  async state(question: StateQuestion): Promise<StateRows> {
    await this.#whenUp()
    return this.#untilOver(this.#control.state(question))
  }

  retryEntry(): void {
    if (this.#state === 'open') this.#control.retryEntry().catch(() => undefined)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#over.reject(new ShutdownError('shutdown', 'this session was shut down'))
    // A worker that still starts has nobody to say goodbye to.
    if (this.#hasStarted) await withinMs(this.#control.close(), GOODBYE_MS)
    this.#rtc?.close()
    this.#control[releaseProxy]()
    this.#frame.close()
    this.#news.close()
    this.#worker?.terminate()
  }

  async #startWorker(init: TabInit): Promise<void> {
    try {
      const worker = this.#options.createWorker?.() ?? (await workerFromText())
      if (this.#state === 'closed') {
        worker.terminate()
        return
      }
      this.#worker = worker
      worker.onerror = (event) =>
        this.#fail(new Error(`the node worker broke: ${event.message || `it could not be started${WHY_NOT}`}`))
      worker.postMessage(init, [init.pagePort, init.sandboxPort, init.controlPort, init.newsPort])
    } catch (error) {
      // The page is told once it has its tab: `createWorker` may throw before that.
      await Promise.resolve()
      this.#fail(new Error(`the node worker could not be started: ${String(error)}`))
    }
  }

  /** Rejects for a tab that is over, also for one that was up before. */
  async #whenUp(): Promise<void> {
    await this.nodeId
    if (this.#state !== 'open') await this.#over.promise
  }

  #untilOver<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#over.promise])
  }

  #fail(reason: Error): void {
    if (this.#state !== 'open') return
    this.#state = 'broken'
    this.#over.reject(reason)
    this.#options.onFailed(reason)
  }

  #onNews(news: NodeNews): void {
    switch (news.type) {
      case 'started':
        this.#hasStarted = true
        this.#started.resolve(news.nodeId)
        return
      case 'failed':
        this.#fail(new Error(news.message))
        return
      case 'status':
        this.#options.onStatus(news.status)
        return
      case 'log':
        this.#options.onLogLine(news.line)
        return
      case 'settings':
        this.#options.onRoomSettings(news.settings)
        return
      case 'enter-again':
        this.#options.onEnterAgain()
        return
      case 'chunk':
        CHUNKS[news.name]().then(
          ({ text }) => this.#news.postMessage({ name: news.name, text } satisfies ChunkText),
          (error: unknown) => {
            // Nobody's work depends on it: the server of this page may be gone, and a peer may ask all the same.
            if (news.name === 'state' || news.name === 'gpu')
              this.#news.postMessage({ name: news.name, text: undefined } satisfies ChunkText)
            else this.#fail(new Error(`a part of Shoal could not be loaded: ${String(error)}`))
          },
        )
    }
  }
}

/** Settles when the promise does, either way, or when the time is up. */
function withinMs(promise: Promise<unknown>, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs)
    const finish = (): void => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(finish, finish)
  })
}

const DEVICE_KEY = 'shoal-device'

/**
 * A random name that tabs of one browser and origin share: they die together, so what one of them owns is better recorded
 * elsewhere. Says nothing else, and is left out where the page may not store anything.
 */
function deviceOfBrowser(): string | undefined {
  try {
    const known = localStorage.getItem(DEVICE_KEY)
    if (known !== null && /^[0-9a-f]{16}$/.test(known)) return known
    const made = toHex(crypto.getRandomValues(new Uint8Array(8)))
    localStorage.setItem(DEVICE_KEY, made)
    return made
  } catch {
    return undefined
  }
}

const CHUNKS: Readonly<Record<ChunkName, () => Promise<{ readonly text: string }>>> = {
  noble: () => import('./noble-text.ts'),
  capture: () => import('./capture-text.ts'),
  room: () => import('./room-text.ts'),
  state: () => import('./state-text.ts'),
  faults: () => import('./faults-text.ts'),
  gpu: () => import('./gpu-text.ts'),
  sandbox: () => import('./sandbox-text.ts'),
}

const WHY_NOT =
  '; if this page has a Content-Security-Policy without worker-src blob:, serve node-worker.js and give init() createWorker'

/** Its text is no part of the page's own script: a page that only imports Shoal does not load it. */
async function workerFromText(): Promise<Worker> {
  const { text } = await import('./node-worker-text.ts')
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  try {
    return new Worker(url, { name: 'shoal node' })
  } finally {
    // The worker has fetched it by the time a task of this page runs again.
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
}

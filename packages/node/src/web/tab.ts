import { createLog } from '@shoal/base'
import type { Log } from '@shoal/base'
import { createMessageFramePort, createSandboxFrame } from '@shoal/executor/web'
import { PROTOCOL_VERSION } from '@shoal/protocol'
import type { FramePort, LogLine, NodeId, ResourceSet } from '@shoal/protocol'
import { createRtcHost } from '@shoal/transport/web'
import type { RtcHost } from '@shoal/transport/web'
import { releaseProxy, transfer, wrap } from 'comlink'
import type { Remote } from 'comlink'
import type { NodeStatus } from '../shoal-node.ts'
import type { ChunkName, ChunkText, Joined, JoinRequest, NodeControl, NodeNews, TabInit } from './tab-messages.ts'

export interface TabOptions {
  readonly slots: number
  /** What the tab has beside its CPUs. */
  readonly resources: ResourceSet
  readonly cores: number
  readonly name: string
  readonly agent: string
  readonly isLending: boolean
  readonly sandboxUrl?: string
  /** Starts the script of the node worker, for pages whose CSP refuses a worker from a blob. */
  readonly createWorker?: () => Worker
  onStatus(status: NodeStatus): void
  onLogLine(line: LogLine): void
  /** The tab stood still for so long that its room has given it up. */
  onSlept(ms: number): void
  /** The node worker could not start, or broke. */
  onFailed(reason: Error): void
}

/** The page's side of one tab's node. */
export interface Tab {
  /** For the page's core worker; frames may be posted before the node is up. */
  readonly pagePort: FramePort
  readonly nodeId: Promise<NodeId>
  join(request: JoinRequest, iceServers: readonly RTCIceServer[]): Promise<Joined>
  newOwner(): ReturnType<NodeControl['newOwner']>
  leave(): Promise<void>
  lend(isOn: boolean): void
  close(): Promise<void>
}

/**
 * Starts a tab's node: the node worker, the sandbox frame and the ports between them. The page keeps what only a page
 * has: the frame's element, WebRTC's handshakes and the texts of lazily loaded scripts. Returns at once.
 */
export function createTab(options: TabOptions): Tab {
  return new PageTab(options)
}

class PageTab implements Tab {
  readonly pagePort: FramePort
  readonly nodeId: Promise<NodeId>
  readonly #options: TabOptions
  /** Undefined when it could not be started. */
  readonly #worker: Promise<Worker | undefined>
  readonly #frame: ReturnType<typeof createSandboxFrame>
  readonly #control: Remote<NodeControl>
  readonly #news: MessagePort
  readonly #log: Log
  #rtc: RtcHost | undefined
  #isClosed = false

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
    let fail!: (reason: Error) => void
    this.nodeId = new Promise((resolve, reject) => {
      fail = (reason) => {
        reject(reason)
        if (!this.#isClosed) options.onFailed(reason)
      }
      this.#news.onmessage = (event: MessageEvent<NodeNews>): void => this.#onNews(event.data, resolve, fail)
    })
    this.#frame = createSandboxFrame({
      ...(options.sandboxUrl !== undefined && { sandboxUrl: options.sandboxUrl }),
      onFailed: (reason) => fail(new Error(`the sandbox could not be loaded: ${String(reason)}`)),
    })
    // Whoever awaits it sees the failure; `onFailed` told of it in any case.
    this.nodeId.catch(() => undefined)
    const { slots, resources, cores, name, agent, isLending } = options
    const init: TabInit = {
      version: PROTOCOL_VERSION,
      slots,
      resources,
      cores,
      name,
      agent,
      isLending,
      pagePort: page.port2,
      sandboxPort: this.#frame.controlPort,
      controlPort: control.port2,
      newsPort: news.port2,
    }
    this.#worker = this.#startWorker(init, fail)
  }

  async join(request: JoinRequest, iceServers: readonly RTCIceServer[]): Promise<Joined> {
    this.#rtc?.close()
    const { port1, port2 } = new MessageChannel()
    this.#rtc = createRtcHost(port1, { iceServers, log: this.#log.child('rtc') })
    return this.#control.join(request, transfer(port2, [port2]))
  }

  newOwner(): ReturnType<NodeControl['newOwner']> {
    return this.#control.newOwner()
  }

  async leave(): Promise<void> {
    await this.#control.leave()
    this.#rtc?.close()
    this.#rtc = undefined
  }

  lend(isOn: boolean): void {
    void this.#control.lend(isOn)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#control.close()
    this.#rtc?.close()
    this.#control[releaseProxy]()
    this.#frame.close()
    this.#news.close()
    const worker = await this.#worker
    worker?.terminate()
  }

  async #startWorker(init: TabInit, fail: (reason: Error) => void): Promise<Worker | undefined> {
    try {
      const worker = this.#options.createWorker?.() ?? (await workerFromText())
      worker.onerror = (event) =>
        fail(new Error(`the node worker broke: ${event.message || `it could not be started${WHY_NOT}`}`))
      worker.postMessage(init, [init.pagePort, init.sandboxPort, init.controlPort, init.newsPort])
      return worker
    } catch (error) {
      fail(new Error(`the node worker could not be started: ${String(error)}`))
      return undefined
    }
  }

  #onNews(news: NodeNews, started: (nodeId: NodeId) => void, fail: (reason: Error) => void): void {
    switch (news.type) {
      case 'started':
        started(news.nodeId)
        return
      case 'failed':
        fail(new Error(news.message))
        return
      case 'status':
        this.#options.onStatus(news.status)
        return
      case 'log':
        this.#options.onLogLine(news.line)
        return
      case 'slept':
        this.#options.onSlept(news.ms)
        return
      case 'chunk':
        loadChunk(news.name).then(
          (text) => this.#news.postMessage({ name: news.name, text } satisfies ChunkText),
          (error: unknown) => fail(new Error(`a part of Shoal could not be loaded: ${String(error)}`)),
        )
    }
  }
}

async function loadChunk(name: ChunkName): Promise<string> {
  const module = name === 'noble' ? await import('./noble-text.ts') : await import('./capture-text.ts')
  return module.text
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

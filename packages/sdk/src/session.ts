import { Subscribable } from '@shoal/base'
import { CoreWorker } from '@shoal/core-worker'
import { createTab, platformClock } from '@shoal/node/web'
import type { Tab } from '@shoal/node/web'
import { parseRoomLink, RoomError, ShutdownError } from '@shoal/protocol'
import type { LogLine, NodeId, RoomSecret } from '@shoal/protocol'
import { createCollectedRefs } from './collected-refs.ts'
import { describeBrowser } from './describe-browser.ts'
import { publicAddress, readServerConfig } from './room-server.ts'
import { RoomInSession } from './room-in-session.ts'
import { toStatus } from './session-status.ts'
import { tabResources } from './tab-resources.ts'
import type { NodeNews } from './session-status.ts'
import type { InitOptions, Room, Session, SessionStatus } from './session-types.ts'

const ENTER_AGAIN_EVERY_MS = 3_000

/**
 * One tab's part in Shoal, on its page: starts the node, joins rooms, and holds the core worker through which this
 * page's code submits. States: starting -> up (alone or in a room) -> closed; starting -> failed.
 */
export class TabSession implements Session {
  readonly core: CoreWorker
  readonly ready: Promise<void>
  readonly #options: InitOptions
  readonly #tab: Tab
  readonly #statusListeners: Subscribable<SessionStatus>
  readonly #slots: number
  readonly #cores: number
  readonly #name: string
  #nodeId: NodeId | undefined
  #news: NodeNews | undefined
  #problem: string | undefined
  #room: Room | undefined
  #enteredAtMs = -ENTER_AGAIN_EVERY_MS
  /** Enters the present room once more. */
  #enter: (() => ReturnType<Tab['join']>) | undefined
  #isLending: boolean
  #isJoining = false
  #closed: Promise<void> | undefined

  constructor(options: InitOptions) {
    this.#options = options
    const secret = options.room === undefined ? undefined : parseRoomLink(options.room).secret
    const isHelper = options.role === 'helper' || (options.role === undefined && secret?.kind === 'helper')
    this.#cores = navigator.hardwareConcurrency || 1
    this.#slots = options.workers ?? Math.max(1, isHelper ? Math.floor(this.#cores / 2) : this.#cores - 1)
    this.#isLending = options.lend ?? true
    this.#name = options.name ?? describeBrowser(navigator.userAgent)
    this.#statusListeners = new Subscribable((error) => console.error('a listener of a Shoal session failed', error))
    if (typeof RTCPeerConnection !== 'function')
      this.#problem = 'This browser has no WebRTC, or it is switched off: this tab works alone.'
    this.#tab = createTab({
      slots: this.#slots,
      resources: tabResources(options),
      cores: this.#cores,
      name: this.#name,
      agent: describeBrowser(navigator.userAgent),
      isLending: this.#isLending,
      ...(options.sandboxUrl !== undefined && { sandboxUrl: String(options.sandboxUrl) }),
      ...(options.createWorker !== undefined && { createWorker: options.createWorker }),
      onStatus: (status) => {
        this.#news = status
        this.#emit()
      },
      onLogLine: printLine,
      onSlept: () => void this.#enterAgain(),
      onFailed: (reason) => this.#fail(reason),
    })
    this.core = new CoreWorker({
      port: this.#tab.pagePort,
      clock: platformClock,
      submitter: 0,
      ...(typeof FinalizationRegistry === 'function' && { createFinalizer: createCollectedRefs }),
    })
    this.ready = this.#start()
    // `init` hands the failure on; a session that was started by a first `.remote()` tells it through its refs.
    this.ready.catch(() => undefined)
  }

  get room(): Room | undefined {
    return this.#room
  }

  get nodeId(): string {
    return this.#nodeId ?? ''
  }

  status(): SessionStatus {
    return toStatus({
      nodeId: this.#nodeId,
      name: this.#name,
      cores: this.#cores,
      slots: this.#slots,
      isLending: this.#isLending,
      isJoining: this.#isJoining,
      isClosed: this.#closed !== undefined,
      hasRoom: this.#room !== undefined,
      canSubmit: this.#room === undefined || this.#room.ownerLink !== undefined,
      problem: this.#problem,
      news: this.#news,
    })
  }

  onStatus(listener: (status: SessionStatus) => void): () => void {
    return this.#statusListeners.subscribe(listener)
  }

  lend(isOn: boolean): void {
    if (this.#closed) return
    this.#isLending = isOn
    this.#tab.lend(isOn)
    this.#emit()
  }

  /** Makes a room on a server and enters it as its owner. @throws RoomError */
  async createRoom(server: string): Promise<Room> {
    await this.#tab.nodeId
    const { seed } = await this.#tab.newOwner()
    const roomKey = crypto.getRandomValues(new Uint8Array(16))
    return this.#join(server, { kind: 'owner', roomKey, ownerSeed: seed })
  }

  shutdown(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #start(): Promise<void> {
    this.#nodeId = await this.#tab.nodeId
    this.#emit()
    if (this.#options.room === undefined) return
    const { server, secret } = parseRoomLink(this.#options.room)
    await this.#join(server, secret)
  }

  async #join(server: string, secret: RoomSecret): Promise<Room> {
    if (this.#room) throw new RoomError('room', 'this tab is in a room already; leave it first')
    this.#isJoining = true
    this.#emit()
    try {
      const config = await readServerConfig(server)
      const owner = secret.kind === 'owner' ? secret.ownerSeed : secret.ownerPublicKey
      const { kind, roomKey } = secret
      const iceServers = (this.#options.iceServers as readonly RTCIceServer[] | undefined) ?? config.iceServers
      const enter = (): ReturnType<Tab['join']> => this.#tab.join({ server, kind, roomKey, owner }, iceServers)
      const joined = await enter()
      this.#enter = enter
      this.#room = new RoomInSession({
        joined,
        secret,
        address: publicAddress(server, config.lanUrl),
        members: () => this.status().members,
        subscribe: (listener) => this.onStatus((status) => listener(status.members)),
        leave: () => this.#leave(),
      })
      return this.#room
    } finally {
      this.#isJoining = false
      this.#emit()
    }
  }

  /** The room has given this tab up while it stood still: its old session is over, and it begins another. */
  async #enterAgain(): Promise<void> {
    if (this.#room === undefined || this.#isJoining || this.#closed) return
    // A member may say so as often as it likes.
    if (performance.now() - this.#enteredAtMs < ENTER_AGAIN_EVERY_MS) return
    this.#enteredAtMs = performance.now()
    this.#isJoining = true
    this.#emit()
    try {
      const room = this.#room
      await this.#tab.leave()
      // Whoever left, or shut down, in the meantime has left.
      if (this.#room !== room || this.#closed) return
      await this.#enter?.()
      if (this.#room !== room && !this.#closed) await this.#tab.leave()
    } catch (error) {
      this.#problem = `This tab slept and could not enter its room again: ${error instanceof Error ? error.message : String(error)}`
    } finally {
      this.#isJoining = false
      this.#emit()
    }
  }

  async #leave(): Promise<void> {
    if (this.#room === undefined) return
    this.#room = undefined
    await this.#tab.leave()
    this.#emit()
  }

  async #close(): Promise<void> {
    this.core.frame.flush()
    await this.#tab.nodeId.then(
      () => this.#tab.close(),
      () => undefined,
    )
    this.core.close(new ShutdownError('shutdown', 'this session was shut down'))
    this.#room = undefined
    this.#emit()
  }

  #fail(reason: Error): void {
    this.#problem = reason.message
    this.core.close(reason)
    this.#emit()
  }

  #emit(): void {
    this.#statusListeners.emit(this.status())
  }
}

function printLine(line: LogLine): void {
  console[line.level](`(${line.name} @${line.node.slice(0, 6)}) ${line.text}`)
}

// Long because how a tab enters a room, leaves it and enters it again is one state machine, beside what it tells of itself.
import { Subscribable, toError } from '@shoal/base'
import { CoreWorker, offeredLabels } from '@shoal/core-worker'
import type { ObjectRef } from '@shoal/core-worker'
import { createTab, platformClock } from '@shoal/node/web'
import type { Tab } from '@shoal/node/web'
import { parseRoomLink, RoomError, ShutdownError } from '@shoal/protocol'
import type { NodeId, RoomSecret, RoomSettings } from '@shoal/protocol'
import { CloseGuard } from './close-guard.ts'
import { createCollectedRefs } from './collected-refs.ts'
import { describeBrowser } from './describe-browser.ts'
import { refuseBadIceServers } from './init-options.ts'
import { KeptRefs, tabStorage } from './kept-refs.ts'
import { toRtc, toWire } from './ice-servers.ts'
import { Lending } from './lending.ts'
import { refuseBadLimits } from './lending-limits.ts'
import type { LendingLimits } from './lending-limits.ts'
import type { PageSession } from './page-session.ts'
import { DRIVER_LENDS, roleOf } from './role.ts'
import { createLinePrinter } from './print-lines.ts'
import { publicAddress, readServerConfig } from './room-server.ts'
import { RoomInSession } from './room-in-session.ts'
import { createSessionApi } from './session-api.ts'
import { stackSourcesOf } from './stack-sources.ts'
import { openConsoleDoor } from './state/console-door.ts'
import { StateQueries } from '@shoal/core-worker'
import type { StateTimeout, TaskEvents } from '@shoal/core-worker'
import type { TaskEventsOptions } from './state/ask-task-events.ts'
import { askTimeline } from './state/ask-timeline.ts'
import type { Timeline } from './state/timeline.ts'
import { pageSerializers } from './serializers.ts'
import { toStatus } from './session-status.ts'
import { partsOf, tabResources } from './tab-resources.ts'
import type { NodeNews } from './session-status.ts'
import type {
  IceServer,
  InitOptions,
  Role,
  Room,
  RoomOptions,
  Session,
  SessionStatus,
  TaskLine,
} from './session-types.ts'

/**
 * One tab's part in Shoal, on its page: starts the node, joins rooms, and holds the core worker through which this
 * page's code submits. States: starting -> up (alone or in a room) -> closed; starting | up -> failed -> closed.
 */
export class TabSession extends StateQueries implements PageSession {
  readonly core: CoreWorker
  readonly ready: Promise<void>
  readonly remote: Session['remote']
  readonly actor: Session['actor']
  readonly get: Session['get']
  readonly put: Session['put']
  readonly wait: Session['wait']
  readonly cancel: Session['cancel']
  readonly transfer: Session['transfer']
  readonly kill: Session['kill']
  readonly getActor: Session['getActor']
  readonly exitActor: Session['exitActor']
  readonly placementGroup: Session['placementGroup']
  readonly removePlacementGroup: Session['removePlacementGroup']
  readonly context: Session['context']
  readonly #options: InitOptions
  readonly #role: Role
  readonly #tab: Tab
  readonly #lending: Lending
  readonly #kept: KeptRefs
  readonly #guard: CloseGuard | undefined
  readonly #statusListeners: Subscribable<SessionStatus>
  readonly #lines = new Subscribable<TaskLine>(listenerFailed)
  readonly #slots: number
  readonly #cores: number
  readonly #name: string
  /** Aborts when the session is shut down: whatever is on its way ends. */
  readonly #over = new AbortController()
  #nodeId: NodeId | undefined
  #news: NodeNews | undefined
  #problem: string | undefined
  #room: RoomInSession | undefined
  /** Enters the present room once more. */
  #enter: (() => ReturnType<Tab['join']>) | undefined
  /** What the room's owner decided, once the directory has told. */
  #roomIce: readonly RTCIceServer[] | undefined
  #isJoining = false
  /** The room has given our node's session up since it was last entered. */
  #isGivenUp = false
  #closed: Promise<void> | undefined
  #closeDoor: () => void = () => undefined

  /**
   * @param start for tests: what makes the tab's node
   * @throws RoomError for a damaged link, RangeError or PermissionError for a role that cannot be.
   */
  constructor(options: InitOptions, start: typeof createTab = createTab) {
    super()
    this.#options = options
    const secret = options.room === undefined ? undefined : parseRoomLink(options.room).secret
    this.#role = roleOf(options, secret?.kind)
    this.#cores = navigator.hardwareConcurrency || 1
    const share = this.#role === 'helper' ? Math.floor(this.#cores / 2) : this.#cores - 1
    this.#slots = options.workers ?? Math.max(1, share)
    this.#name = options.name ?? describeBrowser(navigator.userAgent)
    this.#statusListeners = new Subscribable(listenerFailed)
    if (typeof RTCPeerConnection !== 'function')
      this.#problem = 'This browser has no WebRTC, or it is switched off: this tab works alone.'
    if (options.warnBeforeClose !== false) this.#guard = new CloseGuard(globalThis.window)
    this.#lending = new Lending({
      lender: this,
      wants: options.lend ?? false,
      changed: () => this.#lendingChanged(),
    })
    this.#tab = start({
      slots: this.#slots,
      resources: tabResources(options),
      labels: offeredLabels(options.labels),
      cores: this.#cores,
      name: this.#name,
      agent: describeBrowser(navigator.userAgent),
      isLending: false,
      ...partsOf(options),
      onStatus: (status) => {
        this.#news = status
        this.#guard?.set(status.hasOwnJob && this.#closed === undefined)
        this.#emit()
      },
      onLogLine: createLinePrinter(
        stackSourcesOf(() => this.core),
        (level, text, line) => {
          console[level](text)
          this.#lines.emit(line)
        },
      ),
      onRoomSettings: (settings) => this.#applySettings(settings),
      onEnterAgain: () => {
        this.#isGivenUp = true
        void this.#enterAgain()
      },
      onFailed: (reason) => this.#fail(reason),
    })
    this.core = new CoreWorker({
      port: this.#tab.pagePort,
      clock: platformClock,
      submitter: 0,
      serializers: () => pageSerializers,
      ...(typeof FinalizationRegistry === 'function' && { createFinalizer: createCollectedRefs }),
    })
    this.#kept = new KeptRefs(this.core, tabStorage())
    const api = createSessionApi(
      () => this,
      () => this.nodeId,
    )
    this.remote = api.remote
    this.actor = api.actor
    this.get = api.get
    this.put = api.put
    this.wait = api.wait
    this.cancel = api.cancel
    this.transfer = api.transfer
    this.kill = api.kill
    this.getActor = api.getActor
    this.exitActor = api.exitActor
    this.placementGroup = api.placementGroup
    this.removePlacementGroup = api.removePlacementGroup
    this.context = api.context
    this.ready = this.#start()
    // `init` hands the failure on; a session that was started by a first `.remote()` tells it through its refs.
    this.ready.catch(() => undefined)
    this.#lending.open()
    this.#closeDoor = openConsoleDoor(this)
  }

  get room(): Room | undefined {
    return this.#room
  }

  get nodeId(): string {
    return this.#nodeId ?? ''
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  status(): SessionStatus {
    return toStatus({
      nodeId: this.#nodeId,
      name: this.#name,
      cores: this.#cores,
      slots: this.#slots,
      role: this.#role,
      isLending: this.#lending.isOn,
      wantsToLend: this.#lending.isWanted,
      isBadgeMissing: this.#lending.isBadgeMissing,
      isJoining: this.#isJoining,
      isClosed: this.isClosed,
      hasRoom: this.#room !== undefined,
      canSubmit: this.#room === undefined || this.#maySubmit(this.#room.ownerLink !== undefined),
      problem: this.#problem,
      news: this.#news,
    })
  }

  onStatus(listener: (status: SessionStatus) => void): () => void {
    return this.#statusListeners.subscribe(listener)
  }

  lend(how: boolean | LendingLimits): void {
    if (how !== false && this.#role === 'driver') throw new RangeError(DRIVER_LENDS)
    if (this.isClosed) return
    if (typeof how === 'object') refuseBadLimits(how)
    this.#lending.want(how)
    this.#emit()
  }

  keep(name: string, ref: ObjectRef | undefined): void {
    this.#kept.keep(name, ref)
  }

  kept<T>(name: string): ObjectRef<T> | undefined {
    return this.#kept.kept<T>(name)
  }

  async createRoom({ server, iceServers }: RoomOptions): Promise<Room> {
    if (iceServers !== undefined) refuseBadIceServers(iceServers)
    const { seed } = await this.#tab.newOwner()
    const roomKey = crypto.getRandomValues(new Uint8Array(16))
    return this.#join(server, { kind: 'owner', roomKey, ownerSeed: seed }, iceServers)
  }

  timeline(options?: StateTimeout): Promise<Timeline> {
    return askTimeline(this, options)
  }

  async listTaskEvents(options?: TaskEventsOptions): Promise<TaskEvents> {
    const { askTaskEvents } = await import('./state/ask-task-events.ts')
    return askTaskEvents((question) => this.askState(question), options)
  }

  onTaskLine(listener: (line: TaskLine) => void): () => void {
    return this.#lines.subscribe(listener)
  }

  protected override async askState(question: Parameters<Tab['state']>[0]): ReturnType<Tab['state']> {
    if (this.isClosed) throw new ShutdownError('shutdown', 'this session was shut down')
    // What was submitted before goes first.
    this.core.frame.flush()
    return this.#tab.state(question)
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
    await this.#join(server, secret, undefined)
  }

  #maySubmit(hasOwnerLink: boolean): boolean {
    return hasOwnerLink && this.#role !== 'helper'
  }

  async #join(server: string, secret: RoomSecret, roomIce: readonly IceServer[] | undefined): Promise<Room> {
    if (this.#room || this.#isJoining)
      throw new RoomError('room', 'this tab is in a room already, or on its way into one; leave it first')
    this.#isJoining = true
    this.#isGivenUp = false
    this.#emit()
    try {
      const config = await readServerConfig(server, this.#over.signal)
      const owner = secret.kind === 'owner' ? secret.ownerSeed : secret.ownerPublicKey
      const { kind, roomKey } = secret
      const asked = toRtc(this.#options.iceServers)
      const iceServers = toRtc(roomIce) ?? asked ?? config.iceServers
      const settings = roomIce === undefined ? {} : { settings: { iceServers: toWire(roomIce) } }
      const maySubmit = this.#maySubmit(kind === 'owner')
      const reload = maySubmit ? this.#kept.enter(secret) : undefined
      const enter = (found: typeof reload): ReturnType<Tab['join']> =>
        this.#tab.join(
          { server, kind, maySubmit, roomKey, owner, ...settings, ...(found && { reload: found }) },
          this.#roomIce ?? iceServers,
        )
      const joined = await enter(reload)
      this.#over.signal.throwIfAborted()
      if (this.#nodeId !== undefined) this.#kept.entered(this.#nodeId, joined)
      // Its refs are counted by then.
      this.#enter = () => enter(reload && { ...reload, kept: [] })
      this.#room = new RoomInSession({
        joined,
        secret,
        address: publicAddress(server, config.lanUrl),
        host: {
          status: () => this.status(),
          onStatus: (listener) => this.onStatus(listener),
          leave: () => this.#leave(),
          listenerFailed,
        },
      })
      this.#lending.roomChanged()
      return this.#room
    } finally {
      this.#isJoining = false
      if (this.#room === undefined) this.#kept.left(false)
      this.#emit()
      void this.#enterAgain()
    }
  }

  /** The room has given this tab up while it stood still: its old session is over, and it begins another. */
  async #enterAgain(): Promise<void> {
    while (this.#isGivenUp && this.#room !== undefined && !this.#isJoining && !this.isClosed) {
      this.#isGivenUp = false
      this.#isJoining = true
      this.#emit()
      const room = this.#room
      try {
        await this.#tab.suspend()
        // Whoever left, or shut down, in the meantime has left.
        if (this.#room !== room || this.isClosed) return
        await this.#enter?.()
        if (this.#room !== room && !this.isClosed) await this.#tab.leave()
        this.#problem = undefined
      } catch (error) {
        if (this.isClosed) return
        this.#problem = `This tab could not enter its room again, and goes on trying: ${toError(error).message}`
        this.#tab.retryEntry()
      } finally {
        this.#isJoining = false
        this.#emit()
      }
    }
  }

  #applySettings({ iceServers }: RoomSettings): void {
    // What this tab was told itself stands.
    if (this.#options.iceServers !== undefined || iceServers.length === 0) return
    const servers = iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }))
    try {
      refuseBadIceServers(servers)
    } catch (error) {
      console.warn(`Shoal: the room's iceServers are passed over: ${toError(error).message}`)
      return
    }
    this.#roomIce = servers
    this.#tab.setIceServers(servers)
  }

  async #leave(): Promise<void> {
    const room = this.#room
    if (room === undefined) return
    this.#room = undefined
    this.#roomIce = undefined
    this.#kept.left(true)
    this.#lending.roomChanged()
    try {
      await this.#tab.leave()
    } catch (error) {
      // Whoever shut down has left, too.
      if (!this.isClosed) throw error
    } finally {
      room.left()
      this.#emit()
    }
  }

  async #close(): Promise<void> {
    const reason = new ShutdownError('shutdown', 'this session was shut down')
    this.#over.abort(reason)
    this.#guard?.set(false)
    this.#closeDoor()
    this.#kept.left(true)
    this.core.frame.flush()
    await this.#tab.close()
    this.core.close(reason)
    const room = this.#room
    this.#room = undefined
    this.#lending.close()
    room?.left()
    this.#emit()
  }

  #fail(reason: Error): void {
    this.#problem = reason.message
    this.#guard?.set(false)
    this.core.close(reason)
    this.#emit()
  }

  #lendingChanged(): void {
    this.#tab.lend(this.#lending.terms)
    if (this.#lending.isBadgeMissing) console.warn(NO_BADGE)
    this.#emit()
  }

  #emit(): void {
    this.#statusListeners.emit(this.status())
  }
}

const NO_BADGE =
  'Shoal: this tab was told to lend its workers and shows no <shoal-badge>, so it lends nothing. Put the element into the ' +
  'page where people can see it.'

function listenerFailed(error: unknown): void {
  console.error('a listener of a Shoal session failed', error)
}

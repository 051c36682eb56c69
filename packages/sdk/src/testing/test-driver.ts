import { Subscribable } from '@shoal/base'
import type { CoreWorker, ObjectRef } from '@shoal/core-worker'
import type { StateQuestion, StateRows } from '@shoal/node'
import { ShutdownError } from '@shoal/protocol'
import type { RoomSecret } from '@shoal/protocol'
import type { Joined } from '@shoal/node/web'
import { KeptRefs } from '../kept-refs.ts'
import type { PageSession } from '../page-session.ts'
import { RoomInSession } from '../room-in-session.ts'
import { createSessionApi } from '../session-api.ts'
import type { PageApi } from '../session-api.ts'
import { toStatus } from '../session-status.ts'
import { StateQueries } from '@shoal/core-worker'
import type { StateTimeout, TaskEvents } from '@shoal/core-worker'
import { askTaskEvents } from '../state/ask-task-events.ts'
import type { TaskEventsOptions } from '../state/ask-task-events.ts'
import { askTimeline } from '../state/ask-timeline.ts'
import type { Timeline } from '../state/timeline.ts'
import type { Room, Session, SessionStatus, TaskLine } from '../session-types.ts'
import type { LendingLimits } from '../lending-limits.ts'
import { turns } from './tab-clock.ts'
import type { TestTabNode } from './test-tab.ts'

/** The session of a tab that may submit, with the SDK's functions going through it: `driver.remote`, `driver.get`. */
export interface TestDriver extends Session {
  /** Of its tab, 32 hex digits. */
  readonly nodeId: string
}

/** What a test room's links name as their server: nobody can be reached there. */
const NO_SERVER = 'https://test-room.invalid'

/** The page's side of one tab, as `TabSession` is in a browser. */
export class TestSession extends StateQueries implements Omit<PageSession, keyof PageApi> {
  readonly core: CoreWorker
  readonly ready = Promise.resolve()
  readonly room: RoomInSession
  readonly #tab: TestTabNode
  /** A test room's pages do not reload. */
  readonly #kept: KeptRefs
  readonly #listeners = new Subscribable<SessionStatus>(listenerFailed)

  constructor(tab: TestTabNode, joined: Joined, secret: RoomSecret) {
    super()
    this.#tab = tab
    this.core = tab.core
    this.#kept = new KeptRefs(tab.core, undefined)
    this.room = new RoomInSession({
      joined,
      secret,
      address: NO_SERVER,
      host: {
        status: () => this.status(),
        onStatus: (listener) => this.onStatus(listener),
        leave: () => this.shutdown(),
        listenerFailed,
      },
    })
  }

  get nodeId(): string {
    return this.#tab.nodeId
  }

  get isClosed(): boolean {
    return this.#tab.isOver
  }

  status(): SessionStatus {
    const news = this.#tab.node.status()
    return toStatus({
      nodeId: this.#tab.nodeId,
      name: this.#tab.name,
      cores: news.slots,
      slots: news.slots,
      role: 'both',
      isLending: news.isLending,
      wantsToLend: news.isLending,
      isBadgeMissing: false,
      isJoining: false,
      isClosed: this.#tab.isOver,
      hasRoom: news.room !== undefined,
      canSubmit: true,
      problem: undefined,
      news,
    })
  }

  onStatus(listener: (status: SessionStatus) => void): () => void {
    return this.#listeners.subscribe(listener)
  }

  lend(how: boolean | LendingLimits): void {
    const { pauseWhen: _, ...limits } = typeof how === 'object' ? how : {}
    this.#tab.node.lend({ ...limits, isOn: how !== false })
  }

  keep(name: string, ref: ObjectRef | undefined): void {
    this.#kept.keep(name, ref)
  }

  kept<T>(name: string): ObjectRef<T> | undefined {
    return this.#kept.kept<T>(name)
  }

  listTaskEvents(options?: TaskEventsOptions): Promise<TaskEvents> {
    return askTaskEvents((question) => this.askState(question), options)
  }

  onTaskLine(listener: (line: TaskLine) => void): () => void {
    return this.#tab.lines.subscribe(listener)
  }

  timeline(options?: StateTimeout): Promise<Timeline> {
    return askTimeline(this, options)
  }

  protected override async askState(question: StateQuestion): Promise<StateRows> {
    if (this.isClosed) throw new ShutdownError('shutdown', 'this session was shut down')
    // What was submitted before is on its way over a port.
    this.core.frame.flush()
    await turns(2)
    return this.#tab.node.state(question)
  }

  /** The test room is the only one there is. */
  createRoom(): Promise<Room> {
    return Promise.resolve(this.room)
  }

  shutdown(): Promise<void> {
    this.#tab.close()
    this.room.left()
    this.changed()
    return Promise.resolve()
  }

  changed(): void {
    if (this.#listeners.size > 0) this.#listeners.emit(this.status())
  }
}

function listenerFailed(error: unknown): void {
  console.error('a listener of a Shoal session failed', error)
}

/** The session together with the SDK's functions over it. */
export function createDriver(session: TestSession): TestDriver & PageSession {
  return Object.assign(
    session,
    createSessionApi(
      () => session,
      () => session.nodeId,
    ),
  )
}

import { createLog, seededRandom, silentLog } from '@shoal/base'
import type { Clock, Log } from '@shoal/base'
import { fingerprint } from '@shoal/node'
import { createNobleCrypto } from '@shoal/node/crypto'
import { roomIdOfKeyHash } from '@shoal/protocol'
import type { LogLine, RoomSecret } from '@shoal/protocol'
import { installSession } from '../current-session.ts'
import type { PageSession } from '../page-session.ts'
import { leaksIn, TestRoomLeakError } from './leak-report.ts'
import type { TabReport, TestRoomReport } from './leak-report.ts'
import { ManualClock } from './manual-clock.ts'
import { MemoryNetwork } from './memory-network.ts'
import { realClock, turns } from './tab-clock.ts'
import { createDriver, TestSession } from './test-driver.ts'
import type { TestDriver } from './test-driver.ts'
import { resolveTestRoom } from './test-room-options.ts'
import type { ResolvedTestRoom, TestRoomOptions } from './test-room-options.ts'
import { TestTabNode } from './test-tab.ts'

/** One tab of a test room. */
export interface TestTab {
  readonly name: string
  /** 32 hex digits. */
  readonly nodeId: string
  readonly isDriver: boolean
  /** False once it was closed or killed. */
  readonly isOpen: boolean
  /** What it holds and runs at this moment. */
  report(): TabReport
  /** Its workers die in the middle of whatever they do, as when a task takes all memory. The tab goes on. */
  crashWorkers(): void
}

/** What a task wrote to its console. */
export interface TestLine {
  readonly level: 'debug' | 'log' | 'info' | 'warn' | 'error'
  /** The task's name. */
  readonly name: string
  readonly text: string
}

/** A room of tabs in this process: real nodes, scheduling, encoding and checks, with memory where a browser has WebRTC. */
export interface TestRoom extends AsyncDisposable {
  readonly tabs: readonly TestTab[]
  /** The tabs that may submit, each with the SDK's functions going through it. */
  readonly drivers: readonly TestDriver[]
  /** The first driver: the one that the functions of '@shoal/sdk' go to. */
  readonly session: TestDriver
  /** What tasks of this room's drivers wrote to their consoles. */
  readonly lines: readonly TestLine[]
  /** The tab's process is gone without a word. Others give it up about a second later; `untilGone` waits for that. */
  killTab(index: number): void
  /** The tab says goodbye, as when a person closes it. */
  closeTab(index: number): void
  /** Resolves when every open tab has given up the tabs that were closed or killed. */
  untilGone(): Promise<void>
  /** Resolves when no task of any tab runs or waits. */
  untilIdle(): Promise<void>
  /** With `clock: 'manual'`: lets this many milliseconds pass, with everything that they bring. */
  advance(ms: number): Promise<void>
  /** What every tab holds at this moment. */
  report(): TestRoomReport
  /**
   * Ends the drivers' jobs and then every tab. Idempotent.
   *
   * @throws TestRoomLeakError when a tab still has objects, runs, workers or timers after that, or links are left; with
   *   `mustReleaseRefs` also for refs that nobody released.
   */
  close(): Promise<TestRoomReport>
}

/**
 * Opens a room of tabs in this process, to test tasks and actors under Vitest, Jest or node:test without a browser. The
 * tabs are real nodes: functions are checked and shipped as text, values are encoded, work moves to other tabs, and what
 * fails there fails here. `remote`, `get` and the other functions of '@shoal/sdk' go to its first driver until it is closed,
 * also in the modules under test.
 *
 * User code runs in this thread: it is not isolated from the test, and a loop that never ends stops everything.
 *
 * @throws TypeError or RangeError for a bad option, by name; Error while another session or test room is open.
 * @example
 * import { get, remote } from '@shoal/sdk'
 * import { createTestRoom } from '@shoal/sdk/testing'
 *
 * const room = await createTestRoom({ tabs: 3, workers: 2 })
 * const double = remote((n: number) => 2 * n)
 * console.log(await get(double.remote(21))) // 42
 * await room.close()
 */
export async function createTestRoom(options: TestRoomOptions = {}): Promise<TestRoom> {
  const room = new MemoryRoom(resolveTestRoom(options))
  await room.start()
  return room
}

/** Turns of the event loop in which goodbyes arrive and what they end is over; time may stand still. */
const LEAVE_TURNS = 20

/** States: starting -> open -> closing -> closed. */
class MemoryRoom implements TestRoom {
  readonly lines: TestLine[] = []
  readonly #options: ResolvedTestRoom
  readonly #manual: ManualClock | undefined
  readonly #network: MemoryNetwork
  readonly #tabs: TestTabNode[] = []
  readonly #sessions = new Map<TestTabNode, TestSession>()
  readonly #drivers: (TestDriver & PageSession)[] = []
  readonly #changed = new Set<() => void>()
  #uninstall: () => void = () => undefined
  #closed: Promise<TestRoomReport> | undefined

  constructor(options: ResolvedTestRoom) {
    this.#options = options
    this.#manual = options.clock === 'manual' ? new ManualClock() : undefined
    this.#network = new MemoryNetwork(this.#clock)
  }

  get tabs(): readonly TestTab[] {
    return this.#tabs.map((tab) => ({
      name: tab.name,
      nodeId: tab.nodeId,
      isDriver: tab.isDriver,
      get isOpen() {
        return !tab.isOver
      },
      report: () => tab.report(),
      crashWorkers: () => tab.crashWorkers(),
    }))
  }

  get drivers(): readonly TestDriver[] {
    return this.#drivers
  }

  get session(): TestDriver & PageSession {
    return this.#drivers[0] as TestDriver & PageSession
  }

  async start(): Promise<void> {
    const { seed, tabs, drivers, install } = this.#options
    const random = seededRandom(seed ?? Math.floor(Math.random() * 2 ** 32))
    const crypto = createNobleCrypto({ random })
    const ownerSeed = random.bytes(32)
    const roomKey = random.bytes(16)
    const ownerKeyPair = await crypto.keyPair(ownerSeed)
    const room = roomIdOfKeyHash(await crypto.sha256(ownerKeyPair.publicKey))
    const secret: RoomSecret = { kind: 'owner', roomKey, ownerSeed }
    for (const [index, { name, workers, resources, gpu, lend }] of tabs.entries()) {
      const tab = await TestTabNode.start({
        name,
        workers,
        resources,
        gpu,
        isLending: lend,
        clock: this.#clock,
        random,
        crypto,
        network: this.#network,
        room,
        roomKey,
        ownerKeyPair: index < drivers ? ownerKeyPair : undefined,
        log: this.#options.console ? printed(name) : silentLog,
        onLogLine: (line) => this.#onLogLine(line),
        onChange: () => this.#onChange(),
      })
      this.#tabs.push(tab)
      if (!tab.isDriver) continue
      const session = new TestSession(
        tab,
        { room, fingerprint: fingerprint(room), ownerPublicKey: ownerKeyPair.publicKey, publicKey: tab.publicKey },
        secret,
      )
      this.#sessions.set(tab, session)
      this.#drivers.push(createDriver(session))
    }
    try {
      await this.#until(() => this.#isLinked())
      if (install) this.#uninstall = installSession(this.session)
    } catch (error) {
      for (const tab of this.#tabs) tab.close()
      throw error
    }
  }

  killTab(index: number): void {
    this.#tab(index).kill()
    this.#onChange()
  }

  closeTab(index: number): void {
    this.#tab(index).close()
    this.#onChange()
  }

  untilGone(): Promise<void> {
    return this.#until(() => this.#isLinked())
  }

  untilIdle(): Promise<void> {
    return this.#until(() =>
      this.#open().every(({ node }) => {
        const { running, queued, pending } = node.status()
        return running + queued + pending === 0
      }),
    )
  }

  async advance(ms: number): Promise<void> {
    if (this.#manual === undefined) throw new Error("advance() needs a room with clock: 'manual'")
    if (!(ms >= 0)) throw new RangeError(`advance() takes milliseconds from 0, got ${ms}`)
    await this.#manual.advance(ms)
  }

  report(): TestRoomReport {
    return { tabs: this.#tabs.map((tab) => tab.report()), links: this.#network.linkCount }
  }

  close(): Promise<TestRoomReport> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #clock(): Clock {
    return this.#manual ?? realClock
  }

  async #close(): Promise<TestRoomReport> {
    this.#uninstall()
    const heldRefs = this.report()
    for (const tab of this.#tabs) if (tab.isDriver) tab.close()
    // The goodbyes arrive, and with them goes what helpers had of the drivers' jobs.
    await turns(LEAVE_TURNS)
    const helpers = this.#tabs.filter((tab) => !tab.isOver)
    const left = helpers.map((tab) => tab.report())
    for (const tab of helpers) tab.close()
    await turns(LEAVE_TURNS)
    const report = this.report()
    const leaks = [
      ...leaksIn({ tabs: left, links: 0 }, ['workers', 'timers', 'refs']),
      ...leaksIn(report, ['refs']),
      ...(this.#options.mustReleaseRefs ? leaksIn({ ...heldRefs, links: 0 }, NOT_REFS) : []),
    ]
    if (leaks.length > 0) throw new TestRoomLeakError([...new Set(leaks)], report)
    return report
  }

  #tab(index: number): TestTabNode {
    const tab = this.#tabs[index]
    if (tab === undefined) throw new RangeError(`there is no tab ${index}; the room has ${this.#tabs.length}`)
    return tab
  }

  #open(): readonly TestTabNode[] {
    return this.#tabs.filter((tab) => !tab.isOver)
  }

  /** Each open tab is linked to all the others that are open, knows their cards, and knows of nobody else. */
  #isLinked(): boolean {
    const open = this.#open()
    return open.every(({ node }) => {
      const { members } = node.status()
      return (
        members.length === open.length - 1 &&
        members.every(({ state, card }) => state === 'connected' && card !== undefined)
      )
    })
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        this.#changed.delete(look)
        resolve()
      }
      this.#changed.add(look)
      look()
    })
  }

  #onChange(): void {
    for (const session of this.#sessions.values()) session.changed()
    // After the change is whole.
    queueMicrotask(() => {
      for (const look of [...this.#changed]) look()
    })
  }

  #onLogLine({ level, name, node, text }: LogLine): void {
    this.lines.push({ level, name, text })
    if (this.#options.console) console[level](`(${name} @${node.slice(0, 6)}) ${text}`)
  }
}

/** What a person must know: warnings are part of many a test of what goes wrong. */
function printed(tab: string): Log {
  return createLog({
    level: 'error',
    write: ({ level, scope, message, fields }) => {
      if (level === 'error') console.error(`[shoal ${tab} ${scope}] ${message}`, fields)
    },
  })
}

const NOT_REFS = ['objects', 'bytes', 'running', 'queued', 'workers', 'timers', 'taskTimers'] as const

import type { Api, ObjectRef, PlacementGroupApi } from '@shoal/core-worker'
import type { FaultRule } from '@shoal/transport'
import type { StateApi, StateTimeout, TaskEvents } from '@shoal/core-worker'
import type { TaskEventsOptions } from './state/ask-task-events.ts'
import type { LendingPause } from '@shoal/node/web'
import type { LendingLimits } from './lending-limits.ts'
import type { Timeline } from './state/timeline.ts'

/**
 * What a tab does in a room. `driver` submits and never lends, `helper` lends and never submits, `both` may do both.
 * To lend takes `lend: true` (or `session.lend(true)`) and a badge that is shown, whatever the role.
 */
export type Role = 'driver' | 'helper' | 'both'

/**
 * starting: the node worker is not up yet. alone: no room, or nobody else in it. joining: entering the room, or linking to
 * the first of its members. connected: linked to at least one. offline: the room's server and all members are out of
 * reach. left: shut down.
 */
export type SessionState = 'starting' | 'alone' | 'joining' | 'connected' | 'offline' | 'left'

/** One node of the room, this tab included. */
export interface Member {
  /** 32 hex digits. */
  readonly nodeId: string
  readonly isSelf: boolean
  /** What the tab calls itself, e.g. `Chromium on Linux`. */
  readonly name: string
  readonly cores: number
  /** Tasks of one CPU that it runs at a time; 0 while it does not lend. */
  readonly slots: number
  /**
   * What it says of itself: the session's `labels`, and what the browser tells of the device. `shoal/speed` is what one core
   * computes, in millions of steps of a loop a second; `shoal/webgpu` yes or no; `shoal/memory-gib`; `shoal/power` mains
   * or battery; `shoal/network` metered; `shoal/paused` why it takes nothing though it lends.
   */
  readonly labels: Readonly<Record<string, string>>
  /** Tasks of this tab that it ran, to whatever end. */
  readonly tasksDone: number
  /** What it lends, by name: CPUs, GPUs, bytes of memory and resources of its own; nothing while it does not lend. */
  readonly resources: Readonly<Record<string, number>>
  /**
   * unreachable: known to be there, but no link can be made; a relay (TURN server) would be needed.
   * incompatible: it runs another version of Shoal; one of the two tabs has to be reloaded.
   */
  readonly state: 'connecting' | 'connected' | 'unreachable' | 'incompatible'
  /** False when the link goes over a relay. */
  readonly isDirect: boolean
  /** True when its key is listed by the room's owner, so that it may submit work. */
  readonly canSubmit: boolean
  /** Smoothed; undefined until measured. */
  readonly roundTripMs: number | undefined
  /** Over the link between that node and this tab. */
  readonly bytesSent: number
  readonly bytesReceived: number
}

/**
 * One tab's ledger: the record of what it owns and others hold. When that tab is gone, the first of its successors that
 * lives answers for it.
 */
export interface Ledger {
  /** The tab whose tasks and objects these are. */
  readonly owner: string
  /** The tab that answers for them now. */
  readonly answeredBy: string
  /** How often the ledger has changed hands. */
  readonly epoch: number
  /** Tabs that have a copy of its records, in the order in which they would take it over. */
  readonly successors: readonly string[]
  /** Records of it that are in this tab. */
  readonly records: number
}

/** What this tab is doing, counted since the session began. */
export interface SessionStatus {
  readonly state: SessionState
  /** A sentence for people when something is wrong: the link is damaged, WebRTC is blocked, another version. */
  readonly problem: string | undefined
  readonly nodeId: string | undefined
  readonly role: Role
  /** Whether work of other tabs may start here now: it is wanted, and a badge is shown. */
  readonly isLending: boolean
  /** Why it lends nothing though it was asked to: for a limit of lending, see `LendingLimits`. */
  readonly lendingPaused: LendingPause | undefined
  /** Sent and received in the last hour, counted since this tab first lent. */
  readonly bytesLastHour: number
  /** Whether lending was asked for, by `lend: true` or `session.lend(true)`. */
  readonly wantsToLend: boolean
  readonly slots: number
  /** All that this tab has, by name. */
  readonly resources: Readonly<Record<string, number>>
  /** What of it no running task or actor reserves; CPUs may be below 0 for a moment when tasks resume. */
  readonly availableResources: Readonly<Record<string, number>>
  /** Whether something that this tab submitted has no outcome yet: tasks and actor calls. */
  readonly hasUnfinishedTasks: boolean
  /** Runs for other tabs at this moment. After lending ended they go on to their end. */
  readonly guestsRunning: number
  /** The names of some of them, three at most. */
  readonly guestNames: readonly string[]
  /** Actors of other tabs that live here: they stay, and answer calls, until their job ends or this tab leaves. */
  readonly guestActors: number
  /** Runs in this tab's workers at this moment. */
  readonly running: number
  /** Own tasks that wait for a slot or a credit. */
  readonly queued: number
  /** Of those, what no known tab could ever take; `shape` says in words what they ask for. They wait for one that can. */
  readonly infeasible: readonly { readonly shape: string; readonly tasks: number }[]
  readonly tasksRun: number
  /** Of those, for other tabs. */
  readonly guestTasksRun: number
  readonly tasksFailed: number
  /** Objects whose bytes lie in this tab now, its own and those of others. */
  readonly objects: number
  /** Of objects whose bytes are in this tab, in memory and on disk. */
  readonly objectBytes: number
  /** Of those, on disk alone. */
  readonly spilledBytes: number
  /** What objects may take in memory: see InitOptions. */
  readonly objectStoreBytes: number
  /** Whether memory's overflow has a place; `unavailable` where the browser keeps nothing, as in some private windows. */
  readonly disk: 'fine' | 'full' | 'unavailable'
  readonly cpuMs: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly members: readonly Member[]
  /** Which tabs' refs are known in others, and who would answer for them: see docs/fault-tolerance.md. */
  readonly ledgers: readonly Ledger[]
}

/** What a task, or an actor's method, has printed by `console`. */
export interface TaskLine {
  readonly level: 'log' | 'info' | 'warn' | 'error' | 'debug'
  readonly text: string
  /** Of the function, or of the class and the method. */
  readonly name: string
  /** Where it ran. */
  readonly node: string
  readonly task: { readonly owner: string; readonly number: number }
}

/** As the platform's RTCIceServer, with plain data alone. */
export interface IceServer {
  /** `stun:host[:port]`, `turn:host[:port]`, `turns:host[:port]`. */
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** A room to make. */
export interface RoomOptions {
  /** The address of its signaling server, `http(s)://host[:port][/path]`. */
  readonly server: string
  /**
   * STUN and TURN servers for everybody in the room: the directory tells those who come by its links. Whoever is in the
   * room can read them, credentials too. At most 16.
   */
  readonly iceServers?: readonly IceServer[]
}

/** What became of a room's members since the last call. Traffic and round trips are no change. */
export interface MemberChanges {
  readonly joined: readonly Member[]
  /** Their state, name, slots, labels or leave to submit is another than before. */
  readonly changed: readonly Member[]
  /** As they were last. */
  readonly left: readonly Member[]
}

/** As SessionState, of one room: left once it was left or the session shut down. */
export type RoomState = 'joining' | 'alone' | 'connected' | 'offline' | 'left'

/** What a session is made of. Everything may be left out: then it is this tab alone, with all cores but one. */
export interface InitOptions {
  /** A room's link. Without one the session is this tab alone. */
  readonly room?: string
  /** Default: helper with a helper's link, else both. With a helper's link nothing but helper is possible. */
  readonly role?: Role
  /**
   * Workers of this tab, which are its CPUs. Default: max(1, cores / 2) for a helper, else max(1, cores - 1). With 0 it
   * runs only what asks for no CPU.
   */
  readonly workers?: number
  /** Where `getActor` finds the actors that this session names, in this tab and in others that say the same. Default: its own. */
  readonly namespace?: string
  /**
   * GPUs that this tab offers. Default: 1 where its browser has WebGPU and a GPU behind it, which is known a moment after the
   * start, else 0. To say a number is to say that the CPU in the GPU's place will do too, as in tests.
   */
  readonly numGpus?: number
  /** Bytes of memory that this tab offers. Default: half of what the browser says the device has, or 2 GiB. */
  readonly memoryBytes?: number
  /**
   * Bytes that objects may take in this tab's memory, at least 1 MiB. What is more goes to IndexedDB, those used longest ago
   * first, and comes back when it is asked for; what fits nowhere is refused with ObjectStoreFullError. Default: an eighth of
   * what the device has, from 256 MiB to 1 GiB.
   */
  readonly objectStoreBytes?: number
  /** What else it offers, by names of your own, each to 0.0001: `{ camera: 1 }` takes one task that asks for a camera. */
  readonly resources?: Readonly<Record<string, number>>
  /** What it says of itself, by names of your own, for work with a `labelSelector`: `{ region: 'eu' }`. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * True: work of other tabs may run here while a `<shoal-badge>` is shown in this page. Without it nothing does until
   * `session.lend(true)`, which the badge's own button calls too. Limits: it lends within them. Own tasks always run in
   * their own tab. Default: false.
   */
  readonly lend?: boolean | LendingLimits
  /** False: the browser does not ask before it closes this tab while own tasks are unfinished. Default: true. */
  readonly warnBeforeClose?: boolean
  /** What others see. Default: the browser and its system. */
  readonly name?: string
  /** STUN and TURN servers for WebRTC. Default: the room's own, and else what its server says in /config.json. */
  readonly iceServers?: readonly IceServer[]
  /** What only tests of failures want. Default: nothing. */
  readonly debug?: DebugOptions
  /** Where the page hosts the `sandbox.html` that the SDK ships, if its CSP refuses an inline one: docs/embedding.md. */
  readonly sandboxUrl?: string | URL
  /**
   * Makes the node worker from the `node-worker.js` that the SDK ships, for pages whose CSP refuses a worker from a blob:
   * `() => new Worker('/shoal/node-worker.js')`. Called once a session.
   */
  readonly createWorker?: () => Worker
}

/** What only tests of failures want. */
export interface DebugOptions {
  /**
   * Messages that this tab sends to others are dropped, delayed or sent twice, below everything that puts that right.
   * The first rule that fits and whose chance comes up counts. See docs/testing.md.
   */
  readonly faults?: readonly FaultRule[]
  /** Of the rules' chance: the same seed, the same draws. Default 1. */
  readonly faultSeed?: number
  /**
   * Milliseconds for which this tab keeps what only a tab that is gone held, and goes on with its job, in case it comes
   * back. At most 600,000, default 60,000.
   */
  readonly graceMs?: number
}

/** A room that this tab is in. */
export interface Room {
  /** 32 hex digits: the hash of the room owner's public key. */
  readonly id: string
  /** Four words from the room's id, the same in every tab. */
  readonly fingerprint: string
  /** Lets a tab work. Never on `localhost`: the server's address on the default route when the page is there. */
  readonly helperLink: string
  /** Also lets it submit; undefined when this tab came by a helper's link. */
  readonly ownerLink: string | undefined
  readonly state: RoomState
  /** Everybody in the room, this tab first; nobody once the room was left. */
  members(): readonly Member[]
  /**
   * Calls back with the members and what became of them, soon after they changed (within a quarter of a second). When the
   * room is left it calls a last time, with nobody. Gives back what ends it.
   *
   * @example
   * const end = room.onChange((members, { joined }) => {
   *   for (const { name } of joined) console.log(`${name} is here, we are ${members.length}`)
   * })
   */
  onChange(listener: (members: readonly Member[], changes: MemberChanges) => void): () => void
  /** Says goodbye. The session goes on alone. Idempotent. */
  leave(): Promise<void>
}

/**
 * One tab's part in Shoal: what `init` returns. The module-level functions are those of the session that `init` started;
 * a page that is in two rooms at once makes a second one with `createSession` and uses its own `remote`, `get` and the
 * others. Refs and actor handles belong to the session that made them: another one refuses them with a TypeError.
 *
 * @example
 * // In a page that was opened by a room's link:
 * const other = await createSession({ room: location.href })
 * const add = other.remote((a: number, b: number) => a + b)
 * await other.get(add.remote(1, 2)) // 3
 */
export interface Session extends Api, PlacementGroupApi, StateApi {
  readonly room: Room | undefined
  /** Resolves when the node is up, and in the room if one was asked for. Rejects with RoomError or ShutdownError. */
  readonly ready: Promise<void>
  /** See the function of that name. */
  timeline(options?: StateTimeout): Promise<Timeline>
  /** See the function of that name. */
  listTaskEvents(options?: TaskEventsOptions): Promise<TaskEvents>
  /**
   * Calls back with what this tab's tasks print, as it comes to the console; gives back what ends it. Lines are not
   * remembered.
   */
  onTaskLine(listener: (line: TaskLine) => void): () => void
  status(): SessionStatus
  /** Calls back about four times a second while something changes; gives back what ends it. */
  onStatus(listener: (status: SessionStatus) => void): () => void
  /**
   * Lends this tab's workers to the room while a badge is shown, or takes them back; what runs goes on to its end. With
   * limits it lends within these, until it is told others: true, the badge's button too, leaves them as they are.
   *
   * @throws RangeError for a tab of role driver, and for limits that make no sense.
   * @example
   * // In a page with a <shoal-badge>:
   * const session = await init({ room: location.href })
   * session.lend({ workers: 2, dutyCycle: 0.5, bytesPerHour: 200_000_000, pauseWhen: { onBattery: true, hidden: true } })
   */
  lend(how: boolean | LendingLimits): void
  /**
   * Keeps a ref by name for the time after this page's reload: what it stands for stays alive, whatever becomes of the ref,
   * until the name is given to another or to undefined, which forgets it, or the room is left. 256 names at most.
   *
   * What comes back after a reload, and when nothing does, is in docs/fault-tolerance.md: it takes a room with another tab
   * in it, the owner's link, and a reload within the grace of 60 s.
   *
   * @throws TypeError for what is no ref, or another session's; RangeError for a name that is empty or longer than 256
   *   characters, or one too many; ObjectFreedError for a ref that was released; ShutdownError after `shutdown()`.
   * @example
   * const session = await init({ room: location.href })
   * const slow = session.remote(async (n: number) => n ** 2)
   * const ref = session.kept<number>('square') ?? slow.remote(12)
   * session.keep('square', ref) // after a reload the task is not begun anew
   * await session.get(ref) // 144
   */
  keep(name: string, ref: ObjectRef | undefined): void
  /**
   * A new ref to what this page, or the page before its reload, has kept by that name; undefined when there is nothing.
   * After a reload the names are there once the session is `ready`. `get` of it gives the value: from a copy, from the
   * records, from the run that goes on, or by running the task again; OwnerDiedError or ObjectLostError when nothing is left.
   */
  kept<T = unknown>(name: string): ObjectRef<T> | undefined
  /**
   * Makes a room on a signaling server and enters it as its owner.
   *
   * @throws RoomError when the server cannot be reached or this tab is in a room already.
   */
  createRoom(options: RoomOptions): Promise<Room>
  /**
   * Ends everything that this tab submitted, its workers and links, in whatever state the session is: what waits rejects
   * with ShutdownError. Idempotent.
   */
  shutdown(): Promise<void>
}

/** What a tab does in a room. `both` submits and lends its cores. */
export type Role = 'driver' | 'helper' | 'both'

/**
 * starting: the node worker is not up yet. alone: no room, or nobody else in it. joining: looking for the room's
 * members. connected: linked to at least one. offline: the room's server and all members are out of reach.
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

/** What this tab is doing, counted since the session began. */
export interface SessionStatus {
  readonly state: SessionState
  /** A sentence for people when something is wrong: the link is damaged, WebRTC is blocked, another version. */
  readonly problem: string | undefined
  readonly nodeId: string | undefined
  readonly isLending: boolean
  readonly slots: number
  /** All that this tab has, by name. */
  readonly resources: Readonly<Record<string, number>>
  /** What of it no running task or actor reserves; CPUs may be below 0 for a moment when tasks resume. */
  readonly availableResources: Readonly<Record<string, number>>
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
  readonly cpuMs: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly members: readonly Member[]
}

export interface InitOptions {
  /** A room's link. Without one the session is this tab alone. */
  readonly room?: string
  /** Default: driver without a room and with an owner's link, helper with a helper's link. */
  readonly role?: Role
  /**
   * Workers of this tab, which are its CPUs. Default: cores - 1 for a driver, max(1, cores / 2) for a helper. With 0 it
   * runs only what asks for no CPU.
   */
  readonly workers?: number
  /** GPUs that this tab offers. Default 0. */
  readonly numGpus?: number
  /** Bytes of memory that this tab offers. Default: half of what the browser says the device has, or 2 GiB. */
  readonly memoryBytes?: number
  /** What else it offers, by names of your own, each to 0.0001: `{ camera: 1 }` takes one task that asks for a camera. */
  readonly resources?: Readonly<Record<string, number>>
  /** False: nothing of other tabs runs here until `session.lend(true)`. Default: true. */
  readonly lend?: boolean
  /** What others see. Default: the browser and its system. */
  readonly name?: string
  /** ICE servers for WebRTC; default: what the room's server says in /config.json. */
  readonly iceServers?: readonly { urls: string | string[]; username?: string; credential?: string }[]
  /** Where the page hosts the `sandbox.html` that the SDK ships, if its CSP refuses an inline one: docs/embedding.md. */
  readonly sandboxUrl?: string | URL
  /**
   * Makes the node worker from the `node-worker.js` that the SDK ships, for pages whose CSP refuses a worker from a blob:
   * `() => new Worker('/shoal/node-worker.js')`. Called once a session.
   */
  readonly createWorker?: () => Worker
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
  members(): readonly Member[]
  /** Calls back after every change of the members; gives back what ends it. */
  onChange(listener: (members: readonly Member[]) => void): () => void
  /** Says goodbye. The session goes on alone. */
  leave(): Promise<void>
}

/** One tab's part in Shoal: what `init` returns. The module-level functions act on the newest one. */
export interface Session {
  readonly room: Room | undefined
  /** Resolves when the node is up, and in the room if one was asked for. Rejects with RoomError. */
  readonly ready: Promise<void>
  status(): SessionStatus
  /** Calls back about four times a second while something changes; gives back what ends it. */
  onStatus(listener: (status: SessionStatus) => void): () => void
  /** Lends this tab's workers to the room, or takes them back; what runs goes on to its end. */
  lend(isOn: boolean): void
  /** Ends everything that this tab submitted, its workers and links. Idempotent. */
  shutdown(): Promise<void>
}

import type { Clock, Log, Random } from '@shoal/base'
import type { WorkerHost } from '@shoal/executor'
import type { SpillStore } from '@shoal/object-store'
import type {
  Crypto,
  FramePort,
  KeyPair,
  LogLine,
  NodeId,
  NodeLabels,
  ResourceSet,
  ObjectId,
  RoomId,
  RoomSettings,
  Session,
} from '@shoal/protocol'
import type { InfeasibleTasks } from '@shoal/scheduler'
import type { CheckSource } from './code-store.ts'
import type { LendingPause } from './lending/lending.ts'
import type { LineageLimits } from './lineage.ts'
import type { ObjectStoreStatus } from './object-store.ts'
import type { RoomLink, RoomLinkOptions, RoomMember } from './room-link.ts'
import type { StateModule } from './state/state-desk.ts'

/** What promises rest on; each can be switched off to show that the simulation would notice (X1). */
export interface NodeGuards {
  /** A take-over waits for all reports. */
  readonly gathers: boolean
  /** Whoever sends a ref keeps a count of its own until it is confirmed. */
  readonly pins: boolean
  /** A record goes ahead of its ref until a successor has it. */
  readonly rides: boolean
  /** A task, or a call of an actor, has so many retries and no more. */
  readonly countsRetries: boolean
  /** An actor has so many restarts and no more. */
  readonly countsRestarts: boolean
  /** A former incarnation of an actor, or one that nobody expects any more, is ended where it is found. */
  readonly endsForks: boolean
  /** What a recipe needs stays known for its sake. */
  readonly countsRecipes: boolean
}

/** What a node is made of: its ports, and what its tab lends. */
export interface NodeOptions {
  readonly self: NodeId
  readonly session: Session
  readonly keyPair: KeyPair
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly log: Log
  readonly workerHost: WorkerHost
  readonly checkSource: CheckSource
  readonly pagePort: FramePort
  /** Tasks of one CPU that this tab runs at a time. */
  readonly slots: number
  /** What it has beside its CPUs, e.g. GPUs, memory, a camera. */
  readonly resources?: ResourceSet
  /** What it says of itself, for work that asks for it. */
  readonly labels?: NodeLabels
  readonly name: string
  readonly agent: string
  readonly cores: number
  readonly isLending: boolean
  /** Equal for tabs that die together, as those of one browser. */
  readonly device?: string
  /** All are on but in the simulation, which switches off one at a time. */
  readonly guards?: Partial<NodeGuards>
  /** Where its job's actors are found by name. Default: by this job alone. */
  readonly namespace?: string
  /** How much is kept of how results were made. Default: see `LINEAGE`. */
  readonly lineage?: LineageLimits
  /** What objects may take in memory, in bytes; what is more is spilled. Default 512 MiB. */
  readonly objectStoreBytes?: number
  /** Where to. Default: nowhere. */
  readonly spillStore?: SpillStore
  /** How long what only a tab that is gone held is kept for it, and its job goes on. Default 60,000. */
  readonly graceMs?: number
  /** What answers questions about state: most tabs are never asked. */
  loadState(): Promise<StateModule>
  /** Milliseconds since 1970 when the clock showed 0: what times the state API tells are counted from. Default 0. */
  readonly clockEpochMs?: number
  /** A line that a task of this tab's job wrote to its console. */
  onLogLine(line: LogLine): void
  /** The room has given this tab's session up: leave it, and join with a higher session. */
  onOver(): void
  /** What the room's owner decided for everybody in it; again after each change. */
  onRoomSettings?(settings: RoomSettings): void
  /** Something that `status` tells has changed. */
  onChange(): void
}

/** One tab's part of the control store, as this tab knows it. */
export interface LedgerStatus {
  readonly owner: NodeId
  /** Who answers for it: the owner, or who took it over. */
  readonly answeredBy: NodeId
  /** How often it has changed hands. */
  readonly epoch: number
  /** Who has copies of its records, in the order in which they would take it over. */
  readonly successors: readonly NodeId[]
  /** Of its records, those that are written or kept here. */
  readonly records: number
}

/** A tab that a driver's page was before it was reloaded. */
export interface FormerSelf {
  readonly node: NodeId
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** What its ledger is claimed by, 16 bytes. */
  readonly secret: Uint8Array<ArrayBuffer>
}

/** What lets a driver's ledger outlive its page's reload. */
export interface ReloadOptions {
  /** SHA-256 of the secret that the page has put by for its next reload. */
  readonly secretHash: Uint8Array<ArrayBuffer>
  /** Newest first, at most `LIMITS.formerSelves`. */
  readonly former: readonly FormerSelf[]
  /** Objects that the page kept: counted from now on, before anybody is asked what there is of them. */
  readonly kept: readonly ObjectId[]
}

/** A room to join, with the ports that lead into it. */
export type JoinOptions = Pick<
  RoomLinkOptions,
  'room' | 'roomKey' | 'ownerKeyPair' | 'settings' | 'connector' | 'signaling' | 'seed'
> & {
  createRoomLink(options: RoomLinkOptions): RoomLink
  /** Higher than any this node had in the room before: a session that others gave up is over for good. */
  readonly session?: Session
  /** Of drivers only. */
  readonly reload?: ReloadOptions | undefined
}

export interface NodeStatus extends ObjectStoreStatus {
  readonly room: RoomId | undefined
  readonly isServerUp: boolean
  readonly isOffline: boolean
  /** Why the room's server will not have this tab, in words. */
  readonly refused: string | undefined
  readonly isLending: boolean
  /** What it says of itself on its card. */
  readonly labels: NodeLabels
  /** Why it takes nothing of others though it lends. */
  readonly lendingPause: LendingPause | undefined
  /** Over the share of the time that it lends: for moments nothing of others starts. */
  readonly isResting: boolean
  /** What others may have of it; nothing while it takes nothing. */
  readonly lent: ResourceSet
  /** Sent and received, counted since it lends. */
  readonly bytesLastHour: number
  readonly slots: number
  /** All that this tab has, and what of it running tasks and actors reserve. */
  readonly resources: ResourceSet
  readonly usedResources: ResourceSet
  readonly running: number
  readonly queued: number
  /** Of those queued, what no known node could take. */
  readonly infeasible: readonly InfeasibleTasks[]
  readonly pending: number
  /** Whether a task or actor call of the job that this tab drives has no outcome yet. */
  readonly hasOwnJob: boolean
  /** Runs in this tab's workers for other tabs, and the names of some. */
  readonly guestsRunning: number
  readonly guestNames: readonly string[]
  /** Actors of other tabs' jobs that live here; they stay until their job ends. */
  readonly guestActors: number
  readonly tasksRun: number
  readonly guestTasksRun: number
  readonly tasksFailed: number
  readonly cpuMicros: number
  /** Cancellations by others that were not theirs to ask for, or came too late. */
  readonly cancelsIgnored: number
  /** Every ledger of which this tab has heard that somebody holds something. */
  readonly ledgers: readonly LedgerStatus[]
  /** Hand-overs of references that their receivers have not confirmed. */
  readonly pinned: number
  /** Objects of other tabs that their owners count this one for. */
  readonly borrowed: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly members: readonly (RoomMember & { readonly tasksDone: number })[]
}

/**
 * What a node keeps for somebody. All but actors and workers are 0 once every ref is released and everything has
 * ended; those two, since actors live as long as their job and workers are kept warm, once the node is closed.
 */
export interface NodeHoldings {
  readonly ownObjects: number
  /** Objects of other owners that are known here. */
  readonly otherObjects: number
  readonly objectBytes: number
  /** References that were handed over and not confirmed, or that owners in other tabs count for this one. */
  readonly borrowed: number
  /** Who waits for an object here. */
  readonly waiters: number
  /** Gets and waits of this tab's page that are not answered. */
  readonly questions: number
  readonly pendingTasks: number
  readonly queuedTasks: number
  /** What peers were sent and have not answered. */
  readonly sentTasks: number
  readonly runs: number
  readonly calls: number
  readonly actors: number
  /** Of actors with checkpoints: sent, and by no checkpoint covered. */
  readonly keptCalls: number
  /** Those that it answers for; one that is dead is known as long as somebody has a handle. */
  readonly ownActors: number
  /** Those of which it knows, or waits to hear, where they are. */
  readonly actorPlaces: number
  /** Results whose tasks could be run again. */
  readonly recipes: number
  /** Records kept for other tabs' ledgers. */
  readonly replicas: number
  readonly pulls: number
  readonly timers: number
  readonly workers: number
  /** Questions about state that are not answered. */
  readonly stateQuestions: number
  /** Placement groups of its page, and bundles that it sets aside for anybody's. */
  readonly groups: number
  readonly bundles: number
}

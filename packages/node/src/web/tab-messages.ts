import type { LogLine, NodeId, NodeLabels, ObjectId, ResourceSet, RoomId, RoomSettings } from '@shoal/protocol'
import type { FormerSelf, NodeStatus } from '../node-options.ts'
import type { LendingTerms } from '../lending/lending.ts'
import type { StateRows } from '../state/merge-answers.ts'
import type { StateQuestion } from '../state/state-service.ts'

/** Names of the scripts that the node worker loads from its page when it needs them. */
export type ChunkName = 'noble' | 'capture' | 'room' | 'state' | 'faults' | 'sandbox' | 'gpu'

/** Fault injection as the page was told it. */
export interface TabFaults {
  readonly rules: unknown
  readonly seed: number
}

/** What a page hands its node worker when it starts it; the ports are transferred with it. */
export interface TabInit {
  /** PROTOCOL_VERSION of the page: a hosted node-worker.js may be older. */
  readonly version: number
  readonly slots: number
  /** What it has beside its CPUs. */
  readonly resources: ResourceSet
  readonly labels: NodeLabels
  /** GPUs that the page says it has, which are among its resources; undefined: find out whether there is one. */
  readonly numGpus: number | undefined
  readonly cores: number
  readonly name: string
  readonly agent: string
  readonly isLending: boolean
  /** Equal for tabs of one browser; undefined where it may not keep anything. */
  readonly device: string | undefined
  /** What goes wrong on purpose with what this tab sends; not checked yet. */
  readonly faults?: TabFaults
  /** NodeOptions.objectStoreBytes */
  readonly objectStoreBytes: number
  /** NodeOptions.graceMs */
  readonly graceMs?: number
  /** NodeOptions.namespace */
  readonly namespace?: string
  readonly pagePort: MessagePort
  readonly sandboxPort: MessagePort
  /** Comlink: NodeControl, for the page. */
  readonly controlPort: MessagePort
  /** NodeNews to the page. */
  readonly newsPort: MessagePort
}

/** What the node worker tells its page unasked, and what it asks it for. */
export type NodeNews =
  | { readonly type: 'started'; readonly nodeId: NodeId }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'status'; readonly status: NodeStatus }
  | { readonly type: 'log'; readonly line: LogLine }
  | { readonly type: 'chunk'; readonly name: ChunkName }
  /** What the room's owner decided. */
  | { readonly type: 'settings'; readonly settings: RoomSettings }
  /**
   * The tab stood still for so long that the room will have given it up, or a member said that it has, or the page asked
   * for another try: enter again. At most once in three seconds, and never dropped.
   */
  | { readonly type: 'enter-again' }
/** The page's answer to `chunk`. */
export interface ChunkText {
  readonly name: ChunkName
  /** Undefined: it could not be loaded, and the tab goes on without. */
  readonly text: string | undefined
}

export interface JoinRequest {
  /** The room's server, `http(s)://host[:port][/path]`. */
  readonly server: string
  readonly kind: 'helper' | 'owner'
  /** What the owner decides for the room as it is made; left out, what was decided stands. */
  readonly settings?: RoomSettings
  /** Whether this tab's page submits work to the room; only an owner's link can make it true. */
  readonly maySubmit: boolean
  readonly roomKey: Uint8Array<ArrayBuffer>
  /** Of drivers whose page can keep something for its reload; see ReloadOptions. */
  readonly reload?: {
    /** 16 random bytes. */
    readonly secret: Uint8Array<ArrayBuffer>
    readonly former: readonly FormerSelf[]
    readonly kept: readonly ObjectId[]
  }
  /** The owner's public key for helpers, the seed of its key for owners. */
  readonly owner: Uint8Array<ArrayBuffer>
}

export interface Joined {
  readonly room: RoomId
  /** Four words for people. */
  readonly fingerprint: string
  readonly ownerPublicKey: Uint8Array<ArrayBuffer>
  /** The tab's own. */
  readonly publicKey: Uint8Array<ArrayBuffer>
}

/** The node worker's control calls, over Comlink. */
export interface NodeControl {
  /** `rtcPort` leads to the page's RTC host for this room. */
  join(request: JoinRequest, rtcPort: MessagePort): Promise<Joined>
  /** 32 random bytes and the public key that they are the seed of. */
  newOwner(): Promise<{ readonly seed: Uint8Array<ArrayBuffer>; readonly publicKey: Uint8Array<ArrayBuffer> }>
  leave(): void
  /** Leaves in order to enter again under a higher session: what this tab owns stays. */
  suspend(): void
  lend(terms: LendingTerms): void
  /** See `ShoalNode.state`. */
  state(question: StateQuestion): Promise<StateRows>
  /** The page could not enter its room again: `enter-again` comes once more. */
  retryEntry(): void
  /** Ends everything; resolves when goodbyes were handed to the network. */
  close(): void
}

import type { Member, NodeId, Refusal } from '@shoal/protocol'

export interface SignalingHandlers {
  /** Connected, or connected again: who is in the room. */
  welcome(members: readonly Member[]): void
  joined(member: Member): void
  /** A hint, not a verdict: the member's socket closed. */
  left(member: Member): void
  /** A sealed blob from a member. */
  relay(from: NodeId, blob: Uint8Array<ArrayBuffer>): void
  /** The connection was lost and is being tried again; `refused` says why the server will not have us. */
  down(refused: Refusal | undefined): void
}

/** The way into a room: presence, and sealed blobs for members with whom there is no link yet. Reconnects by itself. */
export interface Signaling {
  /** Called once. */
  start(handlers: SignalingHandlers): void
  readonly isUp: boolean
  /** Drops the blob when the server is not there. */
  relay(to: NodeId, blob: Uint8Array<ArrayBuffer>): void
  close(): void
}

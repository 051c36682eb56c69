import type { NodeId, Session } from '@shoal/protocol'
import type { Link } from './link.ts'

/** An open link with what both ends can sign to prove that nobody stands between them. */
export interface OpenLink {
  readonly link: Link
  /** The DTLS fingerprints, `sha-256 AB:CD:...`; a path without DTLS gives the same made-up text on both sides. */
  readonly localFingerprint: string
  readonly remoteFingerprint: string
  /** False when the path goes over a relay. */
  readonly isDirect: boolean
}

export interface ConnectionHandlers {
  /** A signal for the other side, to be carried by whatever path there is, in order. */
  signal(data: string): void
  /** Said at most once. */
  open(opened: OpenLink): void
  /** The connection could not be made or was given up; said instead of `open`. */
  failed(reason: string): void
  /** The peer's page is going away and said so; the link may still stand for a moment. Only some paths can tell. */
  goodbye?(): void
}

/** A connection being made. */
export interface Connection {
  /** A signal from the other side. */
  accept(data: string): void
  /** Gives up, or ends the link if it was open. Idempotent. */
  close(): void
}

/** Makes links: over WebRTC in a browser, in memory under simulation. The lower node id is the initiator. */
export interface Connector {
  /** False where links cannot be made at all, e.g. WebRTC is blocked; the node then works alone and says so. */
  readonly isAvailable: boolean
  connect(peer: NodeId, peerSession: Session, isInitiator: boolean, handlers: ConnectionHandlers): Connection
}

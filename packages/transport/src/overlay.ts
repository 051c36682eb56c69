import type { NodeId, NodeMessage, Refusal, Session } from '@shoal/protocol'

/** A peer with whom the handshake is done: its key is proven. */
export interface Peer {
  readonly node: NodeId
  readonly session: Session
  /** Ed25519, 32 bytes; the node id is the head of its hash. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** False when the path goes over a relay, a TURN server's or other members'. */
  readonly isDirect: boolean
  /** True while there is a link to it; else other members carry what goes between us. */
  readonly isNeighbour: boolean
}

export interface LinkStats {
  /** Smoothed, in milliseconds; undefined until measured. */
  readonly roundTripMs: number | undefined
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Sent or waiting to be, and not acknowledged: without a bound here, so that whoever sends can set its own. */
  readonly unacknowledgedBytes: number
  /** Frames and signals that a correct peer does not send; the third within 10 s closes its link. */
  readonly faults: number
}

export interface OverlayHandlers {
  /**
   * A member is known but not linked yet (from signaling). `unreachable`: no link for 10 s, slow tries go on.
   * `incompatible`: it speaks another version of the protocol, one of the two must reload.
   */
  member(node: NodeId, session: Session, state: 'connecting' | 'unreachable' | 'incompatible'): void
  /**
   * A path is there, a link or a way over members, and the key proven; messages may be sent. Said again for a higher
   * session of the same node, and when the path is another: what was under way on the bulk lane is lost then.
   */
  linked(peer: Peer): void
  /** All paths are gone for now; messages wait for a new one until somebody calls `forget`. */
  unlinked(node: NodeId, session: Session): void
  /** The peer said goodbye: its session is over. */
  goodbye(node: NodeId, session: Session): void
  /** Anything at all was heard from the session: food for the membership's verdicts. */
  heard(node: NodeId, session: Session): void
  /** The signaling server saw the node's socket close (`closed`) or open; undefined node: our own socket is up or down. */
  hint(node: NodeId | undefined, session: Session, state: 'closed' | 'present' | 'down'): void
  /**
   * There is no path to the session, and no neighbour of it that there is a path to hears it or still waits for it. A
   * goodbye may be told of one that we have a link to, by those who heard it.
   */
  accused?(node: NodeId, session: Session, why: 'silent' | 'closed' | 'goodbye'): void
  /** A member has given this session up: nothing of it is heard any more, and a higher one has to begin. */
  over?(from: NodeId): void
  /** The signaling server will not have us, and why; links go on. */
  refused?(reason: Refusal): void
  /** Once and in order for each pair of sessions. Throwing ProtocolError counts against the link. */
  message(from: NodeId, message: NodeMessage): void
  /** A chunk on the bulk lane: no session, no order across links. */
  bulk(from: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
}

/**
 * All links of one node, and the sessions over them: what a node sends to a peer arrives once and in order while both
 * sessions live, over whatever path there is. A dozen links a node, more on demand; members carry the rest. It knows nothing of tasks, objects or directories, and never declares anybody dead: `forget` is told to it.
 */
export interface Overlay {
  /** Called once. */
  start(handlers: OverlayHandlers): void
  /** Queues a message for the peer's present session; one packet a microtask. Silently dropped when the peer is not known. */
  send(to: NodeId, message: NodeMessage): void
  sendBulk(to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  /** 0 when there is no path, and for a moment where a link is made first. Asking is what has one made. */
  bulkRoom(to: NodeId): number
  /** Calls back once when there is room, or at once when there is no path. */
  onBulkRoom(to: NodeId, callback: () => void): void
  peers(): readonly Peer[]
  stats(node: NodeId): LinkStats | undefined
  /**
   * Our vote: nothing was heard of a neighbour for too long (unsure: by us, who are slow, so that it does not count);
   * undefined: something was.
   */
  doubt(node: NodeId, session: Session, why: 'silent' | 'closed' | 'unsure' | undefined): void
  /** The session is dead: its link is closed, what waits for it is dropped and nothing of it is delivered any more. */
  forget(node: NodeId, session: Session): void
  /** Says goodbye on every link and closes all. */
  close(reason: 'left' | 'closed' | 'reload'): void
}

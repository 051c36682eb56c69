import { nodeId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bytes, fixedBytes, oneOf, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'

/** Links that one node may list: its dozen, those made on demand, and those that were lost a moment ago. */
const LISTED_LINKS = 256
/** Relays that one frame may pass. A dozen random links a node reach 512 nodes in four. */
export const MAX_HOPS = 8
/** More than a frame's own fields beside a packet's body. */
const ROUTED_FRAME_BYTES = LIMITS.controlMessageBytes + 128

/**
 * What one end of a link says of the other. linked: it is heard. lost: the link ended, and nothing is decided yet.
 * silent, closed: nothing was heard for too long, in the latter case after the server saw the socket close.
 * goodbye: it said so.
 */
export const LINK_STATES = ['linked', 'lost', 'silent', 'closed', 'goodbye'] as const
export type LinkState = (typeof LINK_STATES)[number]

/** A node's own word on its links, numbered within its session. */
export const linkReport = struct({
  session: varint,
  version: varint,
  links: array(struct({ node: nodeId, session: varint, state: oneOf(LINK_STATES) }), LISTED_LINKS),
})
export type LinkReport = Infer<typeof linkReport>

/**
 * A report as it travels from neighbour to neighbour: its bytes, signed by the node that made it. Session and version
 * stand in the bytes too; here they spare whoever has the report the reading.
 */
export const signedReport = struct({
  node: nodeId,
  session: varint,
  version: varint,
  publicKey: fixedBytes(32),
  report: bytes(16 * 1024),
  signature: fixedBytes(64),
})
export type SignedReport = Infer<typeof signedReport>

/**
 * What crosses a link's control channel. `hello` proves the key behind a node id: the signature covers the room, both
 * ids, both sessions and both DTLS fingerprints. A `packet` is one batch of a session: numbered from 1, acknowledged
 * cumulatively, resent over whatever path there is. `beat` is unnumbered. `routed` carries a frame between two others:
 * a packet, an acknowledgement, a `signal` or what detoured bulk needs. `known` says which reports one has, `reports`
 * brings those that the other lacks and each new one.
 */
export const linkFrame = union({
  hello: struct({
    version: varint,
    node: nodeId,
    session: varint,
    publicKey: fixedBytes(32),
    signature: fixedBytes(64),
  }),
  packet: struct({
    from: nodeId,
    to: nodeId,
    fromSession: varint,
    toSession: varint,
    number: varint,
    acknowledged: varint,
    body: bytes(LIMITS.controlMessageBytes),
  }),
  acknowledge: struct({ from: nodeId, to: nodeId, fromSession: varint, toSession: varint, acknowledged: varint }),
  beat: struct({ session: varint, sentAtMs: varint, echoMs: varint }),
  goodbye: struct({ session: varint, reason: oneOf(['left', 'closed', 'reload', 'version', 'denied']) }),
  routed: struct({ from: nodeId, to: nodeId, hops: varint, frame: bytes(ROUTED_FRAME_BYTES) }),
  signal: struct({ blob: bytes(LIMITS.signalingBlobBytes) }),
  /** Of the run of detoured chunks that began with number `run`, so many were taken. */
  taken: struct({ run: varint, chunks: varint }),
  known: struct({ reports: array(struct({ node: nodeId, session: varint, version: varint }), LIMITS.roomMembers) }),
  reports: struct({ reports: array(signedReport, LIMITS.roomMembers) }),
})
export type LinkFrame = Infer<typeof linkFrame>
export type LinkHello = Extract<LinkFrame, { type: 'hello' }>
export type LinkPacket = Extract<LinkFrame, { type: 'packet' }>
export type LinkAcknowledgement = Extract<LinkFrame, { type: 'acknowledge' }>
export type RoutedFrame = Extract<LinkFrame, { type: 'routed' }>

/** A chunk on the bulk lane that is for another than the end of the link. Chunks of a run are numbered from 0. */
export const routedChunk = struct({
  from: nodeId,
  to: nodeId,
  hops: varint,
  fromSession: varint,
  toSession: varint,
  run: varint,
  number: varint,
  pull: varint,
  offset: varint,
  bytes: bytes(LIMITS.bulkChunkBytes),
})
export type RoutedChunk = Infer<typeof routedChunk>

import { nodeId } from '../ids.ts'
import type { RoomId } from '../ids.ts'
import { fromHex, toHex } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bytes, fixedBytes, oneOf, string, struct, union, varint } from '../schema.ts'
import type { Infer, Schema } from '../schema.ts'

const roomId: Schema<RoomId> = {
  shape: 'roomId',
  write: (writer, value) => writer.raw(fromHex(value)),
  read: (reader) => toHex(reader.raw(16)) as RoomId,
}

export const member = struct({ node: nodeId, session: varint })
/** A node in a room, as the signaling server sees it. */
export type Member = Infer<typeof member>

const blob = bytes(LIMITS.signalingBlobBytes)

/** What a client tells the signaling server. The server cannot read a blob: it is sealed with the room's key. */
export const toSignalingServer = union({
  hello: struct({ version: varint, room: roomId, node: nodeId, session: varint }),
  relay: struct({ to: nodeId, blob }),
})
export type ToSignalingServer = Infer<typeof toSignalingServer>

export const REFUSALS = [
  'version',
  'malformed',
  'too-large',
  'too-fast',
  'room-full',
  'server-full',
  'idle',
  'replaced',
  'shutting-down',
] as const
/** Why the server closed a connection; each is also the text of the WebSocket's close reason. */
export type Refusal = (typeof REFUSALS)[number]

/** What the signaling server tells a client. `left` is a hint of a death: the node's socket closed. */
export const fromSignalingServer = union({
  welcome: struct({ version: varint, members: array(member, LIMITS.roomMembers) }),
  joined: struct({ member }),
  left: struct({ member }),
  relay: struct({ from: nodeId, blob }),
  refused: struct({ reason: oneOf(REFUSALS), message: string(LIMITS.nameBytes) }),
})
export type FromSignalingServer = Infer<typeof fromSignalingServer>

/**
 * What is inside a blob: one simple-peer signal (SDP or candidate, as JSON text), signed by the sender's key over
 * everything else, so that neither the server nor another member can put its own DTLS fingerprint in between.
 */
export const signal = struct({
  version: varint,
  from: nodeId,
  to: nodeId,
  fromSession: varint,
  toSession: varint,
  /** Tells connection tries of the same two sessions apart. */
  connection: varint,
  publicKey: fixedBytes(32),
  data: string(LIMITS.signalingBlobBytes),
  signature: fixedBytes(64),
})
export type Signal = Infer<typeof signal>

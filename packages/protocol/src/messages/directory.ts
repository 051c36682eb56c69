import { nodeLabels } from '../labels.ts'
import { LIMITS } from '../limits.ts'
import { resourceSet } from '../resources.ts'
import { array, bytes, fixedBytes, optional, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'

/**
 * A directory record: opaque to the document that carries it. Readers take the highest version from a writer that is
 * entitled to the key and ignore the rest. `writer` is an Ed25519 public key; the signature covers key, writer,
 * version and body. The whole is sealed with the room's key, with the key as context.
 */
export const directoryRecord = struct({
  key: string(LIMITS.nameBytes),
  writer: fixedBytes(32),
  version: varint,
  body: bytes(LIMITS.directoryRecordBytes),
  signature: fixedBytes(64),
})
export type DirectoryRecord = Infer<typeof directoryRecord>

const name = string(LIMITS.nameBytes)

/** A node's card, under `node/<id>`, written by the node's own key. */
export const nodeCard = struct({
  name,
  cores: varint,
  /** What it lends, and nothing while it does not lend. */
  resources: resourceSet,
  labels: nodeLabels,
  agent: name,
  /** Equal for tabs that die together, as those of one browser; empty: unknown. */
  device: name,
  joinedAtMs: varint,
})
export type NodeCard = Infer<typeof nodeCard>

/**
 * Under `submitter/<node id>`, written by the room owner's key: the node may submit work. Its own key first, then those
 * that its page had before it was reloaded: code that they signed is still of its job.
 */
export const submitterGrant = struct({ publicKeys: array(fixedBytes(32), 1 + LIMITS.formerSelves) })
export type SubmitterGrant = Infer<typeof submitterGrant>

const text = string(LIMITS.iceTextBytes)

/** A STUN or TURN server, as the platform's RTCIceServer. */
export const iceServer = struct({
  urls: array(text, LIMITS.iceServers),
  username: optional(text),
  credential: optional(text),
})
export type WireIceServer = Infer<typeof iceServer>

/** Under `room/settings`, written by the room owner's key: what holds for everybody in the room. */
export const roomSettings = struct({ iceServers: array(iceServer, LIMITS.iceServers) })
export type RoomSettings = Infer<typeof roomSettings>

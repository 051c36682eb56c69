import type { Random } from '@shoal/base'
import { ProtocolError } from './protocol-error.ts'
import type { Schema } from './schema.ts'

// All ids are minted here. A node id is 128 bits of the hash of the node's public key; everything a node owns is
// numbered by it, so an id names its owner and no look-up is ever needed to find it.

declare const nodeIdTag: unique symbol
/** 32 lowercase hex digits: the first 16 bytes of SHA-256 of the node's Ed25519 public key. Kept in memory only. */
export type NodeId = string & { readonly [nodeIdTag]: true }

declare const functionHashTag: unique symbol
/** 64 hex digits: SHA-256 over the canonical form of a function's source. */
export type FunctionHash = string & { readonly [functionHashTag]: true }

declare const roomIdTag: unique symbol
/** 32 hex digits: the first 16 bytes of SHA-256 of the room owner's Ed25519 public key. */
export type RoomId = string & { readonly [roomIdTag]: true }

/** The life of a node under one id; it rises when the node hears of its own death. */
export type Session = number

/** An object: its owner and the number that the owner gave it. A task is named by its first return's number. */
export interface ObjectId {
  readonly owner: NodeId
  readonly number: number
}
export type TaskId = ObjectId
export type ActorId = ObjectId

/** A driver's run: the node that started it and its number there. */
export interface JobId {
  readonly driver: NodeId
  readonly number: number
}

/** Which run of a task: compared as a pair, since both sides of a partition go on counting. */
export interface Attempt {
  readonly epoch: number
  readonly number: number
}

export const FIRST_ATTEMPT: Attempt = { epoch: 0, number: 0 }

/** Negative when `a` is older than `b`, 0 when equal. Works for incarnations too. */
export function compareAttempts(a: Attempt, b: Attempt): number {
  return a.epoch - b.epoch || a.number - b.number
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] ?? ''
  return text
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new ProtocolError('malformed', 'not hexadecimal')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** The node id for the SHA-256 of a public key. */
export function nodeIdOfKeyHash(hash: Uint8Array): NodeId {
  return toHex(hash.subarray(0, 16)) as NodeId
}

export function parseRoomId(text: string): RoomId {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new ProtocolError('malformed', `not a room id: ${text.slice(0, 40)}`)
  return text as RoomId
}

export function roomIdOfKeyHash(hash: Uint8Array): RoomId {
  return toHex(hash.subarray(0, 16)) as RoomId
}

export function functionHashOf(sha256: Uint8Array): FunctionHash {
  return toHex(sha256) as FunctionHash
}

/** For tests and simulation: an id that no key stands behind. */
export function randomNodeId(random: Random): NodeId {
  return toHex(random.bytes(16)) as NodeId
}

// Node ids repeat in almost every message: the text of a raw id is looked up before it is made again. Ids are hashes, so
// their first bytes tell nearly all apart; of two that begin alike the one seen last is found.
const interned = new Map<number, { readonly raw: Uint8Array; readonly id: NodeId }>()
const rawOf = new Map<NodeId, Uint8Array<ArrayBuffer>>()

function internNodeId(raw: Uint8Array): NodeId {
  let key = 0
  for (let i = 0; i < 4; i++) key = (key << 8) | (raw[i] ?? 0)
  const known = interned.get(key)
  if (known !== undefined && isSame(known.raw, raw)) return known.id
  const id = toHex(raw) as NodeId
  if (interned.size > 4096) interned.clear()
  interned.set(key, { raw: raw.slice(), id })
  return id
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export const nodeId: Schema<NodeId> = {
  shape: 'nodeId',
  write(writer, value) {
    let raw = rawOf.get(value)
    if (raw === undefined) {
      raw = fromHex(value)
      if (rawOf.size > 4096) rawOf.clear()
      rawOf.set(value, raw)
    }
    writer.raw(raw)
  },
  read: (reader) => internNodeId(reader.raw(16)),
}

export const objectId: Schema<ObjectId> = {
  shape: 'objectId',
  write(writer, value) {
    nodeId.write(writer, value.owner)
    writer.varint(value.number)
  },
  read: (reader) => ({ owner: nodeId.read(reader), number: reader.varint() }),
}

export const jobId: Schema<JobId> = {
  shape: 'jobId',
  write(writer, value) {
    nodeId.write(writer, value.driver)
    writer.varint(value.number)
  },
  read: (reader) => ({ driver: nodeId.read(reader), number: reader.varint() }),
}

export const attempt: Schema<Attempt> = {
  shape: 'attempt',
  write(writer, value) {
    writer.varint(value.epoch)
    writer.varint(value.number)
  },
  read: (reader) => ({ epoch: reader.varint(), number: reader.varint() }),
}

export const functionHash: Schema<FunctionHash> = {
  shape: 'functionHash',
  write: (writer, value) => writer.raw(fromHex(value)),
  read: (reader) => toHex(reader.raw(32)) as FunctionHash,
}

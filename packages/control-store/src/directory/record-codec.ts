import type { Crypto, DirectoryRecord, KeyPair, RoomId } from '@shoal/protocol'
import { ByteReader, ByteWriter, directoryRecord, LIMITS, ProtocolError, toHex } from '@shoal/protocol'
import { isEntitled } from './entitlement.ts'
import type { WriterId } from './entitlement.ts'

/** A record whose seal, signature and entitlement have been checked, with the bytes that prove it. */
export interface ProvenRecord extends DirectoryRecord {
  readonly writerId: WriterId
  /** SHA-256 over all that is signed and the signature: of two bodies of one version it always differs. */
  readonly fingerprint: Uint8Array<ArrayBuffer>
  readonly sealed: Uint8Array<ArrayBuffer>
}

/**
 * Verdicts kept, in bytes of the records judged; in memory one takes six times as much. What is believed need not be judged
 * again: these are on what is not, and may be met again.
 */
const CACHE_BYTES = 64 * 1024
/** Keeps a signature over a record from meaning anything elsewhere. */
const SIGNED_LABEL = 'shoal directory record 1'

/**
 * Seals, signs, opens and checks records. It knows the room's key and id, not which records exist. The latest verdicts are
 * remembered by the record's bytes, so that the same value met again (in another generation, over another link) is free.
 */
export class RecordCodec {
  readonly #crypto: Crypto
  readonly #room: RoomId
  readonly #key: Promise<Uint8Array<ArrayBuffer>>
  readonly #writerIds = new WeakMap<KeyPair, WriterId>()
  readonly #verdicts = new Map<string, ProvenRecord | undefined>()
  #cachedBytes = 0

  constructor(crypto: Crypto, roomKey: Uint8Array<ArrayBuffer>, room: RoomId) {
    this.#crypto = crypto
    this.#room = room
    this.#key = crypto.hkdf(roomKey, 'directory')
    // Whoever seals or opens awaits the key and meets the failure there.
    this.#key.catch(() => {})
  }

  async writerIdOf(pair: KeyPair): Promise<WriterId> {
    let id = this.#writerIds.get(pair)
    if (id === undefined) {
      id = await this.#writerId(pair.publicKey)
      this.#writerIds.set(pair, id)
    }
    return id
  }

  /** Throws RangeError when key or body are too long for a record. */
  async write(pair: KeyPair, key: string, version: number, body: Uint8Array<ArrayBuffer>): Promise<ProvenRecord> {
    const unsigned = { key, writer: pair.publicKey, version, body }
    const signature = await pair.sign(signedBytes(unsigned))
    const record: DirectoryRecord = { ...unsigned, signature }
    const writer = new ByteWriter(256 + body.length)
    directoryRecord.write(writer, record)
    const sealed = await this.#crypto.seal(await this.#key, writer.finish(), contextOf(key))
    if (new TextEncoder().encode(key).length > LIMITS.nameBytes || sealed.length > LIMITS.directoryRecordBytes) {
      throw new RangeError(`the directory record ${key.slice(0, 80)} is too large: ${sealed.length} bytes`)
    }
    const fingerprint = await this.#fingerprint(record)
    return { ...record, sealed, fingerprint, writerId: await this.writerIdOf(pair) }
  }

  /** Undefined unless the bytes were sealed in this room for this key and signed by a writer entitled to it. */
  async read(key: string, sealed: Uint8Array<ArrayBuffer>): Promise<ProvenRecord | undefined> {
    if (sealed.length > LIMITS.directoryRecordBytes) return undefined
    const name = cacheName(key, sealed)
    if (this.#verdicts.has(name)) return this.#verdicts.get(name)
    const verdict = await this.#judge(key, sealed)
    this.#remember(name, sealed.length, verdict)
    return verdict
  }

  /** The remembered verdict; undefined also when there is none yet. */
  verdictOn(key: string, sealed: Uint8Array<ArrayBuffer>): ProvenRecord | undefined {
    return this.#verdicts.get(cacheName(key, sealed))
  }

  async #judge(key: string, sealed: Uint8Array<ArrayBuffer>): Promise<ProvenRecord | undefined> {
    const plain = await this.#crypto.open(await this.#key, sealed, contextOf(key))
    const record = plain && parseRecord(plain)
    if (record?.key !== key) return undefined
    const writerId = await this.#writerId(record.writer)
    if (!isEntitled(key, writerId, this.#room)) return undefined
    if (!(await this.#crypto.verify(record.writer, signedBytes(record), record.signature))) return undefined
    return { ...record, writerId, fingerprint: await this.#fingerprint(record), sealed: sealed.slice() }
  }

  async #writerId(publicKey: Uint8Array<ArrayBuffer>): Promise<WriterId> {
    return toHex((await this.#crypto.sha256(publicKey)).subarray(0, 16))
  }

  #fingerprint(record: DirectoryRecord): Promise<Uint8Array<ArrayBuffer>> {
    const writer = new ByteWriter(256 + record.body.length)
    writer.raw(signedBytes(record))
    writer.raw(record.signature)
    return this.#crypto.sha256(writer.finish())
  }

  #remember(name: string, bytes: number, verdict: ProvenRecord | undefined): void {
    if (this.#verdicts.has(name)) return
    if (this.#cachedBytes > CACHE_BYTES) {
      this.#verdicts.clear()
      this.#cachedBytes = 0
    }
    this.#verdicts.set(name, verdict)
    this.#cachedBytes += bytes
  }
}

function parseRecord(plain: Uint8Array<ArrayBuffer>): DirectoryRecord | undefined {
  try {
    const reader = new ByteReader(plain)
    const record = directoryRecord.read(reader)
    return reader.isDone ? record : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function signedBytes(record: Omit<DirectoryRecord, 'signature'>): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(128 + record.body.length)
  writer.string(SIGNED_LABEL)
  writer.string(record.key)
  writer.bytes(record.writer)
  writer.varint(record.version)
  writer.bytes(record.body)
  return writer.finish()
}

function contextOf(key: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(key)
}

/** The whole record, so that nobody can put a verdict on other bytes than those judged. */
function cacheName(key: string, sealed: Uint8Array): string {
  return `${key}:${toHex(sealed)}`
}

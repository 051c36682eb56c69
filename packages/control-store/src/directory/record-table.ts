import type { NodeId } from '@shoal/protocol'
import { subjectOf } from './entitlement.ts'
import type { ProvenRecord } from './record-codec.ts'

/** Nodes whose departure is remembered; the longest gone is forgotten first. */
const REMEMBERED_DEPARTURES = 4096
const DIGEST_BYTES = 32

/**
 * What this node believes: for each key the highest version it ever saw from an entitled writer. Taking records in is a
 * join (commutative, associative, idempotent), so neither order nor repetition matters, and nothing in a document can
 * lower it. It knows nothing of documents, links or keys.
 */
export class RecordTable {
  readonly #floor: number
  readonly #records = new Map<string, ProvenRecord>()
  /** For each departed node, the versions of its records that are not taken in again. */
  readonly #departed = new Map<NodeId, Map<string, number>>()
  readonly #digest = new Uint8Array(DIGEST_BYTES)
  #sealedBytes = 0

  get size(): number {
    return this.#records.size
  }

  /** Bytes of all records as they stand in a document. */
  get sealedBytes(): number {
    return this.#sealedBytes
  }

  /** Versions of ours begin above `floor`: what this key wrote in an earlier session must be surpassed. */
  constructor(floor = 0) {
    this.#floor = floor
  }

  get(key: string): ProvenRecord | undefined {
    return this.#records.get(key)
  }

  all(): IterableIterator<ProvenRecord> {
    return this.#records.values()
  }

  /** The version that a new record of the key must have to be taken in everywhere. */
  nextVersion(key: string): number {
    const subject = subjectOf(key)
    const departed = subject === undefined ? 0 : (this.#departed.get(subject)?.get(key) ?? 0)
    return Math.max(this.#records.get(key)?.version ?? 0, departed, this.#floor) + 1
  }

  /** True when it is news. */
  take(record: ProvenRecord): boolean {
    const known = this.#records.get(record.key)
    if (known !== undefined && !supersedes(record, known)) return false
    const subject = subjectOf(record.key)
    const departed = subject === undefined ? undefined : this.#departed.get(subject)?.get(record.key)
    if (departed !== undefined && record.version <= departed) return false
    if (known) this.#count(known, -1)
    this.#records.set(record.key, record)
    this.#count(record, 1)
    return true
  }

  /** Forgets the records about a node that is gone for good, and refuses them until they come with a higher version. */
  retire(node: NodeId): string[] {
    const keys = [...this.#records.keys()].filter((key) => subjectOf(key) === node)
    const departed = this.#departed.get(node) ?? new Map<string, number>()
    for (const key of keys) {
      const record = this.#records.get(key)
      if (record === undefined) continue
      departed.set(key, record.version)
      this.#records.delete(key)
      this.#count(record, -1)
    }
    this.#departed.delete(node)
    if (departed.size > 0) this.#departed.set(node, departed)
    const oldest = this.#departed.keys().next()
    if (this.#departed.size > REMEMBERED_DEPARTURES && !oldest.done) this.#departed.delete(oldest.value)
    return keys
  }

  /**
   * 32 bytes, equal for equal tables: the records' fingerprints added up. Two nodes compare it to find a difference that
   * their documents hide (two writers of one Yjs client id leave equal state vectors over unequal documents). Not the
   * signatures: whoever signs two bodies with one nonce gets signatures with equal halves, and XOR lets a hundred such
   * pairs cancel.
   */
  digest(): Uint8Array<ArrayBuffer> {
    return this.#digest.slice()
  }

  #count(record: ProvenRecord, sign: 1 | -1): void {
    this.#sealedBytes += sign * record.sealed.length
    let carry = 0
    for (let i = 0; i < DIGEST_BYTES; i++) {
      const sum = (this.#digest[i] ?? 0) + sign * (record.fingerprint[i] ?? 0) + carry
      this.#digest[i] = sum & 0xff
      carry = sum >> 8
    }
  }
}

/** A higher version; of two with the same one (a writer that lies), the greater signature, so that all choose alike. */
export function supersedes(a: ProvenRecord, b: ProvenRecord): boolean {
  if (a.version !== b.version) return a.version > b.version
  for (let i = 0; i < a.signature.length; i++) {
    const difference = (a.signature[i] ?? 0) - (b.signature[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

import type { LedgerRecords, NodeId } from '@shoal/protocol'
import { hasTemplate, joinRecords, recordBytes, recordRefs } from './ledger-record.ts'
import type { StoredRecord } from './ledger-record.ts'

/** Records of which nobody says any more that they are needed are looked for when there are this many, and twice as many as then. */
const SWEEP_FROM = 256
/** What a record takes beside its value, about. */
const RECORD_BYTES = 256
/** More than this nobody makes a node keep. Whoever tried hears no acknowledgement, and so keeps it himself. */
const MOST_BYTES = 256 * 1024 * 1024

/**
 * Records of other nodes' ledgers: as their successor, or since they rode with a ref that is here. It knows what they say
 * of each other, and not who is alive or what is needed.
 */
export class RecordStore {
  readonly #ledgers = new Map<NodeId, Map<number, StoredRecord>>()
  readonly #sweepAt = new Map<NodeId, number>()
  /** What whoever answers for the ledger said itself, and so will say when it is gone; the rest was passed on by others. */
  readonly #told = new Map<NodeId, Set<number>>()

  readonly #mostBytes: number
  #bytes = 0

  constructor({ mostBytes = MOST_BYTES }: { readonly mostBytes?: number } = {}) {
    this.#mostBytes = mostBytes
  }

  /** Of all records, about. */
  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    let count = 0
    for (const records of this.#ledgers.values()) count += records.size
    return count
  }

  owners(): readonly NodeId[] {
    return [...this.#ledgers.keys()]
  }

  of(owner: NodeId): ReadonlyMap<number, StoredRecord> {
    return this.#ledgers.get(owner) ?? NONE
  }

  get(owner: NodeId, number: number): StoredRecord | undefined {
    return this.#ledgers.get(owner)?.get(number)
  }

  isTold(owner: NodeId, number: number): boolean {
    return this.#told.get(owner)?.has(number) === true
  }

  /**
   * Takes a message's records in; repeats and late ones change nothing. `isTold`: by whoever answers for the ledger.
   * @returns false when there was no room for all of them
   */
  take({ owner, records, templates, forgotten, isSnapshot }: LedgerRecords, isTold = false): boolean {
    const told = this.#told.get(owner) ?? new Set<number>()
    if (isTold && isSnapshot) told.clear()
    this.#told.set(owner, told)
    for (const number of forgotten) told.delete(number)
    const known = this.#ledgers.get(owner) ?? new Map<number, StoredRecord>()
    this.#ledgers.set(owner, known)
    let hasRoom = true
    for (const record of records) {
      const template = hasTemplate(record.body) ? templates[record.body.template] : undefined
      // Without its template a task could never be run, nor an actor made.
      if (hasTemplate(record.body) && template === undefined) continue
      const next = { record, template }
      const former = known.get(record.number)
      const kept = former === undefined ? next : joinRecords(former, next)
      const growth = bytesOf(kept) - (former === undefined ? 0 : bytesOf(former))
      if (growth > 0 && this.#bytes + growth > this.#mostBytes) {
        hasRoom = false
        continue
      }
      this.#bytes += growth
      known.set(record.number, kept)
      if (isTold) told.add(record.number)
    }
    for (const number of forgotten) this.#delete(known, number)
    if (known.size === 0) this.drop(owner)
    return hasRoom
  }

  /** Drops what no needed object leads to; unless forced, `isNeeded` is asked only when there is much. */
  sweep(owner: NodeId, isNeeded: (number: number) => boolean, isForced: boolean): void {
    const known = this.#ledgers.get(owner)
    if (known === undefined || (!isForced && known.size < (this.#sweepAt.get(owner) ?? SWEEP_FROM))) return
    const marked = new Set<number>()
    const open = [...known.keys()].filter(isNeeded)
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      if (marked.has(number)) continue
      marked.add(number)
      const stored = known.get(number)
      for (const id of stored === undefined ? [] : recordRefs(stored.record))
        if (id.owner === owner) open.push(id.number)
    }
    for (const number of known.keys())
      if (!marked.has(number)) {
        this.#delete(known, number)
        this.#told.get(owner)?.delete(number)
      }
    this.#sweepAt.set(owner, Math.max(SWEEP_FROM, 2 * known.size))
    if (known.size === 0) this.drop(owner)
  }

  drop(owner: NodeId): void {
    for (const stored of this.of(owner).values()) this.#bytes -= bytesOf(stored)
    this.#ledgers.delete(owner)
    this.#sweepAt.delete(owner)
    this.#told.delete(owner)
  }

  clear(): void {
    this.#ledgers.clear()
    this.#sweepAt.clear()
    this.#told.clear()
    this.#bytes = 0
  }

  #delete(known: Map<number, StoredRecord>, number: number): void {
    const stored = known.get(number)
    if (stored === undefined) return
    this.#bytes -= bytesOf(stored)
    known.delete(number)
  }
}

function bytesOf({ record }: StoredRecord): number {
  return RECORD_BYTES + recordBytes(record)
}

const NONE: ReadonlyMap<number, StoredRecord> = new Map()

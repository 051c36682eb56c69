import type { LedgerRecords, NodeId } from '@shoal/protocol'
import { joinRecords } from './ledger-record.ts'
import type { StoredRecord } from './ledger-record.ts'

/** Records of which nobody says any more that they are needed are looked for when there are this many, and twice as many as then. */
const SWEEP_FROM = 256

/**
 * Records of other nodes' ledgers: as their successor, or since they rode with a ref that is here. It knows what they say
 * of each other, and not who is alive or what is needed.
 */
export class RecordStore {
  readonly #ledgers = new Map<NodeId, Map<number, StoredRecord>>()
  readonly #sweepAt = new Map<NodeId, number>()
  /** What whoever answers for the ledger said itself, and so will say when it is gone; the rest was passed on by others. */
  readonly #told = new Map<NodeId, Set<number>>()

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

  /** Takes a message's records in; repeats and late ones change nothing. `isTold`: by whoever answers for the ledger. */
  take({ owner, records, templates, forgotten, isSnapshot }: LedgerRecords, isTold = false): void {
    const told = this.#told.get(owner) ?? new Set<number>()
    if (isTold && isSnapshot) told.clear()
    this.#told.set(owner, told)
    if (isTold) for (const { number } of records) told.add(number)
    for (const number of forgotten) told.delete(number)
    const known = this.#ledgers.get(owner) ?? new Map<number, StoredRecord>()
    this.#ledgers.set(owner, known)
    for (const record of records) {
      const template = record.body.type === 'task' ? templates[record.body.template] : undefined
      // A task without its template could never be run.
      if (record.body.type === 'task' && template === undefined) continue
      const next = { record, template }
      const former = known.get(record.number)
      known.set(record.number, former === undefined ? next : joinRecords(former, next))
    }
    for (const number of forgotten) known.delete(number)
    if (known.size === 0) this.drop(owner)
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
      const body = known.get(number)?.record.body
      const refs =
        body?.type === 'task'
          ? [...body.dependencies.map((dependency) => dependency.id), ...body.args.refs]
          : body?.type === 'value'
            ? body.value.refs
            : []
      for (const id of refs) if (id.owner === owner) open.push(id.number)
    }
    for (const number of known.keys())
      if (!marked.has(number)) {
        known.delete(number)
        this.#told.get(owner)?.delete(number)
      }
    this.#sweepAt.set(owner, Math.max(SWEEP_FROM, 2 * known.size))
    if (known.size === 0) this.drop(owner)
  }

  drop(owner: NodeId): void {
    this.#ledgers.delete(owner)
    this.#sweepAt.delete(owner)
    this.#told.delete(owner)
  }

  clear(): void {
    this.#ledgers.clear()
    this.#sweepAt.clear()
    this.#told.clear()
  }
}

const NONE: ReadonlyMap<number, StoredRecord> = new Map()

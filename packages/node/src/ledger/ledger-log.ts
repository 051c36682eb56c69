// Long because what goes with a ref and what goes to the successors are written in one book.
import { recordRefs } from '@shoal/control-store'
import type { RecordStore, StoredRecord } from '@shoal/control-store'
import { formatObjectId, LIMITS } from '@shoal/protocol'
import type { LedgerRecords, NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import type { Outbox } from '../outbox.ts'
import { RecordBatch } from './record-batch.ts'

/** What there is to record of an object, and the refs that one who has to make it again needs. */
export interface Described extends StoredRecord {
  readonly inner: readonly ObjectId[]
}

export interface LedgerLogOptions {
  readonly self: NodeId
  /** False only where the simulation shows what the riding of records prevents (X1). */
  readonly rides?: boolean
  readonly records: RecordStore
  send(to: NodeId, message: NodeMessage): void
  later(delayMs: number, callback: () => void): void
  isMine(owner: NodeId): boolean
  /** Those that are alive, in their order. */
  successorsOf(owner: NodeId): readonly NodeId[]
  /** The ledger's first record is about to be made. */
  open(owner: NodeId): void
  /** Tells who answers for a ledger, once. */
  tell(to: NodeId, owner: NodeId): void
  /** `gone`: there is no such object any more; undefined: nothing can be said of it yet. */
  describe(id: ObjectId): Described | 'gone' | undefined
  /** Nothing can be said of it before its function's code is checked, which is under way: `undefined` becomes more by itself. */
  isUnchecked(id: ObjectId): boolean
  /** Where a ref waits for that. */
  readonly outbox: Pick<Outbox, 'hold' | 'told'>
  /** Its bytes are here alone and too many to travel in a record: somebody else should have them too. */
  copyElsewhere(id: ObjectId): void
}

/** An object of a ledger that this node answers for, whose ref others may have. */
interface Exported {
  /** For each successor the number of the message that said the latest. */
  readonly sent: Map<NodeId, number>
  /** Who was told with a ref, and has not seen it change since. */
  readonly rode: Set<NodeId>
  /** Who has a ref with which nothing could be told yet. */
  readonly owed: Set<NodeId>
  /** Somebody has a record of it. */
  isTold: boolean
}

interface Book {
  readonly exported: Map<number, Exported>
  readonly dirty: Set<number>
  /** Objects that are gone and that successors have records of. */
  forgotten: number[]
  readonly successors: Map<NodeId, { sent: number; acknowledged: number }>
  isFlushing: boolean
}

/** A task shorter than this is over before its record would leave. */
const FLUSH_MS = 50
/** A second copy of large bytes is made when nobody has fetched them by then. */
const COPY_MS = 1_000
/** Objects told to one peer ahead of refs of other owners: remembered so that they are told once. */
const MOST_PASSED_ON = 10_000

/**
 * Writes the records of the ledgers that this node answers for: they ride ahead of each ref that leaves until a successor
 * has acknowledged them, and go to the successors 50 ms later. Nothing waits for a record, but for one whose code is still
 * being checked. What never leaves its tab
 * makes none. Records of other ledgers that are here are passed on with their refs.
 */
export class LedgerLog {
  readonly #options: LedgerLogOptions
  readonly #books = new Map<NodeId, Book>()
  readonly #passedOn = new Map<NodeId, Set<string>>()

  constructor(options: LedgerLogOptions) {
    this.#options = options
  }

  /** Objects of a ledger that have a record. */
  exportedOf(owner: NodeId): number {
    return this.#books.get(owner)?.exported.size ?? 0
  }

  /** Which successors have all that was to be said of an object. */
  safeAt({ owner, number }: ObjectId): NodeId[] {
    const book = this.#books.get(owner)
    const exported = book?.exported.get(number)
    if (book === undefined || exported === undefined || book.dirty.has(number)) return []
    return [...exported.sent].flatMap(([node, at]) =>
      at <= (book.successors.get(node)?.acknowledged ?? 0) ? [node] : [],
    )
  }

  /** A message is about to give these refs to user code in another tab. */
  expose(to: NodeId, ids: readonly ObjectId[]): void {
    const byOwner = new Map<NodeId, number[]>()
    for (const { owner, number } of ids) {
      const numbers = byOwner.get(owner) ?? []
      byOwner.set(owner, numbers)
      numbers.push(number)
    }
    for (const [owner, numbers] of byOwner) {
      if (owner === to) continue
      if (!this.#options.isMine(owner)) {
        this.#options.tell(to, owner)
        this.#passOn(to, owner, numbers)
        continue
      }
      this.#options.open(owner)
      this.#options.tell(to, owner)
      const book = this.#book(owner)
      const riding = new Map<number, Described>()
      for (const number of numbers) this.#export(book, owner, number, to, riding)
      this.#send(to, owner, 0, riding.values(), [])
    }
  }

  /** As if their refs had left: objects of a ledger that this node answers for are to outlive this tab. */
  keep(owner: NodeId, numbers: readonly number[]): void {
    if (!this.#options.isMine(owner)) return
    this.#options.open(owner)
    for (const number of numbers) this.#export(this.#book(owner), owner, number, undefined, new Map())
  }

  /** What there is to say of an object has changed. `isUrgent`: before anything else happens to it. */
  changed(id: ObjectId, isUrgent: boolean): void {
    const book = this.#books.get(id.owner)
    const exported = book?.exported.get(id.number)
    if (book === undefined || exported === undefined) return
    exported.rode.clear()
    for (const to of [...exported.owed]) {
      exported.owed.delete(to)
      const riding = new Map<number, Described>()
      this.#export(book, id.owner, id.number, to, riding)
      this.#send(to, id.owner, 0, riding.values(), [])
      if (!exported.owed.has(to)) this.#options.outbox.told(to, id)
    }
    this.#soil(book, id.owner, id.number)
    if (isUrgent) this.#flush(id.owner, book)
  }

  /** A list was drawn: who is new on it, or was told by another answerer meanwhile, gets everything. */
  drawn(owner: NodeId, successors: readonly NodeId[], isNewEpoch: boolean): void {
    const book = this.#books.get(owner)
    if (book === undefined) return
    for (const node of [...book.successors.keys()])
      if (isNewEpoch || !successors.includes(node)) {
        book.successors.delete(node)
        for (const { sent } of book.exported.values()) sent.delete(node)
      }
    if (successors.every((node) => book.successors.has(node))) return
    for (const number of book.exported.keys()) this.#soil(book, owner, number)
    this.#flushSoon(owner, book)
  }

  onAcknowledged(from: NodeId, owner: NodeId, number: number): void {
    const successor = this.#books.get(owner)?.successors.get(from)
    if (successor !== undefined && number <= successor.sent)
      successor.acknowledged = Math.max(successor.acknowledged, number)
  }

  /** This node has taken a ledger over: all that is needed of it is recorded again, by this one. */
  adopt(owner: NodeId, numbers: Iterable<number>): void {
    const book = this.#book(owner)
    for (const number of numbers) {
      if (!book.exported.has(number)) book.exported.set(number, newExported(true))
      this.#soil(book, owner, number)
    }
  }

  /** Everything that this node has of another's ledger, to whoever takes it over. */
  sendAll(to: NodeId, owner: NodeId): void {
    this.#send(to, owner, 0, this.#options.records.of(owner).values(), [])
  }

  peerGone(node: NodeId): void {
    this.#passedOn.delete(node)
    for (const book of this.#books.values()) {
      for (const { rode, owed } of book.exported.values()) {
        rode.delete(node)
        owed.delete(node)
      }
    }
  }

  drop(owner: NodeId): void {
    this.#books.delete(owner)
  }

  clear(): void {
    this.#books.clear()
    this.#passedOn.clear()
  }

  #book(owner: NodeId): Book {
    let book = this.#books.get(owner)
    if (book === undefined) {
      book = { exported: new Map(), dirty: new Set(), forgotten: [], successors: new Map(), isFlushing: false }
      this.#books.set(owner, book)
    }
    return book
  }

  /**
   * Records an object and all that is needed to make it again, as deep as that is kept: see `Lineage`. Collects what has to
   * ride to `to`.
   */
  #export(book: Book, owner: NodeId, first: number, to: NodeId | undefined, riding: Map<number, Described>): void {
    const open = [first]
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      let exported = book.exported.get(number)
      const isNew = exported === undefined
      if (exported === undefined) {
        exported = newExported(false)
        book.exported.set(number, exported)
      }
      if (isNew) this.#soil(book, owner, number)
      const rides =
        to !== undefined &&
        this.#options.rides !== false &&
        !exported.rode.has(to) &&
        this.safeAt({ owner, number }).length === 0
      if (riding.has(number) || !(isNew || rides)) continue
      const described = this.#options.describe({ owner, number })
      if (described === undefined && rides) {
        exported.owed.add(to)
        if (this.#options.isUnchecked({ owner, number })) this.#options.outbox.hold(to, { owner, number })
      }
      if (described === undefined || described === 'gone') continue
      if (rides) {
        exported.rode.add(to)
        exported.isTold = true
        riding.set(number, described)
      }
      for (const id of described.inner) {
        if (id.owner === owner) open.push(id.number)
        else if (to !== undefined) this.expose(to, [id])
      }
    }
  }

  #soil(book: Book, owner: NodeId, number: number): void {
    book.dirty.add(number)
    this.#flushSoon(owner, book)
  }

  #flushSoon(owner: NodeId, book: Book): void {
    if (book.isFlushing) return
    book.isFlushing = true
    this.#options.later(FLUSH_MS, () => {
      book.isFlushing = false
      if (this.#books.get(owner) === book) this.#flush(owner, book)
    })
  }

  #flush(owner: NodeId, book: Book): void {
    if (!this.#options.isMine(owner)) return
    const records = new Map<number, Described>()
    // With what is found to be needed on the way.
    for (const number of book.dirty) {
      const described = this.#options.describe({ owner, number })
      if (described === undefined) continue
      book.dirty.delete(number)
      if (described === 'gone') {
        if (book.exported.get(number)?.isTold === true) book.forgotten.push(number)
        book.exported.delete(number)
        continue
      }
      records.set(number, described)
      // What it needs may have become more, as a result with refs inside.
      for (const id of described.inner)
        if (id.owner === owner) this.#export(book, owner, id.number, undefined, new Map())
      const { body } = described.record
      if (body.type === 'stored') this.#options.later(COPY_MS, () => this.#options.copyElsewhere({ owner, number }))
    }
    const { forgotten } = book
    book.forgotten = []
    for (const node of this.#options.successorsOf(owner)) {
      let successor = book.successors.get(node)
      // What it was told when it was none, or was one before, may be gone by now.
      const isSnapshot = successor === undefined
      if (successor === undefined) {
        successor = { sent: 0, acknowledged: 0 }
        book.successors.set(node, successor)
      }
      if (records.size === 0 && forgotten.length === 0 && !isSnapshot) continue
      const told = [...records.values()]
      successor.sent++
      for (const number of records.keys()) {
        const exported = book.exported.get(number)
        exported?.sent.set(node, successor.sent)
        if (exported !== undefined) exported.isTold = true
      }
      for (const { inner } of told) for (const id of inner) if (id.owner !== owner) this.expose(node, [id])
      this.#send(node, owner, successor.sent, told, forgotten, isSnapshot)
    }
  }

  #passOn(to: NodeId, owner: NodeId, numbers: readonly number[]): void {
    const told = this.#passedOn.get(to) ?? new Set<string>()
    this.#passedOn.set(to, told)
    if (told.size > MOST_PASSED_ON) told.clear()
    const known = this.#options.records.of(owner)
    const found = new Map<number, StoredRecord>()
    const open = [...numbers]
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      const stored = known.get(number)
      const key = formatObjectId({ owner, number })
      if (stored === undefined || told.has(key)) continue
      told.add(key)
      found.set(number, stored)
      for (const id of recordRefs(stored.record)) if (id.owner === owner) open.push(id.number)
    }
    this.#send(to, owner, 0, found.values(), [])
  }

  /** In messages of a size that the receiver takes; the last one has the number, so that it stands for all. */
  #send(
    to: NodeId,
    owner: NodeId,
    number: number,
    records: Iterable<StoredRecord>,
    forgotten: readonly number[],
    isSnapshot = false,
  ): void {
    let batch = new RecordBatch()
    let isFirst = isSnapshot
    const send = (part: Pick<LedgerRecords, 'number' | 'templates' | 'records' | 'forgotten'>): void => {
      this.#options.send(to, { type: 'ledger.records', owner, ...part, isSnapshot: isFirst })
      isFirst = false
    }
    for (const stored of records) {
      if (!batch.add(stored)) {
        send({ number: 0, ...batch.take(), forgotten: [] })
        batch = new RecordBatch()
        batch.add(stored)
      }
    }
    let rest = [...forgotten]
    while (rest.length > LIMITS.messageReferences) {
      const part = rest.slice(0, LIMITS.messageReferences)
      rest = rest.slice(LIMITS.messageReferences)
      send({ number: 0, templates: [], records: [], forgotten: part })
    }
    if (batch.isEmpty && rest.length === 0 && number === 0) return
    send({ number, ...batch.take(), forgotten: rest })
  }
}

function newExported(isTold: boolean): Exported {
  return { sent: new Map(), rode: new Set(), owed: new Set(), isTold }
}

import { Subscribable } from '@shoal/base'
import type { Log, Timer } from '@shoal/base'
import { PermissionError } from '@shoal/protocol'
import type { KeyPair, NodeId } from '@shoal/protocol'
import type * as Y from 'yjs'
import type { Directory, DirectoryChange, DirectoryEntry, DirectoryOptions } from './directory.ts'
import { CheckQueue } from './check-queue.ts'
import type { SealedValue } from './check-queue.ts'
import { DirectoryDocument, stateName } from './document.ts'
import { isEntitled } from './entitlement.ts'
import type { WriterId } from './entitlement.ts'
import { decodeFrame, encodeFrame, encodeRecords, FRAME_BYTES, updateFrame, vectorFrame } from './frames.ts'
import { HealSchedule } from './heal-schedule.ts'
import { RecordCodec } from './record-codec.ts'
import type { ProvenRecord } from './record-codec.ts'
import { RecordTable } from './record-table.ts'

/** How soon a writer writes its own record again when the document lacks or garbles it. */
const OWN_HEAL_MS = 500
/** When others put back the record of a writer that does not: from here, spread over as much again. */
const OTHERS_HEAL_MS = 2_000
/** A grown document is rolled by whoever's chance is first within this. */
const ROLL_SPREAD_MS = 2_000
/**
 * Generations that one message may raise ours by, so that nobody can use the numbers up. Who told of a generation farther
 * off need not be hostile, but can have been raised by somebody who is: we go its way by so much, and until we are there
 * the two of us exchange records instead of documents.
 */
const FOLLOWED_AT_ONCE = 1_024

/** The directory of one node, as `Directory` describes it: document, checks, beliefs and healing put together. */
export class YjsDirectory implements Directory {
  readonly #options: DirectoryOptions
  readonly #log: Log
  readonly #codec: RecordCodec
  readonly #table: RecordTable
  readonly #changes: Subscribable<DirectoryChange>
  readonly #updates: Subscribable<readonly [Uint8Array<ArrayBuffer>, unknown]>
  readonly #rolls: Subscribable<number>
  readonly #checks: CheckQueue
  readonly #lacking: HealSchedule
  #rollTimer: Timer | undefined
  readonly #ownIds = new Map<WriterId, KeyPair>()
  /** Our writes one after another, so that no version is given twice. */
  #lastWrite: Promise<void> = Promise.resolve()
  #document: DirectoryDocument
  #isClosed = false

  constructor(options: DirectoryOptions) {
    this.#options = options
    this.#table = new RecordTable(options.versionsAbove)
    this.#log = options.log.child('directory')
    this.#codec = new RecordCodec(options.crypto, options.roomKey, options.room)
    const trap = (error: unknown): void => this.#log.error('a listener of the directory threw', { error })
    this.#changes = new Subscribable(trap)
    this.#updates = new Subscribable(trap)
    this.#rolls = new Subscribable(trap)
    this.#checks = new CheckQueue(
      (value) => this.#check(value),
      (error) => this.#log.error('checking a directory record failed', { error }),
    )
    this.#lacking = new HealSchedule(options.clock, (keys) => {
      this.#heal(keys).catch((error: unknown) => this.#log.error('putting directory records back failed', { error }))
    })
    this.#document = this.#openDocument(0)
  }

  get doc(): Y.Doc {
    return this.#document.doc
  }

  get generation(): number {
    return this.#document.generation
  }

  set(key: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#inTurn(async () => {
      const pair = await this.#pairFor(key)
      if (!pair) throw new PermissionError('permission', `this tab may not write the directory record ${key}`)
      const known = this.#table.get(key)
      if (known && sameBytes(known.body, body)) return
      await this.#write(pair, key, body)
    })
  }

  get(key: string): DirectoryEntry | undefined {
    return this.#table.get(key)
  }

  entries(prefix: string): (readonly [string, DirectoryEntry])[] {
    const found: (readonly [string, DirectoryEntry])[] = []
    for (const record of this.#table.all()) if (record.key.startsWith(prefix)) found.push([record.key, record])
    // By key, so that all nodes list alike whatever order the records came in.
    return found.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  subscribe(listener: (change: DirectoryChange) => void): () => void {
    return this.#changes.subscribe(listener)
  }

  onUpdate(listener: (frame: Uint8Array<ArrayBuffer>, origin: unknown) => void): () => void {
    return this.#updates.subscribe(([frame, origin]) => listener(frame, origin))
  }

  onRoll(listener: (generation: number) => void): () => void {
    return this.#rolls.subscribe(listener)
  }

  applyUpdate(frame: Uint8Array<ArrayBuffer>, origin: unknown): void {
    if (this.#isClosed) return
    const update = decodeFrame(updateFrame, frame)
    const hasMoved = this.#follow(update.generation)
    if (update.type === 'records') {
      for (const { key, sealed } of update.records) this.#queue(key, sealed)
    } else if (update.generation === this.generation) {
      this.#document.apply(update.update, origin)
    }
    // A document of another generation says nothing: its writers follow ours, or we theirs, and all is written again there.
    if (hasMoved) this.#bringOwn()
  }

  vector(): Uint8Array<ArrayBuffer> {
    const { generation } = this
    return encodeFrame(vectorFrame, { generation, state: this.#document.state(), digest: this.#table.digest() })
  }

  summaryOf(vector: Uint8Array<ArrayBuffer>): string {
    const { generation, state, digest } = decodeFrame(vectorFrame, vector)
    return `${generation}/${stateName(state)}/${digest.join()}`
  }

  updatesSince(vector: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const theirs = decodeFrame(vectorFrame, vector)
    const isSameBelief = sameBytes(theirs.digest, this.#table.digest())
    const ahead = this.generation - theirs.generation
    // The document is theirs to send: our own vector, met there, asks for it.
    if (ahead < 0) return isSameBelief ? [] : this.#recordFrames()
    if (ahead > FOLLOWED_AT_ONCE) return this.#recordFrames()
    const isBehind = ahead > 0
    const ours = this.#document.state()
    if (isBehind || stateName(theirs.state) !== stateName(ours)) {
      return this.#frames(this.#document.updateSince(isBehind ? new Uint8Array(0) : theirs.state))
    }
    // Equal state vectors over unequal beliefs: either of us missed a delete, which no state vector counts, or a client id
    // was written under twice. Yjs tells of neither, so both the deletes and the records themselves are sent.
    if (isSameBelief) return []
    return [...this.#frames(this.#document.updateSince(theirs.state)), ...this.#recordFrames()]
  }

  async republish(): Promise<void> {
    await this.#heal([...this.#table.all()].map(({ key }) => key))
  }

  retire(node: NodeId): void {
    if (node === this.#options.self || this.#isClosed) return
    const keys = this.#table.retire(node)
    for (const key of keys) this.#lacking.remove(key)
    this.#document.remove(keys)
    for (const key of keys) this.#changes.emit({ key, entry: undefined })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#rollTimer?.cancel()
    this.#checks.clear()
    this.#lacking.clear()
    this.#document.destroy()
  }

  // --- the document ---

  #openDocument(generation: number): DirectoryDocument {
    const document = new DirectoryDocument(generation, this.#options.random, {
      changed: (key, sealed) => {
        if (sealed === undefined) this.#inspect(key)
        else this.#queue(key, sealed)
      },
      updated: (update, origin) => {
        if (document !== this.#document) return
        for (const frame of this.#frames(update)) this.#updates.emit([frame, origin ?? undefined])
        this.#watchGrowth()
      },
    })
    return document
  }

  /** One frame with the update, or the records themselves where it is too large for one. */
  #frames(update: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    if (update.length > FRAME_BYTES) return this.#recordFrames()
    return [encodeFrame(updateFrame, { type: 'document', generation: this.generation, update })]
  }

  #recordFrames(): Uint8Array<ArrayBuffer>[] {
    return encodeRecords(this.generation, this.#table.all())
  }

  #watchGrowth(): void {
    if (this.#rollTimer || !this.#document.isGrown(this.#table.size, this.#table.sealedBytes)) return
    const { clock, random } = this.#options
    this.#rollTimer = clock.after(random.float() * ROLL_SPREAD_MS, () => {
      this.#rollTimer = undefined
      if (!this.#document.isGrown(this.#table.size, this.#table.sealedBytes)) return
      this.#log.info?.('the directory has grown and is rolled', { generation: this.generation + 1 })
      this.#move(this.generation + 1)
      this.#document.put(this.#table.all())
    })
  }

  /** True when we have left our generation. */
  #follow(generation: number): boolean {
    if (generation <= this.generation) return false
    this.#move(Math.min(generation, this.generation + FOLLOWED_AT_ONCE))
    for (const record of this.#table.all()) this.#inspect(record.key)
    return true
  }

  /** As they stand and at once: a newcomer begins in generation 0, and would be seen half a second late in a rolled room. */
  #bringOwn(): void {
    const lacking = [...this.#table.all()].filter(
      (record) => this.#ownIds.has(record.writerId) && !this.#isShown(record),
    )
    if (lacking.length > 0) this.#document.put(lacking)
  }

  #move(generation: number): void {
    this.#rollTimer?.cancel()
    this.#rollTimer = undefined
    const old = this.#document
    this.#document = this.#openDocument(generation)
    this.#rolls.emit(generation)
    // After the listeners: the seed lets go of the old document first.
    old.destroy()
  }

  // --- checking ---

  #queue(key: string, sealed: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return
    if (!this.#checks.push({ key, sealed })) this.#log.debug?.('a directory value was dropped unchecked', { key })
  }

  async #check({ key, sealed }: SealedValue): Promise<void> {
    const known = this.#table.get(key)
    if (known === undefined || !sameBytes(known.sealed, sealed)) {
      const record = await this.#codec.read(key, sealed)
      if (this.#isClosed) return
      if (record && this.#table.take(record)) this.#changes.emit({ key, entry: record })
    }
    this.#inspect(key)
  }

  // --- healing ---

  /** Notes whether the document shows what we believe under the key, and when to put it back if not. */
  #inspect(key: string): void {
    if (this.#isClosed) return
    const record = this.#table.get(key)
    if (record === undefined || this.#isShown(record)) {
      this.#lacking.remove(key)
      return
    }
    if (this.#lacking.has(key)) return
    const isOurs = this.#ownIds.has(record.writerId)
    this.#lacking.add(key, isOurs ? OWN_HEAL_MS : OTHERS_HEAL_MS * (1 + this.#options.random.float()))
  }

  #isShown(record: ProvenRecord): boolean {
    const shown = this.#document.get(record.key)
    if (shown === undefined) return false
    if (sameBytes(shown, record.sealed)) return true
    // The same record under another seal: two tabs of the owner wrote it.
    const verdict = this.#codec.verdictOn(record.key, shown)
    return verdict !== undefined && sameBytes(verdict.signature, record.signature)
  }

  async #heal(keys: readonly string[]): Promise<void> {
    const others: ProvenRecord[] = []
    for (const key of keys) {
      this.#lacking.remove(key)
      const record = this.#table.get(key)
      if (record === undefined || this.#isShown(record)) continue
      const pair = this.#ownIds.get(record.writerId)
      if (pair === undefined) others.push(record)
      // Under the next version, so that those who took us for gone believe it again.
      else await this.#inTurn(() => this.#rewrite(pair, key))
    }
    if (!this.#isClosed && others.length > 0) this.#document.put(others)
  }

  async #rewrite(pair: KeyPair, key: string): Promise<void> {
    const record = this.#table.get(key)
    if (record && !this.#isShown(record)) await this.#write(pair, key, record.body)
  }

  // --- writing ---

  async #write(pair: KeyPair, key: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const record = await this.#codec.write(pair, key, this.#table.nextVersion(key), body)
    if (this.#isClosed) return
    if (this.#table.take(record)) this.#changes.emit({ key, entry: record })
    this.#document.put([record])
  }

  async #pairFor(key: string): Promise<KeyPair | undefined> {
    const { keyPair, ownerKeyPair, room } = this.#options
    let found: KeyPair | undefined
    for (const pair of ownerKeyPair ? [keyPair, ownerKeyPair] : [keyPair]) {
      const writer = await this.#codec.writerIdOf(pair)
      // Remembered for healing: what either key wrote, here or in another tab, is ours to write again.
      this.#ownIds.set(writer, pair)
      if (isEntitled(key, writer, room)) found = pair
    }
    return found
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.#lastWrite.then(() => (this.#isClosed ? undefined : write()))
    this.#lastWrite = turn.catch(() => {})
    return turn
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

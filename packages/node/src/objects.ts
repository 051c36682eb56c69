// Long because an object has one table of states, and everybody who waits for one is listed beside it.
import { refsOf } from '@shoal/object-store'
import { compareAttempts, LIMITS, messageBytes, valueBytes } from '@shoal/protocol'
import type {
  Attempt,
  Dependency,
  EncodedValue,
  JobId,
  LedgerReport,
  NodeId,
  NodeMessage,
  ObjectId,
  WireError,
} from '@shoal/protocol'
import { sourceOf } from '@shoal/control-store'
import type { Reports, StoredRecord } from '@shoal/control-store'
import { EntryTable } from './entry-table.ts'
import { ASK_AGAIN_MS, Fetches } from './fetches.ts'
import type { Fetched } from './fetches.ts'
import { notRebuilt, ownerDied } from './loss-errors.ts'
import { isNeeded, isOnlyForRecipes, isReferenced, lost, newEntry, PENDING } from './object-entry.ts'
import type { Entry, ObjectState } from './object-entry.ts'
import type { ObjectsOptions } from './objects-options.ts'
import type { Life } from './references.ts'

/**
 * Which objects this node knows, own and others': their state, who waits for them, and how many references this tab
 * holds. The word of whoever answers for an object is final: its owner, or who took the owner's ledger over; for an object
 * of another ledger that node is asked once. It knows nothing of tasks, nor how ledgers are taken over.
 */
export class Objects {
  readonly #options: ObjectsOptions
  readonly #entries: EntryTable
  readonly fetches: Fetches
  /** Errors that somebody was told of. One error may stand for several objects. */
  readonly #told = new WeakSet<WireError>()
  /** What was lost and is asked for: made again one after the other, not one within the other. */
  #asked: Entry[] = []

  constructor(options: ObjectsOptions) {
    this.#options = options
    this.#entries = new EntryTable(options.self)
    const { self, transfers, table, spilling, knowsAll, rebuild, receiveInside, later } = options
    this.fetches = new Fetches({
      self,
      transfers,
      table,
      spilling,
      knowsAll,
      rebuild,
      receiveInside,
      later,
      retain: (id) => this.retain(id),
      release: (id) => this.release(id),
      find: (id) => this.#find(id),
      isMine: (id) => this.#isMine(id),
      notRebuilt: (id) => this.#notRebuilt(id),
      whenHere: (id, callback) => this.whenHere(id, callback),
      askAgain: (entry, callback) => this.#askOwnerAgain(entry, callback),
      arrived: (id, attempt, value) => {
        if (!this.#isMine(id)) this.sayHeld(id, attempt)
        this.storeHere(id, attempt, value)
      },
      lostHere: (id, attempt) => this.#lostHere(id, attempt),
    })
  }

  get ownCount(): number {
    return this.#entries.ownCount
  }

  /** Objects of other owners that are known here. */
  get othersCount(): number {
    return this.#entries.othersCount
  }

  /** Callbacks that wait for an object, of this node and of others. */
  get waiterCount(): number {
    let count = 0
    for (const { waiters, askers } of this.#entries) count += waiters.length + (askers?.size ?? 0)
    return count
  }

  /** All that are known here, for people who look: nothing of them is kept. */
  entries(): Iterable<Readonly<Entry>> {
    return this.#entries
  }

  /** An own object comes into being, pending, with one reference. */
  create(number: number, job: JobId): void {
    this.#entries.add(newEntry({ owner: this.#options.self, number }, 1, job))
  }

  /** Somebody who asked for an object was told of the error in its place. */
  told(error: WireError): void {
    this.#told.add(error)
  }

  /** The session ends, and with it its job: what nobody was told of until now is told as unfetched, and all is freed. */
  close(): void {
    for (const entry of this.#entries.own()) this.#tellUnfetched(entry)
    this.#entries.clear()
    this.#options.table.clear()
  }

  /** Adds a reference; an unknown object of another owner becomes known by it. */
  retain(id: ObjectId): void {
    this.#entry(id).count++
  }

  /** Whether anything is known of the object: somebody refers to it, or did a moment ago. */
  isKnown(id: ObjectId): boolean {
    return this.#find(id) !== undefined
  }

  /** Whether another node is counted for an object that this one answers for. */
  isLentTo(id: ObjectId, node: NodeId): boolean {
    for (const life of this.#find(id)?.borrowers ?? []) if (life.node === node) return true
    return false
  }

  /** Another node holds a reference to an object that this one answers for. False when there is no such object. */
  lend(id: ObjectId, to: Life): boolean {
    const entry = this.#isMine(id) ? this.#awaited(id) : undefined
    ;(entry && (entry.borrowers ??= new Set()))?.add(to)
    return entry !== undefined
  }

  takeBack(id: ObjectId, from: Life, isCopyGone: boolean): void {
    const entry = this.#isMine(id) ? this.#find(id) : undefined
    if (entry === undefined) return
    entry.borrowers?.delete(from)
    if (isCopyGone) {
      entry.copies = entry.copies.filter((node) => node !== from.node)
      if (entry.state.kind === 'elsewhere') this.#holderGone(entry, entry.state, from.node)
    }
    this.#freeIfUnused(entry)
  }

  takeBackAll(from: Life): void {
    for (const entry of this.#entries.all()) if (entry.borrowers?.delete(from)) this.#freeIfUnused(entry)
  }

  /** References that only serve to do a task again: for their sake nothing that is lost is made again before that. */
  forRecipe(ids: readonly ObjectId[], change: 1 | -1): void {
    for (const id of ids) {
      const entry = this.#find(id)
      if (entry === undefined) continue
      entry.recipes += change
      if (change === 1) this.#freeIfUnused(entry)
    }
  }

  isOnlyForRecipes(id: ObjectId): boolean {
    const entry = this.#find(id)
    return entry !== undefined && isOnlyForRecipes(entry)
  }

  /** Its bytes go everywhere, as if all copies were lost: its task makes it again when it is needed. */
  giveUp(id: ObjectId): void {
    const entry = this.#find(id)
    const state = entry?.state
    if (entry === undefined || (state?.kind !== 'here' && state?.kind !== 'elsewhere')) return
    if (!this.#isMine(id) || !this.#options.mayFree(id.owner)) return
    const { attempt, bytes } = state
    const holders = state.kind === 'here' ? entry.copies : state.holders
    entry.state = { kind: 'elsewhere', attempt, bytes, holders: [] }
    entry.copies = []
    for (const holder of holders) this.#options.send(holder, { type: 'object.free', attempt, ids: [id] })
    this.#dropBytes(id)
  }

  standing(id: ObjectId): 'counted' | 'kept' | 'gone' {
    const entry = this.#find(id)
    if (entry === undefined) return 'gone'
    return entry.count > 0 || entry.waiters.length > 0 ? 'counted' : entry.isKept ? 'kept' : 'gone'
  }

  /** Its owner does not know it. */
  unknown(id: ObjectId): void {
    const entry = this.#find(id)
    if (entry?.state.kind === 'pending') this.#settle(entry, { kind: 'failed', error: lost(id) })
  }

  release(id: ObjectId): void {
    const entry = this.#find(id)
    if (entry === undefined || entry.count === 0) return
    entry.count--
    this.#freeIfUnused(entry)
  }

  state(id: ObjectId): ObjectState {
    return this.#find(id)?.state ?? PENDING
  }

  /** True when a reference is left that wants the object's value. */
  isReferenced(id: ObjectId): boolean {
    const entry = this.#find(id)
    return entry !== undefined && isReferenced(entry)
  }

  storeHere(id: ObjectId, attempt: Attempt, value: EncodedValue): void {
    const entry = this.#find(id)
    if (entry === undefined) return
    const former = this.#options.table.get(id)
    if (former !== undefined && compareAttempts(former.attempt, attempt) > 0) return
    for (const inner of value.refs) this.retain(inner)
    this.#options.table.put(id, attempt, value)
    for (const inner of former === undefined ? [] : refsOf(former)) this.release(inner)
    this.#settle(entry, { kind: 'here', attempt, bytes: valueBytes(value) })
  }

  storeElsewhere(id: ObjectId, attempt: Attempt, bytes: number, holders: readonly NodeId[]): void {
    const entry = this.#find(id)
    if (entry !== undefined) this.#settle(entry, { kind: 'elsewhere', attempt, bytes, holders })
    // One of several results of a task that was run again for the sake of another.
    else if (this.#isMine(id))
      for (const holder of holders) this.#options.send(holder, { type: 'object.free', attempt, ids: [id] })
  }

  fail(id: ObjectId, error: WireError): void {
    const entry = this.#find(id)
    if (entry !== undefined) this.#settle(entry, { kind: 'failed', error })
  }

  /** A task is known that makes it: pending, if it was not known before. */
  expect(id: ObjectId): void {
    if (this.#find(id) === undefined) this.#entry(id).state = PENDING
  }

  /** An own object is to be made again: it is pending once more. */
  reopen(id: ObjectId): void {
    const entry = this.#find(id)
    if (entry === undefined) return
    this.#forgetHolders(entry)
    entry.state = PENDING
  }

  /** Another attempt takes an object's place: who has the former one's bytes, reachable or not just now, drops them. */
  #forgetHolders(entry: Entry): void {
    const { id, state, copies } = entry
    if (state.kind !== 'elsewhere' && state.kind !== 'here') return
    for (const holder of state.kind === 'here' ? copies : state.holders)
      this.#options.send(holder, { type: 'object.free', attempt: state.attempt, ids: [id] })
    entry.copies = []
  }

  /** Calls back once, as soon as the object exists or has failed; at once when it does. */
  whenKnown(id: ObjectId, callback: (state: ObjectState) => void): void {
    const entry = this.#entry(id)
    const isLost = this.#isLost(entry)
    if (entry.state.kind !== 'pending' && !isLost) {
      callback(entry.state)
      return
    }
    entry.waiters.push(callback)
    if (isLost) this.#revive(entry)
    else if (!entry.isAsked) this.#ask(entry)
  }

  /** Asks whoever answers for the object; while nobody does, it is asked for when somebody took its ledger over. */
  #ask(entry: Entry): void {
    const answerer = this.#options.answerer(entry.id.owner)
    if (answerer === this.#options.self) return
    entry.isAsked = this.#options.canReach(answerer)
    if (entry.isAsked) this.#options.send(answerer, { type: 'object.want', id: entry.id })
    else this.#options.unanswered(entry.id)
  }

  #isMine(id: ObjectId): boolean {
    return this.#options.answerer(id.owner) === this.#options.self
  }

  /** Calls back once with the bytes, fetching them when they are elsewhere, or with the error. */
  whenHere(id: ObjectId, callback: Fetched): void {
    this.whenKnown(id, (state) => {
      if (state.kind === 'failed') callback(undefined, state.error)
      else if (state.kind === 'here') this.fetches.load(id, callback)
      else if (state.kind === 'elsewhere') this.fetches.fetch(id, state, callback)
    })
  }

  /** Whoever answers for it hears that a copy is here. */
  sayHeld(id: ObjectId, attempt: Attempt): void {
    const answerer = this.#options.answerer(id.owner)
    if (answerer !== this.#options.self) this.#options.send(answerer, { type: 'object.held', id, attempt })
  }

  /** The owner hears of a death when we do, more or less; then it knows of other copies, or makes the object again. */
  #askOwnerAgain(entry: Entry, callback: Fetched): void {
    entry.state = PENDING
    entry.isAsked = true
    this.whenHere(entry.id, callback)
    if (entry.state !== PENDING) return
    this.#options.later(ASK_AGAIN_MS, () => {
      if (entry.state === PENDING && entry.waiters.length > 0) this.#ask(entry)
    })
  }

  /** The object as it goes into a message to another node, with its bytes if they fit into `room`; it must exist. */
  toDependency(id: ObjectId, room: number = LIMITS.inlineValueBytes): Dependency | undefined {
    const state = this.state(id)
    if (state.kind === 'here') {
      const stored = this.#options.table.get(id)
      if (stored === undefined) return undefined
      const { attempt, value } = stored
      // What is on disk is not waited for here: who needs it asks for it.
      if (value !== undefined && messageBytes(value) <= room) return { id, attempt, value: { type: 'inline', value } }
      return { id, attempt, value: { type: 'stored', bytes: state.bytes, holders: [this.#options.self] } }
    }
    if (state.kind !== 'elsewhere') return undefined
    return { id, attempt: state.attempt, value: { type: 'stored', bytes: state.bytes, holders: [...state.holders] } }
  }

  /**
   * What another node says an object is; with `retain` it also counts one reference. Only its owner's word is taken:
   * about another's object the owner is asked when it is needed, and about ours nobody tells us.
   */
  fromDependency(from: NodeId, object: Dependency, retain: boolean): void {
    const entry = retain ? this.#entry(object.id) : this.#find(object.id)
    // An answer that nobody waits for any more.
    if (entry === undefined) return
    if (retain) entry.count++
    if (this.#options.answerer(object.id.owner) !== from) return
    if (entry.state.kind !== 'pending') return
    if (object.value.type === 'inline') this.storeHere(object.id, object.attempt, object.value.value)
    else this.storeElsewhere(object.id, object.attempt, object.value.bytes, object.value.holders)
  }

  /** A copy that this tab has for whoever answers for the object: it stays until that node frees it, or the ledger is over. */
  keepForOwner(id: ObjectId, attempt: Attempt, value: EncodedValue): void {
    this.#entry(id).isKept = true
    this.storeHere(id, attempt, value)
  }

  onWant(from: NodeId, id: ObjectId): void {
    // Who asks us by mistake is told by the gather of whoever does answer.
    if (!this.#isMine(id)) return
    const entry = this.#awaited(id)
    if (entry === undefined) {
      this.#answer(from, id, { kind: 'failed', error: lost(id) })
      return
    }
    const isLost = this.#isLost(entry)
    if (isLost || entry.state.kind === 'pending') (entry.askers ??= new Set()).add(from)
    else this.#answer(from, id, entry.state)
    if (isLost) this.#revive(entry)
  }

  onAnswer(from: NodeId, message: NodeMessage & { type: 'object.answer' }): void {
    const { answer } = message
    const id = answer.type === 'value' ? answer.object.id : answer.id
    if (this.#options.answerer(id.owner) !== from) return
    if (answer.type === 'value') this.fromDependency(from, answer.object, false)
    else this.fail(answer.id, answer.error)
  }

  onHeld(from: NodeId, id: ObjectId, attempt: Attempt): void {
    if (!this.#isMine(id)) return
    const entry = this.#find(id)
    const state = entry?.state
    const hasBytes = state?.kind === 'elsewhere' || state?.kind === 'here'
    // A copy that nobody needs: of what is gone, or of another run.
    if (entry === undefined || !hasBytes || compareAttempts(state.attempt, attempt) !== 0) {
      if (this.#options.knowsAll(id.owner)) this.#options.send(from, { type: 'object.free', attempt, ids: [id] })
      return
    }
    if (state.kind === 'here') {
      if (!entry.copies.includes(from)) entry.copies = [...entry.copies, from]
    } else if (!state.holders.includes(from)) entry.state = { ...state, holders: [...state.holders, from] }
    this.#options.held(id, from)
    this.#freeIfUnused(entry)
  }

  /** Another node's copy is gone. */
  onGone(from: NodeId, id: ObjectId, attempt: Attempt): void {
    const entry = this.#isMine(id) ? this.#find(id) : undefined
    const state = entry?.state
    if (entry === undefined || (state?.kind !== 'here' && state?.kind !== 'elsewhere')) return
    if (compareAttempts(state.attempt, attempt) !== 0) return
    entry.copies = entry.copies.filter((node) => node !== from)
    if (state.kind === 'elsewhere') this.#holderGone(entry, state, from)
    this.#options.copyGone(id)
  }

  /** The disk has lost what was here: another copy takes its place, or it is made again, if somebody needs it. */
  #lostHere(id: ObjectId, attempt: Attempt): void {
    const entry = this.#find(id)
    const state = entry?.state
    if (entry === undefined || state?.kind !== 'here' || compareAttempts(state.attempt, attempt) !== 0) return
    const { copies } = entry
    entry.copies = []
    entry.isKept = false
    if (this.#isMine(id)) {
      entry.state = { ...state, kind: 'elsewhere', holders: [...copies, this.#options.self] }
      this.#dropBytes(id)
      this.#options.copyGone(id)
      this.#lostHolder(entry, this.#options.self)
      return
    }
    entry.state = PENDING
    entry.isAsked = false
    this.#dropBytes(id)
    const answerer = this.#options.answerer(id.owner)
    if (this.#options.canReach(answerer)) this.#options.send(answerer, { type: 'object.gone', id, attempt })
    this.#freeIfUnused(entry)
  }

  /** As `onHeld`, of a run: its copy may have taken the place of an earlier attempt's that this node took it to have. */
  onMade(from: NodeId, id: ObjectId, attempt: Attempt, bytes: number): void {
    const state = this.state(id)
    if (this.#isMine(id) && state.kind === 'elsewhere' && compareAttempts(attempt, state.attempt) > 0)
      this.storeElsewhere(id, attempt, bytes, [from])
    else this.onHeld(from, id, attempt)
  }

  onFree(from: NodeId, ids: readonly ObjectId[], attempt: Attempt | undefined): void {
    for (const id of ids) {
      const entry = this.#find(id)
      if (entry === undefined || this.#options.answerer(id.owner) !== from) continue
      const { state } = entry
      if (attempt !== undefined && state.kind === 'here' && compareAttempts(state.attempt, attempt) !== 0) continue
      entry.isKept = false
      if (entry.count === 0 && entry.waiters.length === 0) this.#drop(id)
    }
  }

  /** What this tab has of a ledger: what it refers to, and whose bytes are here. */
  holdingsOf(owner: NodeId): { readonly refs: number[]; readonly copies: LedgerReport['copies'] } {
    const refs: number[] = []
    const copies: LedgerReport['copies'] = []
    for (const entry of this.#entries.of(owner)) {
      const { number } = entry.id
      if (entry.count > 0 || entry.waiters.length > 0) refs.push(number)
      if (entry.state.kind === 'here') copies.push({ number, attempt: entry.state.attempt, bytes: entry.state.bytes })
    }
    return { refs, copies }
  }

  /** What this tab refers to of a ledger. */
  heldOf(owner: NodeId): ObjectId[] {
    return this.#entries.of(owner).flatMap(({ id, count, waiters }) => (count > 0 || waiters.length > 0 ? [id] : []))
  }

  has(id: ObjectId): boolean {
    return this.#find(id) !== undefined
  }

  countOf(owner: NodeId): number {
    return this.#entries.of(owner).length
  }

  /** Who has the object's bytes, as far as this node knows. */
  holdersOf(id: ObjectId): NodeId[] {
    const entry = this.#find(id)
    if (entry?.state.kind === 'elsewhere') return [...entry.state.holders]
    return entry?.state.kind === 'here' ? [this.#options.self, ...entry.copies] : []
  }

  /** Fetches a copy and keeps it for whoever answers for the object. */
  keepCopy(id: ObjectId, attempt: Attempt, bytes: number, holders: readonly NodeId[]): void {
    const entry = this.#entry(id)
    entry.isKept = true
    if (entry.state.kind === 'pending') entry.state = { kind: 'elsewhere', attempt, bytes, holders }
    if (entry.state.kind === 'here') this.sayHeld(id, attempt)
    else
      this.whenHere(id, (value) => {
        if (value !== undefined) return
        // It went before it could be had.
        entry.isKept = false
        this.#freeIfUnused(entry)
      })
  }

  /** This node takes its own ledger back: where the bytes of its objects are now, and what came of them meanwhile. */
  restore(copies: Reports['copies'], records: ReadonlyMap<number, StoredRecord>): void {
    for (const entry of this.#entries.own()) {
      const { id, state } = entry
      if (state.kind === 'here' || state.kind === 'failed') continue
      const source = sourceOf(id.number, records.get(id.number), { copies, runs: NO_RUNS, actors: NO_ACTORS })
      if (source.kind === 'copies') {
        const { attempt, bytes, holders } = source
        this.#settle(entry, { kind: 'elsewhere', attempt, bytes, holders })
      } else if (source.kind === 'record' && source.record.body.type === 'value')
        this.recoverHere(id, source.record.attempt, source.record.body.value)
      else if (state.kind === 'elsewhere') for (const holder of state.holders) this.#lostHolder(entry, holder)
      // Reported by somebody, freed here long ago: nothing will make it.
      else if (entry.job === undefined) this.#settle(entry, { kind: 'failed', error: lost(id) })
    }
  }

  #lostHolder(entry: Entry, holder: NodeId): void {
    if (entry.state.kind === 'elsewhere') this.#holderGone(entry, entry.state, holder)
  }

  /** Objects of a ledger that somebody holds or waits for, here or elsewhere. */
  neededOf(owner: NodeId): ObjectId[] {
    return this.#entries.of(owner).flatMap((entry) => (isNeeded(entry) ? [entry.id] : []))
  }

  /** The owners of objects that this tab knows, itself left out; `isNeeded`: of what has not failed. */
  owners(isNeeded = false): Set<NodeId> {
    const owners = new Set<NodeId>()
    for (const { id, state } of this.#entries.others()) if (!isNeeded || state.kind !== 'failed') owners.add(id.owner)
    return owners
  }

  /** Another node answers for the ledger from now on: it is asked what its predecessor did not answer. */
  moved(owner: NodeId): void {
    for (const entry of this.#entries.of(owner)) {
      entry.isAsked = false
      if (entry.state.kind === 'pending' && entry.waiters.length > 0) this.#ask(entry)
    }
  }

  /** Copies that were kept for whoever answers for them, and who may have forgotten that they are here. */
  offer(owner: NodeId): void {
    for (const { id, isKept, state } of this.#entries.of(owner))
      if (isKept && state.kind === 'here') this.sayHeld(id, state.attempt)
  }

  /** This node answers for the ledger no more; what it has of it is a copy for whoever does. */
  deposed(owner: NodeId): void {
    for (const entry of this.#entries.of(owner)) {
      entry.borrowers = undefined
      entry.askers = undefined
      // A copy whose bytes an error took the place of is none.
      entry.isKept = entry.state.kind === 'here'
      if (!entry.isKept) this.#freeIfUnused(entry)
    }
  }

  /** What is said of the object in the ledger is said anew: another attempt is under way. */
  toldAnew(id: ObjectId): void {
    this.#options.changed(id, true)
  }

  /** Counts refs that this tab just came to hold of its own accord, where they are owned. */
  adopt(ids: readonly ObjectId[]): void {
    this.#options.adopt(ids)
  }

  /** As `recover`, for bytes that came with the word. */
  recoverHere(id: ObjectId, attempt: Attempt, value: EncodedValue): void {
    this.#entry(id)
    const letGo = this.#options.receiveInside(value.refs, [])
    this.storeHere(id, attempt, value)
    letGo()
  }

  /** Where an object of a ledger that was taken over is, or what stands in its place. */
  recover(id: ObjectId, state: ObjectState): void {
    const entry = this.#entry(id)
    if (entry.state.kind === 'here' && state.kind === 'elsewhere') {
      if (compareAttempts(entry.state.attempt, state.attempt) === 0) {
        entry.copies = state.holders
        this.#settle(entry, entry.state)
        return
      }
    }
    this.#settle(entry, state)
  }

  /** What somebody reported and let go before all reports were in: nobody holds it, and nothing will make it. */
  dropPending(owner: NodeId, isUnderWay: (number: number) => boolean): void {
    for (const entry of this.#entries.of(owner)) {
      const { id, state } = entry
      if (state.kind === 'pending' && !isNeeded(entry) && !isUnderWay(id.number)) this.#drop(id)
    }
  }

  /** All of them are asked what they hold, and nothing is freed before they have said it. */
  recount(owner: NodeId, lives: ReadonlySet<Life>): void {
    for (const { borrowers } of this.#entries.of(owner))
      for (const life of borrowers ?? []) if (lives.has(life)) borrowers?.delete(life)
  }

  /** What was kept for an owner that might have come back. */
  freeUnusedOf(owner: NodeId): void {
    for (const entry of this.#entries.of(owner)) this.#freeIfUnused(entry)
  }

  /** Nobody will ever answer for the ledger again. */
  ledgerOver(owner: NodeId): void {
    for (const entry of this.#entries.of(owner)) {
      entry.isKept = false
      if (entry.state.kind === 'pending') this.#settle(entry, { kind: 'failed', error: ownerDied(entry.id) })
      if (entry.count === 0 && entry.waiters.length === 0 && this.#find(entry.id) === entry) this.#drop(entry.id)
    }
  }

  /** A job is over: nobody asks any more for what its tasks owned here, whoever still counts a reference to it. */
  jobGone(driver: NodeId): void {
    for (const entry of this.#entries.own()) {
      if (entry.job?.driver !== driver) continue
      entry.count = 0
      entry.borrowers = undefined
      if (entry.state.kind === 'pending') {
        const error = ownerDied({ ...entry.id, owner: driver })
        this.told(error)
        this.#settle(entry, { kind: 'failed', error })
      }
      if (this.#find(entry.id) === entry) this.#freeIfUnused(entry)
    }
  }

  /** A node died: it holds nothing any more. Who answers for what it owned, or had taken over, is decided elsewhere. */
  nodeGone(node: NodeId): void {
    for (const entry of this.#entries.all()) {
      entry.askers?.delete(node)
      entry.copies = entry.copies.filter((holder) => holder !== node)
      if (entry.state.kind === 'elsewhere') this.#holderGone(entry, entry.state, node)
      this.#freeIfUnused(entry)
    }
  }

  #holderGone(entry: Entry, state: ObjectState & { kind: 'elsewhere' }, node: NodeId): void {
    if (!state.holders.includes(node)) return
    const holders = state.holders.filter((holder) => holder !== node)
    entry.state = { ...state, holders }
    if (holders.length > 0) return
    if (this.#isMine(entry.id)) {
      // What only recipes need is made again when one of them is used, which may be never.
      if (!isOnlyForRecipes(entry)) this.#makeAgain(entry)
    } else {
      // Whoever answers for it knows of other copies, or makes it again.
      entry.state = PENDING
      entry.isAsked = false
    }
  }

  #makeAgain(entry: Entry): void {
    if (this.#options.rebuild(entry.id)) return
    this.#settle(entry, { kind: 'failed', error: this.#notRebuilt(entry.id) })
  }

  /** All copies are gone, and nobody has needed it since. */
  #isLost({ id, state }: Entry): boolean {
    return state.kind === 'elsewhere' && state.holders.length === 0 && this.#isMine(id)
  }

  #revive(entry: Entry): void {
    entry.state = PENDING
    if (this.#asked.push(entry) > 1) return
    // It grows: the task that makes one asks for its arguments.
    for (const each of this.#asked) this.#makeAgain(each)
    this.#asked = []
  }

  #notRebuilt(id: ObjectId): WireError {
    const reason = this.#isMine(id) ? this.#options.whyNotRebuilt(id) : undefined
    if (reason === undefined) return lost(id)
    return notRebuilt(id, reason)
  }

  #settle(entry: Entry, state: ObjectState): void {
    const former = entry.state
    const isOther =
      (former.kind === 'elsewhere' || former.kind === 'here') &&
      (state.kind === 'here' || state.kind === 'elsewhere') &&
      compareAttempts(former.attempt, state.attempt) !== 0
    if (isOther && this.#isMine(entry.id)) this.#forgetHolders(entry)
    if (isOther && state.kind === 'elsewhere') this.#dropBytes(entry.id)
    // Whoever had it has it still.
    if (former.kind === 'elsewhere' && state.kind === 'here' && !isOther) entry.copies = former.holders
    entry.state = state
    const { waiters, askers } = entry
    entry.waiters = []
    entry.askers = undefined
    for (const node of askers ?? []) this.#answer(node, entry.id, state)
    for (const waiter of waiters) waiter(state)
    if (this.#isMine(entry.id)) this.#options.changed(entry.id)
    this.#freeIfUnused(entry)
  }

  #answer(to: NodeId, id: ObjectId, state: ObjectState): void {
    if (state.kind === 'failed') {
      this.told(state.error)
      this.#options.send(to, { type: 'object.answer', answer: { type: 'failed', id, error: state.error }, handOver: 0 })
      return
    }
    const object = this.toDependency(id)
    const answer = object ? ({ type: 'value', object } as const) : ({ type: 'failed', id, error: lost(id) } as const)
    this.#options.send(to, { type: 'object.answer', answer, handOver: 0 })
  }

  #entry(id: ObjectId): Entry {
    const known = this.#find(id)
    if (known !== undefined) return known
    const entry = newEntry(id, 0)
    // A ref to an object of ours that is gone already: it can only have been released everywhere.
    if (this.#options.knowsAll(id.owner)) entry.state = { kind: 'failed', error: lost(id) }
    this.#entries.add(entry)
    return entry
  }

  /**
   * Until all reports about a ledger are in, whatever is asked about may turn out to exist. Afterwards it may be something
   * that only a record of another ledger led to, which was taken over later.
   */
  #awaited(id: ObjectId): Entry | undefined {
    const known = this.#find(id)
    if (known !== undefined) return known
    if (!this.#options.knowsAll(id.owner)) return this.#entry(id)
    this.#options.recoverRecorded(id)
    return this.#find(id)
  }

  #find(id: ObjectId): Entry | undefined {
    return this.#entries.find(id)
  }

  #freeIfUnused(entry: Entry): void {
    const { id, state } = entry
    if (isOnlyForRecipes(entry) && this.#isMine(id)) this.#options.idle(id)
    if (isReferenced(entry) || entry.waiters.length > 0 || this.#find(id) !== entry) return
    if (!this.#isMine(id)) {
      const isCopyGone = state.kind === 'here' && !entry.isKept
      if (!entry.isKept) this.#drop(id)
      this.#options.dropped(id, isCopyGone)
      return
    }
    if (state.kind === 'pending' || !this.#options.mayFree(id.owner)) return
    for (const holder of new Set([...entry.copies, ...(state.kind === 'elsewhere' ? state.holders : [])]))
      this.#options.send(holder, { type: 'object.free', attempt: undefined, ids: [id] })
    this.#drop(id)
    this.#options.freed(id)
    this.#options.changed(id)
  }

  #tellUnfetched({ id, job, state }: Entry): void {
    if (state.kind !== 'failed' || this.#told.has(state.error)) return
    this.#told.add(state.error)
    this.#options.unfetched(id, state.error, job)
  }

  #drop(id: ObjectId): void {
    const entry = this.#find(id)
    this.#entries.delete(id)
    if (entry !== undefined && id.owner === this.#options.self) this.#tellUnfetched(entry)
    this.#dropBytes(id)
  }

  #dropBytes(id: ObjectId): void {
    const stored = this.#options.table.get(id)
    this.#options.table.delete(id)
    for (const inner of stored === undefined ? [] : refsOf(stored)) this.release(inner)
  }
}

const NO_RUNS: Reports['runs'] = new Map()
const NO_ACTORS: Reports['actors'] = new Map()

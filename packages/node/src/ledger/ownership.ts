// Long because what a take-over means for objects and tasks is decided here, each case beside the others.
import type { Log } from '@shoal/base'
import { RecordStore, sourceOf } from '@shoal/control-store'
import type { Reports, StoredRecord } from '@shoal/control-store'
import { formatJobId, LIMITS, messageBytes } from '@shoal/protocol'
import type {
  EncodedValue,
  FunctionHash,
  JobId,
  LedgerRecords,
  LedgerReport,
  LedgerTemplate,
  NodeId,
  NodeMessage,
  ObjectId,
} from '@shoal/protocol'
import type { CodeEntry, CodeGrant, CodeStore } from '../code-store.ts'
import type { Guests } from '../guests.ts'
import { ownerDied } from '../loss-errors.ts'
import type { LedgerStatus, NodeGuards } from '../node-options.ts'
import type { Objects } from '../objects.ts'
import type { OwnTasks, OwnTemplate } from '../own-tasks.ts'
import type { References } from '../references.ts'
import { LedgerLog } from './ledger-log.ts'
import type { Described } from './ledger-log.ts'
import { Ledgers } from './ledgers.ts'
import type { LedgerView } from './ledgers.ts'

export interface OwnershipOptions {
  readonly self: NodeId
  readonly guards?: Partial<NodeGuards> | undefined
  readonly log: Log
  readonly graceMs: number
  readonly codes: CodeStore
  readonly objects: Objects
  readonly references: References
  readonly guests: Guests
  /** The tasks of this node's own ledger. */
  readonly tasks: OwnTasks
  /** Code of a task that was taken over: see `CodeStore.granted`. */
  granted(job: JobId, hash: FunctionHash, grant: CodeGrant): CodeEntry
  /** A table for the tasks of a ledger that is taken over. */
  newTasks(owner: NodeId): OwnTasks
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  actorsOf(owner: NodeId): LedgerReport['actors']
  actorOwners(): Iterable<NodeId>
  adoptActor(id: ObjectId, node: NodeId): void
  actorsMoved(owner: NodeId): void
  /** This node takes its own ledger back: these of its calls are still under way. */
  restoreCalls(runs: Reports['runs']): void
  actorsTaken(owner: NodeId): void
  ledgerOver(owner: NodeId): void
  valueOf(id: ObjectId): EncodedValue | undefined
  send(to: NodeId, message: NodeMessage): void
  alive(): readonly NodeId[]
  isAlive(node: NodeId): boolean
  deviceOf(node: NodeId): string | undefined
  later(delayMs: number, callback: () => void): void
}

/** Records of what is held no more go that long after. */
const SWEEP_MS = 1_000

/**
 * Ledgers as this node sees them: writes the records of those it answers for, keeps those of others, and turns a take-over
 * into objects and tasks. Nothing here is asked of for what never leaves its tab.
 */
export class Ownership {
  readonly ledgers: Ledgers
  readonly #options: OwnershipOptions
  readonly #records = new RecordStore()
  readonly #log: LedgerLog
  readonly #taken = new Map<NodeId, OwnTasks>()
  readonly #templates = new Map<string, OwnTemplate>()
  readonly #sweeping = new Set<NodeId>()
  /** Taken ledgers of which an object went. */
  readonly #ending = new Set<NodeId>()
  /** Objects whose ledger nobody may answer for, as far as this node knows; looked at once more after a while. */
  readonly #waiting = new Set<NodeId>()

  constructor(options: OwnershipOptions) {
    this.#options = options
    const { self, log, graceMs, objects, guests, references, send, alive, isAlive, deviceOf, later } = options
    this.ledgers = new Ledgers({
      self,
      gathers: options.guards?.gathers ?? true,
      log,
      graceMs,
      sha256: (bytes) => options.sha256(bytes),
      records: this.#records,
      send,
      alive,
      isAlive,
      deviceOf,
      later,
      holdings: (owner) => ({
        ...objects.holdingsOf(owner),
        runs: guests.runsOf(owner).map(({ number, attempt }) => ({ number, attempt })),
        actors: options.actorsOf(owner),
      }),
      owners: () => new Set([...objects.owners(), ...guests.owners(), ...options.actorOwners()]),
      sendRecords: (to, owner) => this.#log.sendAll(to, owner),
      moved: (owner) => {
        references.moved(owner, objects.heldOf(owner))
        objects.moved(owner)
        guests.moved(owner)
        options.actorsMoved(owner)
      },
      reported: (owner) => references.reported(owner),
      deposed: (owner) => this.#deposed(owner),
      listed: (owner) => this.dropped({ owner, number: 0 }),
      counts: (owner, node, report) =>
        references.reportedBy(
          node,
          report.refs.map((number) => ({ owner, number })),
        ),
      lateCopies: (owner, node, copies) => {
        for (const { number, attempt } of copies) objects.onHeld(node, { owner, number }, attempt)
      },
      takenOver: (owner, reports) => this.#takenOver(owner, reports),
      drawn: (owner, successors, isNewEpoch) => this.#log.drawn(owner, successors, isNewEpoch),
      graceEnded: (owner) => this.#graceEnded(owner),
      over: (owner) => this.#over(owner),
    })
    this.#log = new LedgerLog({
      self,
      rides: options.guards?.rides ?? true,
      records: this.#records,
      send,
      later,
      isMine: (owner) => this.ledgers.isMine(owner),
      successorsOf: (owner) => this.ledgers.viewOf(owner).successors.filter((node) => isAlive(node)),
      open: (owner) => this.ledgers.open(owner),
      tell: (to, owner) => this.ledgers.tell(to, owner),
      describe: (id) => this.#describe(id),
      copyElsewhere: (id, bytes) => this.#copyElsewhere(id, bytes),
    })
  }

  /** Records that this node keeps for other ledgers. */
  get replicaCount(): number {
    return this.#records.count
  }

  status(): LedgerStatus[] {
    return this.ledgers.views(new Set(this.#records.owners())).map(({ owner, epoch, successors }) => ({
      owner,
      answeredBy: epoch.minter,
      epoch: epoch.number,
      successors: [...successors],
      records: this.ledgers.isMine(owner) ? this.#log.exportedOf(owner) : this.#records.of(owner).size,
    }))
  }

  /** Tasks of ledgers that were taken over, and their recipes. */
  counts(): { readonly pending: number; readonly recipes: number } {
    let [pending, recipes] = [0, 0]
    for (const tasks of this.#taken.values()) {
      pending += tasks.pendingCount
      recipes += tasks.lineageCount
    }
    return { pending, recipes }
  }

  /** Successors that would know of an object if this node went. */
  safeAt(id: ObjectId): NodeId[] {
    return this.#log.safeAt(id)
  }

  views(): LedgerView[] {
    return this.ledgers.views(this.#options.objects.owners(true))
  }

  tasksOf(owner: NodeId): OwnTasks | undefined {
    return owner === this.#options.self ? this.#options.tasks : this.#taken.get(owner)
  }

  allTasks(): OwnTasks[] {
    return [this.#options.tasks, ...this.#taken.values()]
  }

  /** See `LedgerLog.expose`. */
  expose(to: NodeId, ids: readonly ObjectId[]): void {
    if (ids.length > 0) this.#log.expose(to, ids)
  }

  /** This tab's page keeps these for the time after its reload: whoever answers then shall know of them. */
  keep(ids: readonly ObjectId[]): void {
    this.ledgers.open(this.#options.self)
    for (const { owner, number } of ids) this.#log.keep(owner, [number])
  }

  /**
   * Somebody asks for an object of a ledger that was taken over before anybody said that it was needed: a driver whose page
   * was reloaded, or who took over another ledger later, of which a record has the ref. Its own record tells.
   */
  recoverRecorded(id: ObjectId): void {
    const { owner, number } = id
    const tasks = this.#taken.get(owner)
    if (tasks === undefined || this.#records.get(owner, number) === undefined) return
    const runs = new Map(tasks.looseRuns().map(([of, node, attempt]) => [of, [{ node, attempt }]]))
    this.#recover(owner, number, { copies: new Map(), runs, actors: new Map() }, new Set())
    this.#log.adopt(owner, [number])
  }

  changed(id: ObjectId, isUrgent = false): void {
    this.#log.changed(id, isUrgent)
    const { owner } = id
    if (owner === this.#options.self || !this.#taken.has(owner) || this.#ending.has(owner)) return
    if (this.#options.objects.has(id)) return
    // It may have been the last one; many may go at once.
    this.#ending.add(owner)
    this.#options.later(0, () => {
      this.#ending.delete(owner)
      this.ledgers.freed(owner)
    })
  }

  /** This tab has let an object go that another node answers for: its record may go, too. */
  dropped({ owner }: ObjectId): void {
    if (this.#sweeping.has(owner) || this.#records.of(owner).size === 0) return
    this.#sweeping.add(owner)
    this.#options.later(SWEEP_MS, () => {
      this.#sweeping.delete(owner)
      this.#sweep(owner, true)
    })
  }

  /** Somebody here waits for an object of a ledger whose answerer cannot be reached. */
  unanswered(owner: NodeId, waitMs: number): void {
    if (this.#waiting.has(owner)) return
    this.#waiting.add(owner)
    this.#options.later(waitMs, () => {
      this.#waiting.delete(owner)
      this.ledgers.takeIfGone(owner)
    })
  }

  /** `isBack`: what either side said under an older session may be lost, or this tab knew of refs before it knew anybody. */
  peerAlive(node: NodeId, isBack: boolean): void {
    const { objects, references } = this.#options
    this.ledgers.peerAlive(node)
    if (isBack)
      for (const owner of objects.owners())
        if (this.ledgers.answerer(owner) === node) {
          references.registerAnew(owner, objects.heldOf(owner))
          objects.moved(owner)
          objects.offer(owner)
        }
    references.peerAlive(node)
  }

  peerGone(node: NodeId): void {
    this.#log.peerGone(node)
    for (const tasks of this.#taken.values()) tasks.nodeGone(node)
    this.ledgers.peerGone(node)
  }

  onMessage(from: NodeId, message: NodeMessage): boolean {
    if (this.ledgers.onMessage(from, message)) return true
    switch (message.type) {
      case 'ledger.records':
        this.#onRecords(from, message)
        return true
      case 'ledger.acknowledged':
        this.#log.onAcknowledged(from, message.owner, message.number)
        return true
      case 'ledger.copy':
        this.#onCopy(from, message)
        return true
      default:
        return false
    }
  }

  /** All copies of an object of a taken ledger are gone: its record may know how to make it again. */
  rebuild(id: ObjectId): boolean {
    return this.tasksOf(id.owner)?.rebuild(id) ?? false
  }

  /** The room was left: nobody can be asked for what others owned. */
  clear(): void {
    this.#log.clear()
    this.ledgers.clear()
    this.#records.clear()
    for (const owner of [...this.#taken.keys()]) this.#deposed(owner)
  }

  #describe(id: ObjectId): Described | 'gone' | undefined {
    const { objects, valueOf } = this.#options
    const { number } = id
    if (!objects.has(id)) return 'gone'
    const state = objects.state(id)
    const task = (): Described | undefined => {
      const spec = this.tasksOf(id.owner)?.specOf(number)
      if (spec === undefined) return undefined
      const { attempt, body, template } = spec
      const inner = [...body.dependencies.map((dependency) => dependency.id), ...body.args.refs]
      return { record: { number, attempt, body }, template, inner }
    }
    switch (state.kind) {
      case 'failed':
        return {
          record: { number, attempt: LATEST, body: { type: 'failed', error: state.error } },
          template: undefined,
          inner: [],
        }
      case 'here': {
        const value = valueOf(id)
        if (value === undefined) return undefined
        const { attempt, bytes } = state
        if (messageBytes(value) <= LIMITS.inlineValueBytes)
          return { record: { number, attempt, body: { type: 'value', value } }, template: undefined, inner: value.refs }
        return (
          task() ?? {
            record: { number, attempt, body: { type: 'stored', bytes } },
            template: undefined,
            inner: value.refs,
          }
        )
      }
      case 'elsewhere': {
        const { attempt, bytes } = state
        return (
          task() ?? { record: { number, attempt, body: { type: 'stored', bytes } }, template: undefined, inner: [] }
        )
      }
      case 'pending':
        return task()
    }
  }

  /** Bytes that are here alone, and that no task makes again, are asked to be kept by a successor too. */
  #copyElsewhere(id: ObjectId, bytes: number): void {
    const { objects, self, send, isAlive } = this.#options
    const state = objects.state(id)
    if (!this.ledgers.isMine(id.owner) || (state.kind !== 'here' && state.kind !== 'elsewhere')) return
    const holders = objects.holdersOf(id)
    if (holders.length > 1) return
    const [successor] = this.ledgers
      .viewOf(id.owner)
      .successors.filter((node) => isAlive(node) && !holders.includes(node))
    if (successor === undefined) return
    send(successor, {
      type: 'ledger.copy',
      id,
      attempt: state.attempt,
      bytes,
      holders: holders.length > 0 ? holders : [self],
    })
  }

  #onCopy(from: NodeId, { id, attempt, bytes, holders }: NodeMessage & { type: 'ledger.copy' }): void {
    const { objects } = this.#options
    if (this.ledgers.answerer(id.owner) !== from) return
    objects.keepCopy(id, attempt, bytes, holders)
  }

  #onRecords(from: NodeId, message: LedgerRecords): void {
    const { owner, number, templates } = message
    const { self } = this.#options
    // What others still have of this node's own ledger tells it nothing once it has compared.
    if (owner === self && this.ledgers.knowsAll(owner)) return
    const hasRoom = this.#records.take(message, this.ledgers.answerer(owner) === from)
    if (!hasRoom) this.#options.log.warn('no room for records', { owner, from })
    // Whoever may have to run it again has the code before the only other tab that has it is gone.
    for (const { fn } of templates) this.#options.codes.byHash(fn, from)
    if (number > 0 && hasRoom) this.#options.send(from, { type: 'ledger.acknowledged', owner, number })
    this.#sweep(owner, false)
    // The ref that it came with may be gone by the time it is here.
    this.dropped({ owner, number: 0 })
  }

  #sweep(owner: NodeId, isForced: boolean): void {
    const { self, objects } = this.#options
    const view = this.ledgers.viewOf(owner)
    if (this.ledgers.isMine(owner)) return
    // Whoever answers tells its successors what is gone, but of nothing that others passed on to them after that.
    const isSuccessor = view.successors.includes(self)
    const isNeeded = (number: number): boolean =>
      // Whoever only keeps a copy says so when asked, and needs no record for that.
      objects.standing({ owner, number }) === 'counted' || (isSuccessor && this.#records.isTold(owner, number))
    this.#records.sweep(owner, isNeeded, isForced)
  }

  #takenOver(owner: NodeId, reports: Reports): void {
    const { self, objects, tasks } = this.#options
    if (owner === self) {
      objects.restore(reports.copies, this.#records.of(owner))
      tasks.takeBack(reports.runs)
      this.#options.restoreCalls(reports.runs)
      this.#records.drop(owner)
      this.#countCopies(owner, reports)
      objects.freeUnusedOf(owner)
    } else {
      const own = this.#options.newTasks(owner)
      this.#taken.set(owner, own)
      const done = new Set<number>()
      for (const { number } of objects.neededOf(owner)) this.#recover(owner, number, reports, done)
      // What nobody holds is kept for the owner's sake, and may be freed after.
      for (const [number, runs] of reports.runs)
        if (!own.has(number)) for (const { node, attempt } of runs) own.adoptRun(number, node, attempt)
      for (const number of reports.copies.keys()) this.#recover(owner, number, reports, done)
      objects.dropPending(owner, (number) => own.has(number))
      // Also of what a record told: whoever has a copy keeps it until it is told to let go.
      this.#countCopies(owner, reports)
    }
    for (const [node, list] of reports.actors)
      for (const number of list) this.#options.adoptActor({ owner, number }, node)
    this.#options.actorsTaken(owner)
    this.#log.adopt(
      owner,
      objects.neededOf(owner).map(({ number }) => number),
    )
  }

  #countCopies(owner: NodeId, { copies }: Reports): void {
    const { self, objects } = this.#options
    for (const [number, list] of copies)
      for (const { node, attempt } of list) if (node !== self) objects.onHeld(node, { owner, number }, attempt)
  }

  /** Gives an object of a ledger that was taken over its place again, and everything that it needs. */
  #recover(owner: NodeId, number: number, reports: Reports, done: Set<number>): void {
    if (done.has(number)) return
    done.add(number)
    const { objects, self } = this.#options
    const tasks = this.#taken.get(owner)
    const id = { owner, number }
    const stored = this.#records.get(owner, number)
    const source = sourceOf(number, stored, reports)
    const body = stored?.record.body
    switch (source.kind) {
      case 'copies': {
        const { attempt, bytes } = source
        const holders = source.holders.filter((node) => node !== self)
        objects.recover(id, { kind: 'elsewhere', attempt, bytes, holders })
        return
      }
      case 'record':
        if (source.record.body.type === 'value')
          objects.recoverHere(id, source.record.attempt, source.record.body.value)
        else if (source.record.body.type === 'failed')
          objects.recover(id, { kind: 'failed', error: source.record.body.error })
        return
      case 'run': {
        const { node, attempt } = source.run
        if (body?.type === 'task' && stored !== undefined) this.#adopt(owner, stored, attempt, node, reports, done)
        else tasks?.adoptRun(number, node, attempt)
        return
      }
      case 'task':
        if (stored !== undefined) this.#adopt(owner, stored, stored.record.attempt, undefined, reports, done)
        return
      case 'lost':
        objects.recover(id, { kind: 'failed', error: ownerDied(id) })
    }
  }

  #adopt(
    owner: NodeId,
    { record, template }: StoredRecord,
    attempt: StoredRecord['record']['attempt'],
    at: NodeId | undefined,
    reports: Reports,
    done: Set<number>,
  ): void {
    const { body } = record
    if (body.type !== 'task' || template === undefined) return
    for (const { id } of body.dependencies) if (id.owner === owner) this.#recover(owner, id.number, reports, done)
    for (const id of body.args.refs) if (id.owner === owner) this.#recover(owner, id.number, reports, done)
    this.#taken.get(owner)?.adopt(body, attempt, this.#templateOf(template), template.job, at)
  }

  /** One a function and set of options, however many records have it. */
  #templateOf(template: LedgerTemplate): OwnTemplate {
    const { shape, job, fn, submitter, signature, ...rest } = template
    const key = JSON.stringify([shape, job, fn, rest, String(rest.maxRetries)])
    const known = this.#templates.get(key)
    if (known !== undefined) return known
    const made: OwnTemplate = {
      definition: { ...rest, template: 0, code: 0, resources: shape.resources, strategy: shape.strategy },
      code: this.#options.granted(job, fn, { submitter, signature }),
      key: `taken ${fn} ${this.#templates.size} ${formatJobId(job)}`,
      jobs: new Map(),
    }
    this.#templates.set(key, made)
    return made
  }

  #deposed(owner: NodeId): void {
    this.#taken.get(owner)?.abandon()
    this.#taken.delete(owner)
    this.#log.drop(owner)
    this.#options.objects.deposed(owner)
  }

  #graceEnded(owner: NodeId): boolean {
    const { objects, send } = this.#options
    const tasks = this.#taken.get(owner)
    if (tasks === undefined) return true
    // Of a job that goes on, runs go on whose refs were not kept.
    for (const [number, node, attempt] of this.ledgers.isHeirOf(owner) ? [] : tasks.looseRuns())
      if (!objects.isReferenced({ owner, number })) {
        tasks.forgetRun(number)
        send(node, { type: 'ledger.end', owner, number, attempt })
      }
    objects.freeUnusedOf(owner)
    return objects.countOf(owner) === 0 && tasks.pendingCount === 0
  }

  #over(owner: NodeId): void {
    this.#taken.get(owner)?.abandon()
    this.#taken.delete(owner)
    this.#log.drop(owner)
    this.#records.drop(owner)
    this.#options.guests.ledgerOver(owner)
    this.#options.objects.ledgerOver(owner)
    this.#options.references.ledgerOver(owner)
    this.#options.ledgerOver(owner)
  }
}

/** An error stands behind every attempt: the task is not run again. */
const LATEST = { epoch: 2 ** 40, number: 0 }

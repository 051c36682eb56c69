// Long because what a take-over means for objects and tasks is decided here, each case beside the others.
import type { Log } from '@shoal/base'
import { RecordStore, recordRefs, sourceOf } from '@shoal/control-store'
import type { Reports, StoredRecord } from '@shoal/control-store'
import { refsOf } from '@shoal/object-store'
import type { Stored } from '@shoal/object-store'
import { formatJobId, LIMITS, messageBytes } from '@shoal/protocol'
import type { FunctionHash, JobId, LedgerRecords, LedgerTemplate, NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import type { Actors } from '../actors/actors.ts'
import type { CodeEntry, CodeGrant, CodeStore } from '../code-store.ts'
import type { Guests } from '../guests.ts'
import { ownerDied } from '../loss-errors.ts'
import type { LedgerStatus, NodeGuards } from '../node-options.ts'
import type { Objects } from '../objects.ts'
import type { OwnTemplate } from '../own-task.ts'
import type { OwnTasks } from '../own-tasks.ts'
import type { Outbox } from '../outbox.ts'
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
  /** Where a job's actors are found by name, as its records say. */
  namespace(job: JobId, namespace: string): void
  readonly actors: Actors
  /** Another node answers for the ledger. */
  moved(owner: NodeId): void
  /** Nobody does any more. */
  ledgerOver(owner: NodeId): void
  storedOf(id: ObjectId): Stored | undefined
  readonly outbox: Outbox
  send(to: NodeId, message: NodeMessage): void
  alive(): readonly NodeId[]
  isAlive(node: NodeId): boolean
  deviceOf(node: NodeId): string | undefined
  later(delayMs: number, callback: () => void): void
}

/** A task that a record tells of. */
interface Recovered {
  readonly needs: readonly ObjectId[]
  adopt(): void
}

const NO_REPORTS: Reports = { copies: new Map(), runs: new Map(), actors: new Map() }

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
        actors: options.actors.hostedOf(owner),
      }),
      owners: () => new Set([...objects.owners(), ...guests.owners(), ...options.actors.owners()]),
      sendRecords: (to, owner) => this.#log.sendAll(to, owner),
      moved: (owner) => {
        references.moved(owner, objects.heldOf(owner))
        objects.moved(owner)
        guests.moved(owner)
        options.actors.moved(owner)
        options.moved(owner)
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
      isUnchecked: (id) => this.#isUnchecked(id),
      outbox: options.outbox,
      copyElsewhere: (id) => this.#copyElsewhere(id),
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

  /** Whether a successor would know all of an object if this node went, or there is none. */
  isRecorded(id: ObjectId): boolean {
    return this.safeAt(id).length > 0 || this.#successorsBeside(id.owner, []).length === 0
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
    this.#recover(owner, number, { ...NO_REPORTS, runs }, new Set(), true)
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
    for (const tasks of this.allTasks()) tasks.look()
  }

  peerGone(node: NodeId): void {
    this.#log.peerGone(node)
    for (const tasks of this.#taken.values()) tasks.nodeGone(node)
    this.ledgers.peerGone(node)
    this.#options.actors.recorded()
  }

  onMessage(from: NodeId, message: NodeMessage): boolean {
    if (this.ledgers.onMessage(from, message)) return true
    switch (message.type) {
      case 'ledger.records':
        this.#onRecords(from, message)
        return true
      case 'ledger.acknowledged':
        this.#log.onAcknowledged(from, message.owner, message.number)
        this.#options.actors.recorded()
        return true
      case 'ledger.copy':
        this.#onCopy(from, message)
        return true
      default:
        return false
    }
  }

  /**
   * All copies of an object that this node answers for are gone. Where it had copies when its ledger was taken over, its
   * task is known from its record alone.
   */
  rebuild(id: ObjectId): boolean {
    const { owner, number } = id
    if (this.tasksOf(owner)?.rebuild(id) === true) return true
    const tasks = this.#taken.get(owner)
    const body = this.#records.get(owner, number)?.record.body
    if (tasks === undefined || body?.type !== 'task' || body.retriesLeft <= 0 || tasks.hasAdopted(body.task))
      return false
    this.#options.objects.reopen(id)
    this.#recover(owner, number, NO_REPORTS, new Set(), true)
    return true
  }

  /** The room was left: nobody can be asked for what others owned. */
  clear(): void {
    this.#log.clear()
    this.ledgers.clear()
    this.#records.clear()
    for (const owner of [...this.#taken.keys()]) this.#deposed(owner)
  }

  #describe(id: ObjectId): Described | 'gone' | undefined {
    const { objects, storedOf } = this.#options
    const { number } = id
    // One that is detached lives on without a ref.
    if (this.#options.actors.specOf(id) !== undefined) return this.#describeActor(id)
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
        const stored = storedOf(id)
        if (stored === undefined) return undefined
        const { attempt, bytes } = state
        const { value } = stored
        // What was spilled is told of like what is large: nothing waits for the disk here.
        if (value !== undefined && messageBytes(value) <= LIMITS.inlineValueBytes)
          return { record: { number, attempt, body: { type: 'value', value } }, template: undefined, inner: value.refs }
        return (
          task() ?? {
            record: { number, attempt, body: { type: 'stored', bytes } },
            template: undefined,
            inner: refsOf(stored),
          }
        )
      }
      case 'elsewhere': {
        const { attempt, bytes } = state
        return (
          task() ?? { record: { number, attempt, body: { type: 'stored', bytes } }, template: undefined, inner: [] }
        )
      }
      case 'pending': {
        const cancelled = this.tasksOf(id.owner)?.cancellationOf(number)
        if (cancelled === undefined) return task()
        const { attempt, error } = cancelled
        return { record: { number, attempt, body: { type: 'failed', error } }, template: undefined, inner: [] }
      }
    }
  }

  #isUnchecked(id: ObjectId): boolean {
    const actor = this.#options.actors.specOf(id)
    if (actor !== undefined) return this.#options.tasks.isUnchecked(actor.spec.template, actor.spec.job)
    return this.tasksOf(id.owner)?.isUncheckedTask(id.number) === true
  }

  #describeActor(id: ObjectId): Described | undefined {
    const found = this.#options.actors.specOf(id)
    if (found === undefined) return undefined
    const { attempt, body, spec } = found
    // Not at once: what is described is being written just now.
    const later = (): void => this.#options.later(0, () => this.changed(id))
    const template = this.#options.tasks.ledgerTemplateOf(spec.template, spec.job, later)
    if (template === undefined) return undefined
    const record = { number: id.number, attempt, body }
    return { record, template, inner: recordRefs(record) }
  }

  /** Bytes that are in one tab alone, and that no task makes again, are asked to be kept by a successor too. */
  #copyElsewhere(id: ObjectId): void {
    if (!this.ledgers.isMine(id.owner)) return
    const holders = this.#options.objects.holdersOf(id)
    const [successor] = this.#successorsBeside(id.owner, holders)
    if (holders.length === 1 && successor !== undefined) this.#sendCopy(successor, id)
  }

  /** See `PinnedCopies`: a successor, one of another device before others; without one this tab itself. */
  askForCopy(id: ObjectId, places: readonly NodeId[]): NodeId | undefined {
    const { self, deviceOf } = this.#options
    this.ledgers.open(id.owner)
    const devices = new Set(places.map(deviceOf))
    const free = this.#successorsBeside(id.owner, places)
    if (!places.includes(self)) free.push(self)
    const isElsewhere = (node: NodeId): boolean => deviceOf(node) !== undefined && !devices.has(deviceOf(node))
    const node = free.find(isElsewhere) ?? free[0]
    if (node !== undefined && node !== self) this.#sendCopy(node, id)
    return node
  }

  #successorsBeside(owner: NodeId, places: readonly NodeId[]): NodeId[] {
    const { successors } = this.ledgers.viewOf(owner)
    return successors.filter((node) => this.#options.isAlive(node) && !places.includes(node))
  }

  #sendCopy(to: NodeId, id: ObjectId): void {
    const { objects, send } = this.#options
    const state = objects.state(id)
    if (state.kind !== 'here' && state.kind !== 'elsewhere') return
    const { attempt, bytes } = state
    send(to, { type: 'ledger.copy', id, attempt, bytes, holders: objects.holdersOf(id) })
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
    const isAnswerers = this.ledgers.answerer(owner) === from
    const hasRoom = this.#records.take(message, isAnswerers)
    if (!hasRoom) this.#options.log.warn('no room for records', { owner, from })
    // Whoever may have to run it again has the code before the only other tab that has it is gone.
    for (const { fn } of templates) this.#options.codes.byHash(fn, from)
    // What somebody tells who answers no more, and has not heard so, is in no report of ours to whoever does.
    if (number > 0 && hasRoom && isAnswerers) this.#options.send(from, { type: 'ledger.acknowledged', owner, number })
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
      this.#options.actors.restoreCalls(reports.runs)
      this.#countCopies(owner, reports)
      objects.freeUnusedOf(owner)
    } else {
      const own = this.#options.newTasks(owner)
      this.#taken.set(owner, own)
      const done = new Set<number>()
      for (const { number } of objects.neededOf(owner)) this.#recover(owner, number, reports, done)
      // What nobody holds is kept for the owner's sake, and may be freed after.
      for (const [number, runs] of reports.runs)
        // Of what was cancelled, nobody waits for the run that goes on.
        if (!own.has(number) && objects.state({ owner, number }).kind !== 'failed')
          for (const { node, attempt } of runs) own.adoptRun(number, node, attempt)
      for (const number of reports.copies.keys()) this.#recover(owner, number, reports, done)
      objects.dropPending(owner, (number) => own.has(number))
      // Also of what a record told: whoever has a copy keeps it until it is told to let go.
      this.#countCopies(owner, reports)
    }
    this.#recoverActors(owner, reports)
    if (owner === self) this.#records.drop(owner)
    this.#log.adopt(
      owner,
      objects.neededOf(owner).map(({ number }) => number),
    )
  }

  /** Each actor lives where its hosts say; of one that nobody hosts the record says how to make it. */
  #recoverActors(owner: NodeId, reports: Reports): void {
    const { actors, objects } = this.#options
    const needed = new Set(objects.neededOf(owner).map(({ number }) => number))
    const numbers = new Set(reports.actors.keys())
    const isOwn = owner === this.#options.self
    // Of its own ledger this node knows itself which there are; records have their latest checkpoints.
    if (!isOwn)
      for (const [number, { record }] of this.#records.of(owner)) if (record.body.type === 'actor') numbers.add(number)
    for (const number of actors.numbersOf(owner)) numbers.add(number)
    for (const number of numbers) {
      const stored = isOwn && !actors.has({ owner, number }) ? undefined : this.#records.get(owner, number)
      const body = stored?.record.body
      const record =
        body?.type === 'actor' && stored?.template !== undefined
          ? {
              body,
              attempt: stored.record.attempt,
              template: this.#templateOf(stored.template),
              job: stored.template.job,
            }
          : undefined
      const hosts = reports.actors.get(number) ?? []
      const isDetached = record?.template.definition.actor?.isDetached === true
      // In the grace nothing is made anew that nobody has a handle of.
      if (hosts.length === 0 && !isDetached && !needed.has(number) && !isOwn) continue
      objects.expect({ owner, number })
      actors.recover({ owner, number }, record, hosts)
    }
    actors.takenOver(owner)
  }

  #countCopies(owner: NodeId, { copies }: Reports): void {
    const { self, objects } = this.#options
    for (const [number, list] of copies)
      for (const { node, attempt } of list) if (node !== self) objects.onHeld(node, { owner, number }, attempt)
  }

  /**
   * Gives an object of a ledger that was taken over its place again, and everything that it needs first. That may be many
   * tasks on end: no call within the other. `isLate`: the reports were in long ago, and what is known of other objects stands.
   */
  #recover(owner: NodeId, first: number, reports: Reports, done: Set<number>, isLate = false): void {
    const open: (number | (() => void))[] = [first]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (typeof next === 'function') next()
      else if (!done.has(next) && !(isLate && next !== first && this.#options.objects.has({ owner, number: next }))) {
        done.add(next)
        const found = this.#recoverOne(owner, next, reports)
        if (found === undefined) continue
        open.push(found.adopt)
        for (const id of found.needs) if (id.owner === owner) open.push(id.number)
      }
    }
  }

  /** @returns what has to be there before its task is adopted, where it is made by one */
  #recoverOne(owner: NodeId, number: number, reports: Reports): Recovered | undefined {
    const { objects, self } = this.#options
    const tasks = this.#taken.get(owner)
    const id = { owner, number }
    const stored = this.#records.get(owner, number)
    const source = sourceOf(number, stored, reports)
    if (stored?.record.body.type === 'actor' || reports.actors.has(number)) {
      objects.expect(id)
      return
    }
    switch (source.kind) {
      case 'copies': {
        const { attempt, bytes } = source
        const holders = source.holders.filter((node) => node !== self)
        objects.recover(id, { kind: 'elsewhere', attempt, bytes, holders })
        return undefined
      }
      case 'record':
        if (source.record.body.type === 'value')
          objects.recoverHere(id, source.record.attempt, source.record.body.value)
        else if (source.record.body.type === 'failed')
          objects.recover(id, { kind: 'failed', error: source.record.body.error })
        return undefined
      case 'run': {
        const { node, attempt } = source.run
        if (stored?.record.body.type === 'task') return this.#recovered(owner, stored, attempt, node)
        tasks?.adoptRun(number, node, attempt)
        return undefined
      }
      case 'task':
        return stored && this.#recovered(owner, stored, stored.record.attempt, undefined)
      case 'lost':
        objects.recover(id, { kind: 'failed', error: ownerDied(id) })
        return undefined
    }
  }

  #recovered(
    owner: NodeId,
    { record, template }: StoredRecord,
    attempt: StoredRecord['record']['attempt'],
    at: NodeId | undefined,
  ): Recovered | undefined {
    const { body } = record
    if (body.type !== 'task' || template === undefined) return undefined
    return {
      needs: [...body.dependencies.map(({ id }) => id), ...body.args.refs],
      adopt: () => {
        const tasks = this.#taken.get(owner)
        tasks?.adopt(body, attempt, this.#templateOf(template), template.job, at)
        if (body.streamId > 0) tasks?.expectItem(record.number)
      },
    }
  }

  /** One a function and set of options, however many records have it. */
  #templateOf(template: LedgerTemplate): OwnTemplate {
    const { shape, job, fn, submitter, signature, ...rest } = template
    this.#options.namespace(job, template.namespace)
    const key = JSON.stringify([shape, job, fn, rest, String(rest.maxRetries)])
    const known = this.#templates.get(key)
    if (known !== undefined) return known
    const made: OwnTemplate = {
      definition: { ...rest, template: 0, code: 0, ...shape, isFree: false },
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
    return objects.countOf(owner) === 0 && tasks.pendingCount === 0 && !this.#options.actors.hasDetached(owner)
  }

  #over(owner: NodeId): void {
    this.#taken.get(owner)?.abandon()
    this.#taken.delete(owner)
    this.#log.drop(owner)
    this.#records.drop(owner)
    this.#options.guests.ledgerOver(owner)
    this.#options.objects.ledgerOver(owner)
    this.#options.references.ledgerOver(owner)
    this.#options.actors.ledgerOver(owner)
    this.#options.ledgerOver(owner)
  }
}

/** An error stands behind every attempt: the task is not run again. */
const LATEST = { epoch: 2 ** 40, number: 0 }

// Long because each kind of row is collected here from its one place in the node, and nowhere else.
import type { Clock } from '@shoal/base'
import { formatObjectId, STATE_ROWS, unitsOf } from '@shoal/protocol'
import type {
  NodeId,
  NodeLabels,
  NodeLink,
  NodeRow,
  ObjectId,
  ObjectRow,
  ObjectStoreUse,
  PlacementGroupRow,
  ResourceSet,
  StateAnswer,
  StateFilter,
  StateQuery,
  StateReply,
  SummaryRow,
  TaskRow,
  WorkerRow,
  ActorRow,
} from '@shoal/protocol'
import { ByteWriter, LIMITS } from '@shoal/protocol'
import type { Scheduler } from '@shoal/scheduler'
import type { Actors } from '../actors/actors.ts'
import type { Groups } from '../groups/groups.ts'
import type { Guests } from '../guests.ts'
import type { Ownership } from '../ledger/ownership.ts'
import type { Dispatcher } from '../dispatcher.ts'
import type { ObjectStore, ObjectStoreStatus } from '../object-store.ts'
import type { Objects } from '../objects.ts'
import type { OwnTasks } from '../own-tasks.ts'
import type { RoomMember } from '../room-link.ts'
import type { Work } from '../work.ts'
import type { Workers } from '../workers.ts'
import { actorRow, birthRow, callRow, hostFact } from './actor-rows.ts'
import { cutName } from './cut.ts'
import type { BatchTime } from './batch-time.ts'
import { MOST_ENDED } from './ended-tasks.ts'
import { isLate, passes } from './filter-rows.ts'
import { needsOf, objectRow } from './object-rows.ts'
import type { ObjectRowPorts } from './object-rows.ts'
import { PendingWords } from './pending-words.ts'
import { RunIndex } from './run-index.ts'
import { countStates, toSummary } from './summary-rows.ts'
import type { StateCounts } from './summary-rows.ts'
import { TaskEventLog } from './task-event-log.ts'
import { endedTaskRow, isAway, looseTaskRow, pendingState, pendingTaskRow } from './task-rows.ts'
import type { TaskRowPorts } from './task-rows.ts'
import type { TaskView } from './views.ts'
import { workerRow } from './worker-rows.ts'

export interface LocalStateOptions {
  readonly self: NodeId
  /** What this tab calls itself. */
  readonly name: string
  /** All that this tab has, and what it says of itself. */
  own(): { readonly resources: ResourceSet; readonly labels: NodeLabels }
  readonly time: BatchTime
  readonly tasks: OwnTasks
  readonly actors: Actors
  readonly groups: Pick<Groups, 'rows'>
  readonly guests: Guests
  readonly workers: Workers
  readonly objects: Objects
  readonly ownership: Ownership
  readonly scheduler: Scheduler<Work>
  readonly clock: Clock
  readonly dispatcher: Pick<Dispatcher, 'counts'>
  readonly store: ObjectStore
  /** Undefined without a room. */
  members(): readonly RoomMember[] | undefined
}

type Question = Omit<StateQuery, 'query' | 'filters' | 'since'> & {
  readonly filters: readonly StateFilter[]
  readonly since?: StateQuery['since']
}
type Collected = Omit<StateReply, 'query'>

/** What one message has room for beside its facts. */
const ROWS_BYTES = 120 * 1024
/** 40 bytes each at most. */
const MOST_FACTS = 2_000
/** Rows that one question is asked of: the node has other work. */
const MOST_LOOKED_AT = 100_000

/**
 * What this tab has to say of its tasks, actors, objects, workers and itself at this moment: of what it answers for, rows; of
 * what it runs for others, facts. It reads and keeps nothing.
 */
export class LocalState {
  readonly #options: LocalStateOptions
  readonly #events: TaskEventLog

  constructor(options: LocalStateOptions) {
    this.#options = options
    const { self, clock, time, workers, objects, ownership } = options
    this.#events = new TaskEventLog({
      self,
      clock,
      toEpochMs: (ms) => time.clockToEpochMs(ms),
      runsEnded: () => options.dispatcher.counts.tasksRun,
      watchRuns: (watcher) => (workers.watcher = watcher),
      ledgers: () => ownership.allTasks(),
      runs: () => workers.runs(),
      whereIs: (id) => {
        if (objects.state(id).kind !== 'here') return 'elsewhere'
        return options.store.table.get(id)?.value === undefined ? 'disk' : 'here'
      },
    })
  }

  close(): void {
    this.#events.close()
  }

  /** `isForPeer`: what is sent fits into a message, and its words do not say "this tab". */
  answer(question: Question, isForPeer: boolean): Collected {
    const { kind } = question
    switch (kind) {
      case 'tasks': {
        const ports = this.#rowPorts(question, isForPeer)
        const picked = pick(kind, this.#taskRows(ports, question.id), question, isForPeer, (row) => this.#isLoose(row))
        const ended = this.#options.ownership.allTasks().map((tasks) => Math.max(0, tasks.ended.total - MOST_ENDED))
        const forgotten = ended.reduce((sum, count) => sum + count, 0)
        const facts = ports.runs.facts.filter(({ task }) => isAskedFor(task, question.id)).slice(0, MOST_FACTS)
        return {
          ...picked.counts,
          total: picked.counts.total + forgotten,
          forgotten,
          answer: { type: kind, rows: picked.rows, facts },
        }
      }
      case 'actors': {
        const ports = this.#rowPorts(question, isForPeer)
        const picked = pick(kind, this.#actorRows(ports, question.id), question, isForPeer, (row) => this.#isLoose(row))
        const facts = [...this.#options.actors.view().hosted]
          .map(hostFact)
          .filter(({ actor }) => isAskedFor(actor, question.id))
          .slice(0, MOST_FACTS / 4)
        const runs = ports.runs.facts.slice(0, MOST_FACTS)
        return { ...picked.counts, forgotten: 0, answer: { type: kind, rows: picked.rows, facts, runs } }
      }
      case 'objects': {
        const picked = pick(kind, this.#objectRows(question), question, isForPeer)
        return { ...picked.counts, forgotten: 0, answer: { type: kind, rows: picked.rows } }
      }
      case 'nodes': {
        const picked = pick(kind, [() => this.#nodeRow(question.detail)], question, isForPeer, () => true)
        return { ...picked.counts, forgotten: 0, answer: { type: kind, rows: picked.rows } }
      }
      case 'taskEvents': {
        let left = isForPeer ? ROWS_BYTES : Infinity
        const row = this.#events.since(question.since, (bytes) => (left -= bytes) >= 0)
        return { total: 1, matched: 1, unseen: 0, forgotten: 0, answer: { type: kind, rows: [row] } }
      }
      case 'workers': {
        const picked = pick(kind, this.#workerRows(), question, isForPeer)
        return { ...picked.counts, forgotten: 0, answer: { type: kind, rows: picked.rows } }
      }
      case 'placementGroups': {
        const picked = pick(kind, this.#groupRows(question.id), question, isForPeer)
        return { ...picked.counts, forgotten: 0, answer: { type: kind, rows: picked.rows } }
      }
      case 'summary': {
        const { rows, running } = this.#summary()
        const picked = pick(
          kind,
          rows.map((row) => () => row),
          question,
          isForPeer,
        )
        return {
          ...picked.counts,
          forgotten: 0,
          answer: { type: kind, rows: picked.rows, running: running.slice(0, 500) },
        }
      }
    }
  }

  nameOf(node: NodeId): string {
    const { self, name, members } = this.#options
    const card = node === self ? { name } : members()?.find((member) => member.node === node)?.card
    return card === undefined ? `tab ${node.slice(0, 8)}` : `${card.name} (${node.slice(0, 8)})`
  }

  /** Another tab may know more of the row. */
  #isLoose(row: TaskRow | ActorRow): boolean {
    return 'taskId' in row
      ? isAway(row, this.#options.self)
      : row.nodeId !== undefined && row.nodeId !== this.#options.self
  }

  #rowPorts({ detail }: Question, isForPeer: boolean): TaskRowPorts {
    const { self, time, scheduler, workers, guests, objects, own } = this.#options
    const names = new Map<NodeId, string>()
    const nameOf = (node: NodeId): string => {
      if (node === self && !isForPeer) return 'this tab'
      const known = names.get(node) ?? this.nameOf(node)
      names.set(node, known)
      return known
    }
    const words = new PendingWords({
      self,
      resources: own().resources,
      used: scheduler.used,
      lent: (this.#options.members() ?? []).flatMap(({ card, state }) =>
        state === 'connected' && card !== undefined ? [card.resources] : [],
      ),
      nameOf,
      objectState: (id) => objects.state(id),
      makerOf: (id) => this.#makerOf(id),
      outlook: (shape) => scheduler.outlook(shape),
    })
    const runs = new RunIndex(workers.all(), scheduler.waiting(), guests.active())
    return { self, runs, words, detail, toEpochMs: (ms) => time.toEpochMs(ms) }
  }

  #makerOf({ owner, number }: ObjectId): TaskView | undefined {
    return this.#options.ownership.tasksOf(owner)?.makerOf(number)
  }

  *#taskRows(ports: TaskRowPorts, id: ObjectId | undefined): Generator<() => TaskRow> {
    const { self, ownership } = this.#options
    for (const tasks of ownership.allTasks()) {
      if (id !== undefined && id.owner !== tasks.owner) continue
      for (const task of tasks.pending())
        if (id === undefined || task.number === id.number) yield () => pendingTaskRow(tasks.owner, task, ports)
      for (const run of tasks.looseRuns())
        if (id === undefined || run[0] === id.number) yield () => looseTaskRow(tasks.owner, run, ports)
    }
    if (id === undefined || id.owner === self) yield* this.#actorTaskRows(ports, id?.number)
    for (const tasks of ownership.allTasks())
      for (const ended of tasks.ended.newest())
        if (isAskedFor({ owner: tasks.owner, number: ended.number }, id))
          yield () => endedTaskRow(tasks.owner, ended, ports)
  }

  /** Births of own actors, and calls. */
  *#actorTaskRows(ports: TaskRowPorts, number: number | undefined): Generator<() => TaskRow> {
    const { self, actors } = this.#options
    const { own, calls, ...births } = actors.view()
    for (const actor of own) {
      if (actor.id.owner !== self || (number !== undefined && actor.id.number !== number)) continue
      const row = birthRow(actor, births, ports)
      if (row !== undefined) yield () => row
    }
    for (const call of calls)
      if (number === undefined || call.number === number) yield () => callRow(call, births.placeOf(call.actor), ports)
  }

  *#actorRows(ports: TaskRowPorts, id: ObjectId | undefined): Generator<() => ActorRow> {
    const { actors, ownership, self } = this.#options
    const { own, hosted, ...births } = actors.view()
    const here = new Map([...hosted].map((actor) => [formatObjectId(actor.id), actor]))
    for (const actor of own)
      if (ownership.ledgers.answerer(actor.id.owner) === self && isAskedFor(actor.id, id))
        yield () => actorRow(actor, here.get(formatObjectId(actor.id)), births, ports)
  }

  *#objectRows({ detail, id, kind }: Question): Generator<() => ObjectRow> {
    const { self, objects, ownership, members } = this.#options
    const pending = once(() => this.#argumentCounts())
    const names = once(() => this.#endedNames())
    const hasRoom = members() !== undefined
    const ports: ObjectRowPorts = {
      self,
      detail,
      holdersOf: (each) => objects.holdersOf(each),
      makerOf: (each) => this.#makerOf(each),
      endedName: (each) => names().get(formatObjectId(each)),
      pendingTasks: (each) => pending().get(formatObjectId(each)) ?? 0,
      replicated: (each) =>
        hasRoom
          ? {
              epoch: ownership.ledgers.viewOf(each.owner).epoch.number,
              successors: ownership.safeAt(each).slice(0, 16),
            }
          : undefined,
    }
    if (kind !== 'objects') return
    for (const entry of objects.entries())
      if (isAskedFor(entry.id, id) && ownership.ledgers.answerer(entry.id.owner) === self)
        yield () => objectRow(entry, ports)
  }

  /** How often tasks without an outcome need each object. */
  #argumentCounts(): Map<string, number> {
    const counts = new Map<string, number>()
    const add = (needs: Pick<TaskView, 'dependencies' | 'args'>): void => {
      for (const id of needsOf(needs)) counts.set(formatObjectId(id), (counts.get(formatObjectId(id)) ?? 0) + 1)
    }
    for (const tasks of this.#options.ownership.allTasks()) for (const task of tasks.pending()) add(task)
    for (const call of this.#options.actors.view().calls) add(call)
    return counts
  }

  #endedNames(): Map<string, string> {
    const names = new Map<string, string>()
    for (const tasks of this.#options.ownership.allTasks())
      for (const { number, name } of tasks.ended.newest())
        names.set(formatObjectId({ owner: tasks.owner, number }), name)
    return names
  }

  #nodeRow(detail: boolean): NodeRow {
    const { self, name, own, scheduler, ownership, members, store } = this.#options
    const { resources, labels } = own()
    // A task that resumes may make it too many CPUs for a moment.
    const used = scheduler.used.map((each) => ({ ...each, units: Math.min(each.units, unitsOf(resources, each.name)) }))
    return {
      nodeId: self,
      name,
      state: 'ALIVE',
      isSelf: true,
      resources,
      used,
      labels,
      roundTripMs: undefined,
      ledgers: ownership
        .status()
        .flatMap(({ owner, answeredBy }) => (answeredBy === self ? [owner] : []))
        .slice(0, LIMITS.roomMembers),
      objectStore: storeUse(store.status()),
      links: detail ? (members() ?? []).flatMap(linkOf).slice(0, LIMITS.roomMembers) : [],
    }
  }

  *#groupRows(id: ObjectId | undefined): Generator<() => PlacementGroupRow> {
    for (const row of this.#options.groups.rows())
      if (id === undefined || row.placementGroupId === formatObjectId(id)) yield () => row
  }

  *#workerRows(): Generator<() => WorkerRow> {
    const { self, workers, actors } = this.#options
    const actorOf = new Map([...actors.view().hosted].map(({ id, worker }) => [worker.submitter.number, id]))
    for (const worker of workers.all()) yield () => workerRow(self, worker, actorOf.get(worker.submitter.number))
  }

  #summary(): { readonly rows: SummaryRow[]; readonly running: SummaryRow[] } {
    const { self, ownership, workers } = this.#options
    const counts: StateCounts = new Map()
    const ports = this.#rowPorts({ kind: 'tasks', id: undefined, filters: [], limit: 0, detail: false }, false)
    for (const tasks of ownership.allTasks())
      for (const { name, type, finished, failed } of tasks.ended.counts()) {
        countStates(counts, name, type, 'FINISHED', finished)
        countStates(counts, name, type, 'FAILED', failed)
      }
    for (const tasks of ownership.allTasks())
      for (const task of tasks.pending())
        countStates(counts, task.template.definition.name, 'NORMAL_TASK', pendingState(tasks.owner, task, ports), 1)
    for (const row of this.#actorTaskRows(ports, undefined)) {
      const { name, type, state } = row()
      countStates(counts, name, type, state, 1)
    }
    const running: StateCounts = new Map()
    for (const { work } of workers.runs()) {
      const { id, isGuest, template, kind, attempt, method } = work
      const step = ports.runs.of(id, attempt)?.step
      if (!isGuest || id.owner === self || (step !== 'running' && step !== 'waiting')) continue
      const state = step === 'running' ? 'RUNNING' : 'RUNNING_IN_RAY_GET'
      const name = kind === 'actor-call' ? cutName(`${template.name}.${method}`) : template.name
      countStates(running, name, TYPE_OF_WORK[kind], state, 1)
    }
    return { rows: toSummary(counts), running: toSummary(running) }
  }
}

const TYPE_OF_WORK = {
  task: 'NORMAL_TASK',
  'actor-new': 'ACTOR_CREATION_TASK',
  'actor-call': 'ACTOR_TASK',
} as const satisfies Readonly<Record<Work['kind'], TaskRow['type']>>

function storeUse({ objects, objectBytes, spilledBytes, objectStoreBytes }: ObjectStoreStatus): ObjectStoreUse {
  return { objects, bytes: objectBytes, spilledBytes, limitBytes: objectStoreBytes }
}

function linkOf({ node, state, isDirect, isNeighbour, stats }: RoomMember): NodeLink[] {
  if (state !== 'connected') return []
  const way = !isNeighbour ? 'routed' : isDirect ? 'direct' : 'relay'
  const {
    roundTripMs,
    bytesSent = 0,
    bytesReceived = 0,
  } = (isNeighbour ? stats : undefined) ?? { roundTripMs: undefined }
  return [{ nodeId: node, way, roundTripMs, bytesSent, bytesReceived }]
}

function isAskedFor({ owner, number }: ObjectId, id: ObjectId | undefined): boolean {
  return id === undefined || (id.owner === owner && id.number === number)
}

type RowOf<K extends StateQuery['kind']> = (StateAnswer & { type: K })['rows'][number]

/** Rows that pass the filters, as many as are wanted and fit, and how many there are. */
function pick<K extends StateQuery['kind']>(
  kind: K,
  all: Iterable<() => RowOf<K>>,
  { filters, limit, id }: Question,
  isForPeer: boolean,
  isLoose: (row: RowOf<K>) => boolean = () => false,
): { readonly rows: RowOf<K>[]; readonly counts: Pick<StateReply, 'total' | 'matched' | 'unseen'> } {
  const sure = filters.filter((filter) => !isLate(kind, filter))
  // What the asker alone can tell apart it gets all of, as far as it fits.
  const most = sure.length < filters.length && isForPeer ? LIMITS.stateRows : Math.min(limit, LIMITS.stateRows)
  const rows: RowOf<K>[] = []
  const writer = new ByteWriter(1024)
  let [total, matched, looked] = [0, 0, 0]
  let isFull = false
  for (const make of all) {
    total++
    const isEnough = isFull || rows.length >= most
    if (isEnough && filters.length === 0) {
      matched++
      continue
    }
    if (++looked > MOST_LOOKED_AT) continue
    const row = make()
    if (!passes(row, isLoose(row) ? sure : filters)) continue
    matched++
    if (isEnough) continue
    if (isForPeer) {
      ;(STATE_ROWS[kind] as { write(writer: ByteWriter, row: unknown): void }).write(writer, row)
      isFull = writer.length > (id === undefined ? ROWS_BYTES : LIMITS.controlMessageBytes - 16 * 1024)
    }
    if (!isFull) rows.push(row)
  }
  return { rows, counts: { total, matched, unseen: Math.max(0, looked - MOST_LOOKED_AT) } }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

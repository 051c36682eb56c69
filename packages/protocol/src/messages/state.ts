// Long because every column of the state API stands here once, described beside the schema that bounds it on the wire.
import { attempt, nodeId, objectId } from '../ids.ts'
import type { NodeId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { nodeLabels } from '../labels.ts'
import type { NodeLabels } from '../labels.ts'
import { resourceSet } from '../resources.ts'
import type { ResourceSet } from '../resources.ts'
import { array, bool, f64, oneOf, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer, Schema } from '../schema.ts'
import { GROUP_STRATEGIES } from '../words.ts'
import type { GroupStrategy } from '../words.ts'
import { eventCursor, taskEventBatch } from './task-events.ts'
import { TASK_TYPES } from './task-types.ts'

/** What can be asked about. */
export const STATE_KINDS = [
  'tasks',
  'actors',
  'objects',
  'nodes',
  'workers',
  'placementGroups',
  'summary',
  'taskEvents',
] as const
export type StateKind = (typeof STATE_KINDS)[number]

/** By which columns each kind can be filtered. */
export const STATE_COLUMNS = {
  tasks: [
    'taskId',
    'name',
    'state',
    'type',
    'jobId',
    'ownerId',
    'nodeId',
    'workerId',
    'attempt',
    'parentTaskId',
    'actorId',
    'errorType',
  ],
  actors: [
    'actorId',
    'className',
    'state',
    'name',
    'jobId',
    'ownerId',
    'nodeId',
    'workerId',
    'numRestarts',
    'pendingCalls',
  ],
  objects: ['objectId', 'ownerId', 'answeredBy', 'state', 'sizeBytes', 'attempt', 'taskName'],
  nodes: ['nodeId', 'name', 'state', 'isSelf'],
  workers: ['workerId', 'nodeId', 'state', 'actorId'],
  placementGroups: ['placementGroupId', 'name', 'state', 'schedulingState', 'strategy', 'jobId'],
  summary: ['name', 'type'],
} as const satisfies Readonly<Record<Exclude<StateKind, 'taskEvents'>, readonly string[]>>
/** What rows are chosen of: task events are told as they come. */
export type FilteredKind = keyof typeof STATE_COLUMNS

/** Ray's words for where a task is; PENDING_ARGS_FETCH and RUNNING_IN_RAY_GET among them. */
export const TASK_STATES = [
  'NIL',
  'PENDING_ARGS_AVAIL',
  'PENDING_NODE_ASSIGNMENT',
  'PENDING_ARGS_FETCH',
  'SUBMITTED_TO_WORKER',
  'RUNNING',
  'RUNNING_IN_RAY_GET',
  'FINISHED',
  'FAILED',
] as const
export const ACTOR_STATES = ['DEPENDENCIES_UNREADY', 'PENDING_CREATION', 'ALIVE', 'RESTARTING', 'DEAD'] as const
export const OBJECT_STATES = ['PENDING', 'AVAILABLE', 'LOST', 'FAILED'] as const
export const NODE_STATES = ['ALIVE', 'CONNECTING', 'UNREACHABLE', 'INCOMPATIBLE'] as const
/** Ray's words. PREPARED: its tabs were asked to set its bundles aside. RESCHEDULING: a tab that had some of them is gone. */
export const GROUP_STATES = ['PENDING', 'PREPARED', 'CREATED', 'RESCHEDULING', 'REMOVED'] as const
/** QUEUED: nobody has room now. INFEASIBLE: nobody ever has, as the tabs are. */
export const GROUP_SCHEDULING_STATES = ['QUEUED', 'INFEASIBLE', 'FINISHED', 'REMOVED'] as const
export const LINK_WAYS = ['direct', 'relay', 'routed'] as const
export const WORKER_STATES = ['IDLE', 'BUSY', 'ACTOR'] as const

const name = string(LIMITS.nameBytes)
/** An id as text: a node's 32 digits, a stroke and a number. */
const id = string(64)
const text = string(LIMITS.stateTextBytes)

/** One attempt of a task, as whoever answers for it knows it. */
export interface TaskRow {
  readonly taskId: string
  /** The function's name; of a call the class and the method, `Counter.add`. Empty where only the run is known. */
  readonly name: string
  /**
   * PENDING_ARGS_AVAIL: it waits for its arguments. PENDING_NODE_ASSIGNMENT: for its code, a slot or a tab.
   * PENDING_ARGS_FETCH: arguments are on their way to where it will run. SUBMITTED_TO_WORKER: it is with a tab or worker and
   * has not begun. RUNNING_IN_RAY_GET: it waits for others.
   */
  readonly state: (typeof TASK_STATES)[number]
  readonly type: (typeof TASK_TYPES)[number]
  readonly jobId: string
  readonly ownerId: NodeId
  /** Where it is or was run; undefined while it waits. */
  readonly nodeId: NodeId | undefined
  /** Of that node; as `context().workerId`. */
  readonly workerId: number | undefined
  /** 0 for the first; with `epoch`, since whoever takes a ledger over counts anew. */
  readonly attempt: number
  readonly epoch: number
  readonly parentTaskId: string | undefined
  readonly actorId: string | undefined
  readonly requiredResources: ResourceSet
  /** The error's `code`, e.g. `task-failed`. */
  readonly errorType: string | undefined
  /** 200 characters of it, 2,000 with `detail`. */
  readonly errorMessage: string | undefined
  /** These three in milliseconds since 1970 by the clock of the tab that answers. */
  readonly creationTimeMs: number
  /** When it was given to a worker, or sent to the tab where it runs. */
  readonly startTimeMs: number | undefined
  readonly endTimeMs: number | undefined
  /** In words, why it does not run yet. */
  readonly pendingReason: string | undefined
  /** Of one without an outcome, with `detail`: the objects that it is given, 64 at most. */
  readonly dependencies: readonly string[]
}

export const taskRow: Schema<TaskRow> = struct({
  taskId: id,
  name,
  state: oneOf(TASK_STATES),
  type: oneOf(TASK_TYPES),
  jobId: id,
  ownerId: nodeId,
  nodeId: optional(nodeId),
  workerId: optional(varint),
  attempt: varint,
  epoch: varint,
  parentTaskId: optional(id),
  actorId: optional(id),
  requiredResources: resourceSet,
  errorType: optional(name),
  errorMessage: optional(text),
  creationTimeMs: f64,
  startTimeMs: optional(f64),
  endTimeMs: optional(f64),
  pendingReason: optional(text),
  dependencies: array(id, LIMITS.stateDependencies),
})

/** An actor, as whoever answers for it knows it. */
export interface ActorRow {
  readonly actorId: string
  /** Empty where only the actor's place is known. */
  readonly className: string
  readonly state: (typeof ACTOR_STATES)[number]
  /** Of a named actor. */
  readonly name: string | undefined
  readonly jobId: string
  readonly ownerId: NodeId
  readonly nodeId: NodeId | undefined
  readonly workerId: number | undefined
  readonly numRestarts: number
  /** Calls that the tab where it lives has taken and not ended. */
  readonly pendingCalls: number
  readonly requiredResources: ResourceSet
  readonly deathCause: string | undefined
  /** In words, why it does not live yet. */
  readonly pendingReason: string | undefined
}

export const actorRow: Schema<ActorRow> = struct({
  actorId: id,
  className: name,
  state: oneOf(ACTOR_STATES),
  name: optional(name),
  jobId: id,
  ownerId: nodeId,
  nodeId: optional(nodeId),
  workerId: optional(varint),
  numRestarts: varint,
  pendingCalls: varint,
  requiredResources: resourceSet,
  deathCause: optional(text),
  pendingReason: optional(text),
})

/** How often an object is referred to, and from where. */
export interface ReferenceCounts {
  /** Refs of the page and the workers of the tab that answers for it, and of values and code there. */
  readonly local: number
  /** Other tabs that hold refs to it. */
  readonly borrowers: number
  /** Arguments of tasks that have no outcome yet. */
  readonly pendingTasks: number
  /** Arguments of tasks that are done and may be done again. */
  readonly recipes: number
}

/** One object that would have to be there to make another one again. */
export interface LineageObject {
  readonly objectId: string
  /** Undefined: no task makes it, or none that is known where the question was answered. */
  readonly taskName: string | undefined
  readonly dependencies: readonly string[]
  /** 0 for the object itself, 1 for what its task needs, and so on: the shortest way there. */
  readonly depth: number
}

/** The tasks that would make an object again: each object once, nearest first. */
export interface Lineage {
  readonly objects: readonly LineageObject[]
  /** Objects behind those that are left out, as far as they were counted. */
  readonly cut: number
}

/** Who would know of an object if the tab that answers for it went. */
export interface Replication {
  /** How often its ledger has changed hands. */
  readonly epoch: number
  /** Successors that have confirmed its record; none while no other tab has a ref. */
  readonly successors: readonly NodeId[]
}

/** An object, as whoever answers for it knows it. */
export interface ObjectRow {
  readonly objectId: string
  /** Whose ledger it is in. */
  readonly ownerId: NodeId
  /** Who answers for it: its owner, or who took the ledger over. */
  readonly answeredBy: NodeId
  /**
   * PENDING: its task has no outcome yet. AVAILABLE: its bytes are where `locations` says. LOST: all copies are gone, and
   * nobody has asked for it since. FAILED: an error stands in its place.
   */
  readonly state: (typeof OBJECT_STATES)[number]
  readonly sizeBytes: number | undefined
  /** Of the task that made it. */
  readonly attempt: number | undefined
  /** Tabs that have its bytes. */
  readonly locations: readonly NodeId[]
  readonly referenceCounts: ReferenceCounts
  /** Of the function that makes it; undefined for `put`, and where the task is no longer remembered. */
  readonly taskName: string | undefined
  /** With `detail` alone. */
  readonly lineage: Lineage | undefined
  /** With `detail` alone, and in a room. */
  readonly replicated: Replication | undefined
}

export const objectRow: Schema<ObjectRow> = struct({
  objectId: id,
  ownerId: nodeId,
  answeredBy: nodeId,
  state: oneOf(OBJECT_STATES),
  sizeBytes: optional(varint),
  attempt: optional(varint),
  locations: array(nodeId, LIMITS.roomMembers),
  referenceCounts: struct({ local: varint, borrowers: varint, pendingTasks: varint, recipes: varint }),
  taskName: optional(name),
  lineage: optional(
    struct({
      objects: array(
        struct({
          objectId: id,
          taskName: optional(name),
          dependencies: array(id, LIMITS.stateDependencies),
          depth: varint,
        }),
        LIMITS.stateLineage,
      ),
      cut: varint,
    }),
  ),
  replicated: optional(struct({ epoch: varint, successors: array(nodeId, 16) })),
})

/** What a tab knows of its way to another one. */
export interface NodeLink {
  readonly nodeId: NodeId
  /** direct: a link of their own. relay: that link goes over a TURN server. routed: over other tabs. */
  readonly way: (typeof LINK_WAYS)[number]
  /** These three of a link of their own. */
  readonly roundTripMs: number | undefined
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Objects whose bytes lie in a tab, its own and those of others. */
export interface ObjectStoreUse {
  readonly objects: number
  /** In memory and on disk. */
  readonly bytes: number
  /** Of those, on disk alone. */
  readonly spilledBytes: number
  /** What they may take in memory. */
  readonly limitBytes: number
}

/** A tab of the room. */
export interface NodeRow {
  readonly nodeId: NodeId
  readonly name: string
  /** As seen from this tab. CONNECTING, UNREACHABLE and INCOMPATIBLE as a member's `state`. */
  readonly state: (typeof NODE_STATES)[number]
  readonly isSelf: boolean
  /** All that it has; of a tab that did not answer, what it lends. */
  readonly resources: ResourceSet
  /** What of it running tasks, actors and placement groups reserve. */
  readonly used: ResourceSet
  /** What it says of itself. */
  readonly labels: NodeLabels
  readonly roundTripMs: number | undefined
  /** Owners whose ledgers it answers for. */
  readonly ledgers: readonly NodeId[]
  /** Undefined of a tab that did not answer. */
  readonly objectStore: ObjectStoreUse | undefined
  /** With `detail`: its ways to the others that it is connected to. */
  readonly links: readonly NodeLink[]
}

export const nodeRow: Schema<NodeRow> = struct({
  nodeId,
  name,
  state: oneOf(NODE_STATES),
  isSelf: bool,
  resources: resourceSet,
  used: resourceSet,
  labels: nodeLabels,
  roundTripMs: optional(f64),
  ledgers: array(nodeId, LIMITS.roomMembers),
  objectStore: optional(struct({ objects: varint, bytes: varint, spilledBytes: varint, limitBytes: varint })),
  links: array(
    struct({
      nodeId,
      way: oneOf(LINK_WAYS),
      roundTripMs: optional(f64),
      bytesSent: varint,
      bytesReceived: varint,
    }),
    LIMITS.roomMembers,
  ),
})

/** What is in a worker; the first of a list runs, those behind it wait for it. */
export interface WorkerRun {
  readonly taskId: string
  readonly name: string
}

export interface WorkerRow {
  /** As `context().workerId`: counts within its node. */
  readonly workerId: number
  readonly nodeId: NodeId
  /** ACTOR: an actor lives in it, and it runs that actor's calls alone. */
  readonly state: (typeof WORKER_STATES)[number]
  readonly actorId: string | undefined
  /** 16 at most. */
  readonly runs: readonly WorkerRun[]
  /** All of them. */
  readonly numRuns: number
}

export const workerRow: Schema<WorkerRow> = struct({
  workerId: varint,
  nodeId,
  state: oneOf(WORKER_STATES),
  actorId: optional(id),
  runs: array(struct({ taskId: id, name }), LIMITS.stateRuns),
  numRuns: varint,
})

/** A placement group, as its owner knows it. */
export interface PlacementGroupRow {
  readonly placementGroupId: string
  /** Empty for most. */
  readonly name: string
  readonly state: (typeof GROUP_STATES)[number]
  readonly schedulingState: (typeof GROUP_SCHEDULING_STATES)[number]
  /** In words, why it is not there yet. */
  readonly pendingReason: string | undefined
  readonly strategy: GroupStrategy
  readonly jobId: string
  /** In their order, each with the tab where it is set aside. */
  readonly bundles: readonly { readonly resources: ResourceSet; readonly nodeId: NodeId | undefined }[]
}

export const placementGroupRow: Schema<PlacementGroupRow> = struct({
  placementGroupId: id,
  name,
  state: oneOf(GROUP_STATES),
  schedulingState: oneOf(GROUP_SCHEDULING_STATES),
  pendingReason: optional(text),
  strategy: oneOf(GROUP_STRATEGIES),
  jobId: id,
  bundles: array(struct({ resources: resourceSet, nodeId: optional(nodeId) }), LIMITS.groupBundles),
})

export interface SummaryRow {
  readonly name: string
  readonly type: (typeof TASK_TYPES)[number]
  readonly states: readonly { readonly state: (typeof TASK_STATES)[number]; readonly count: number }[]
}

export const summaryRow: Schema<SummaryRow> = struct({
  name,
  type: oneOf(TASK_TYPES),
  states: array(struct({ state: oneOf(TASK_STATES), count: varint }), TASK_STATES.length),
})

/** Where in a tab an attempt is. code: its code is loaded or its leave is checked. behind: in a worker, not the first. */
export const RUN_STEPS = ['code', 'queued', 'fetching', 'behind', 'running', 'waiting'] as const

/** What a tab knows of an attempt that it runs for whoever answers for the task, and that node does not. */
export const runFact = struct({
  task: objectId,
  attempt,
  step: oneOf(RUN_STEPS),
  /** Runs before it, where it waits for them. */
  ahead: varint,
  workerId: optional(varint),
})
export type RunFact = Infer<typeof runFact>

/** What a tab knows of an actor that lives in it. */
export const hostFact = struct({ actor: objectId, className: name, workerId: varint, pendingCalls: varint })
export type HostFact = Infer<typeof hostFact>

/** The schema of each kind's rows. */
export const STATE_ROWS = {
  tasks: taskRow,
  actors: actorRow,
  objects: objectRow,
  nodes: nodeRow,
  workers: workerRow,
  placementGroups: placementGroupRow,
  summary: summaryRow,
  taskEvents: taskEventBatch,
} as const

type Column = (typeof STATE_COLUMNS)[FilteredKind][number]

/** By which columns a kind can be filtered. */
export function stateColumns(kind: StateKind): readonly Column[] {
  return kind === 'taskEvents' ? [] : STATE_COLUMNS[kind]
}

/* @__NO_SIDE_EFFECTS__ */
function allColumns(): readonly Column[] {
  return [...new Set<Column>(Object.values(STATE_COLUMNS).flat())]
}

/** Rows whose column has, or has not, that value as text; what is undefined is the empty text. */
export const stateFilter = struct({ column: oneOf(allColumns()), isEqual: bool, value: name })
export type StateFilter = Infer<typeof stateFilter>

/** Asks a node for the rows that it answers for. `id`: of one task, actor or object alone. */
export const stateQuery = struct({
  query: varint,
  kind: oneOf(STATE_KINDS),
  id: optional(objectId),
  filters: array(stateFilter, LIMITS.stateFilters),
  limit: varint,
  detail: bool,
  /** Of task events: where the last answer of that node ended. */
  since: optional(eventCursor),
})
export type StateQuery = Infer<typeof stateQuery>

const rowsOf = <T>(row: Schema<T>): Schema<T[]> => array(row, LIMITS.stateRows)

/** `facts` are about rows of others. */
export const stateAnswer = union({
  tasks: struct({ rows: rowsOf(taskRow), facts: array(runFact, LIMITS.stateRows) }),
  actors: struct({
    rows: rowsOf(actorRow),
    facts: array(hostFact, LIMITS.stateRows),
    runs: array(runFact, LIMITS.stateRows),
  }),
  objects: struct({ rows: rowsOf(objectRow) }),
  nodes: struct({ rows: rowsOf(nodeRow) }),
  workers: struct({ rows: rowsOf(workerRow) }),
  placementGroups: struct({ rows: rowsOf(placementGroupRow) }),
  summary: struct({ rows: rowsOf(summaryRow), running: rowsOf(summaryRow) }),
  /** One row, of the tab itself. */
  taskEvents: struct({ rows: array(taskEventBatch, 1) }),
  /** It was asked too often. */
  busy: struct({}),
})
export type StateAnswer = Infer<typeof stateAnswer>

/**
 * `total`: rows there are; `matched`: those that pass the filters, as far as the answering node can tell; `forgotten`: tasks that
 * have ended and are no longer remembered; `unseen`: rows past the number that is looked at for one question. What of the
 * matched does not fit into one message is left out.
 */
export const stateReply = struct({
  query: varint,
  total: varint,
  matched: varint,
  forgotten: varint,
  unseen: varint,
  answer: stateAnswer,
})
export type StateReply = Infer<typeof stateReply>

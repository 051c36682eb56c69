import type {
  ActorRow,
  EventCursor,
  NodeRow,
  ObjectRow,
  PlacementGroupRow,
  STATE_COLUMNS,
  FilteredKind,
  SummaryRow,
  TaskRow,
  WorkerRow,
} from '@shoal/protocol'

/** How much of what, by name. */
export type Amounts = Readonly<Record<string, number>>

/** One attempt of a task, as `listTasks` tells of it: in Ray's words and Ray's states. */
export interface TaskState extends Omit<TaskRow, 'requiredResources'> {
  /** By name. */
  readonly requiredResources: Amounts
}

/** An actor, as `listActors` tells of it. */
export interface ActorState extends Omit<ActorRow, 'requiredResources'> {
  /** What it keeps for its life, by name. */
  readonly requiredResources: Amounts
}

/** An object, as `listObjects` tells of it. */
export type ObjectState = ObjectRow

/** A tab of the room, as `listNodes` tells of it. */
export interface NodeState extends Omit<NodeRow, 'resources' | 'used' | 'labels'> {
  /** All that it has, by name; of a tab that did not answer, what it lends. */
  readonly resources: Amounts
  /** What of it running tasks, actors and placement groups reserve. */
  readonly used: Amounts
  /** What it says of itself, by name: see `labels` of `init`. */
  readonly labels: Readonly<Record<string, string>>
}

/** A placement group, as `listPlacementGroups` tells of it. */
export interface PlacementGroupState extends Omit<PlacementGroupRow, 'bundles'> {
  /** In their order: amounts by name, and the tab where each is set aside. */
  readonly bundles: readonly { readonly resources: Amounts; readonly nodeId: string | undefined }[]
}

/** A worker of a tab, as `listWorkers` tells of it. */
export type WorkerState = WorkerRow

/** How many attempts of one function, class or method are in which state; FINISHED and FAILED since the session began. */
export interface TaskSummary {
  readonly name: string
  readonly type: SummaryRow['type']
  /** Those that there are. */
  readonly stateCounts: Readonly<Partial<Record<TaskRow['state'], number>>>
}

/** Up to where a tab's events were read. */
export type TaskEventsCursor = Readonly<Record<string, EventCursor>>

/** Runs of one tab, a column each: what stands at one place of all of them is one run. */
export interface RunColumns {
  readonly length: number
  /** Places in the batch's `names`. */
  readonly name: Uint16Array
  /** Places in the batch's `owners`; with `number` the task's id. */
  readonly owner: Uint16Array
  readonly number: Float64Array
  readonly epoch: Float64Array
  readonly attempt: Float64Array
  /** As `context().workerId`. */
  readonly worker: Float64Array
  /** 0 NORMAL_TASK, 1 ACTOR_CREATION_TASK, 2 ACTOR_TASK. */
  readonly type: Uint8Array
  /** 0 it runs, 1 finished, 2 failed, 3 its worker went or the tab had no room for its result. */
  readonly outcome: Uint8Array
  /** What it waited for before its worker had it: 0 nothing, 1 bytes of other tabs, 2 bytes on disk, 3 room in memory. */
  readonly waited: Uint8Array
  /** By this tab's clock, in milliseconds since 1970: when it began in its worker, and ended; NaN while it runs. */
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  /** Of the time from start to end, what it waited for other tasks. */
  readonly blockedMs: Float64Array
  /** Before its start: behind others in its worker, and before that while its arguments were gathered. */
  readonly queuedMs: Float64Array
  readonly fetchedMs: Float64Array
}

/** An attempt that failed, was given objects, was submitted by a task or is an actor's, as its owner tells of its end. */
export interface EndedAttempt {
  readonly taskId: string
  readonly name: string
  readonly type: TaskRow['type']
  readonly epoch: number
  readonly attempt: number
  /** Objects that it gives: the one of its own number, and those after it. */
  readonly numReturns: number
  readonly nodeId: string | undefined
  readonly endTimeMs: number
  readonly parentTaskId: string | undefined
  readonly actorId: string | undefined
  /** The objects that it was given, 64 at most; `moreDependencies` are beside them. */
  readonly dependencies: readonly string[]
  readonly moreDependencies: number
  readonly errorType: string | undefined
  /** 200 characters of it. */
  readonly errorMessage: string | undefined
}

/** What one tab has seen since the cursor. */
export interface TaskEventBatch {
  readonly nodeId: string
  /** When it answered, by this tab's clock; all times are, and `clockErrorMs` is by how much they may be wrong. */
  readonly nowMs: number
  readonly clockErrorMs: number
  /** Since when it keeps events without a gap: it began with a first question, or again after nobody had asked for 15 s. */
  readonly watchedSinceMs: number
  readonly next: EventCursor
  /** Runs and ends since the cursor that are not remembered. Of runs it counts those too that ended before anybody asked. */
  readonly dropped: EventCursor
  /** Those that did not fit: they come with the next question. */
  readonly left: EventCursor
  readonly names: readonly string[]
  readonly owners: readonly string[]
  /** In the order in which they ended, then those that run now, which come again when they end. */
  readonly runs: RunColumns
  readonly ends: readonly EndedAttempt[]
}

/** What the room's tabs have seen since the cursor. */
export interface TaskEvents {
  /** `since` of the next question. */
  readonly cursor: TaskEventsCursor
  readonly batches: readonly TaskEventBatch[]
  /** Tabs that were asked before and are gone: what they ran since is not told by anybody. */
  readonly gone: readonly string[]
  /** Tabs that did not answer this time. Their events are not lost: they come with a later question. */
  readonly missing: readonly string[]
  readonly warnings: readonly string[]
}

/** Rows that have, or have not, that value in the column. Values are compared as text; undefined is the empty text. */
export type StateFilter<K extends FilteredKind> = readonly [
  column: (typeof STATE_COLUMNS)[K][number],
  operator: '=' | '!=',
  value: string | number | boolean | undefined,
]

/** What `listTasks` and its kin take. */
export interface StateOptions<K extends FilteredKind = FilteredKind> {
  /** A row must pass all of them; 16 at most. */
  readonly filters?: readonly StateFilter<K>[]
  /** Rows at most, from 1 to 10,000. Default: 100. */
  readonly limit?: number
  /** Of tasks longer error messages; of objects lineage and replication. Default: false. */
  readonly detail?: boolean
  /** How long the room's tabs have to answer; who has not is in `missing`. Default: 5,000. */
  readonly timeoutMs?: number
}

/** What a single look-up takes. */
export type StateTimeout = Pick<StateOptions, 'timeoutMs'>

/** Rows, and an honest word about those that are not here. */
export interface StateResult<Row> {
  readonly rows: readonly Row[]
  /** All there are, before filters; tasks that ended and are not remembered included. */
  readonly total: number
  /** Those that pass the filters, shown or not. */
  readonly numFiltered: number
  /** Whether rows that pass the filters are left out. */
  readonly isTruncated: boolean
  /** Ids of the room's tabs that did not answer. */
  readonly missing: readonly string[]
  /** Sentences for people: what was left out, and why. */
  readonly warnings: readonly string[]
}

/** What the room is doing, and why something does not run: Ray's state API. See docs/state.md. */
export interface StateApi {
  /** Tasks and actor calls of the whole room: those without an outcome, oldest first, then the last 1,000 of each owner that ended. */
  listTasks(options?: StateOptions<'tasks'>): Promise<StateResult<TaskState>>
  listActors(options?: StateOptions<'actors'>): Promise<StateResult<ActorState>>
  listObjects(options?: StateOptions<'objects'>): Promise<StateResult<ObjectState>>
  listNodes(options?: StateOptions<'nodes'>): Promise<StateResult<NodeState>>
  listWorkers(options?: StateOptions<'workers'>): Promise<StateResult<WorkerState>>
  /** Those of all tabs: the living, and the last 100 of each tab that were removed. */
  listPlacementGroups(options?: StateOptions<'placementGroups'>): Promise<StateResult<PlacementGroupState>>
  /** Attempts by function and state, cumulative. */
  summarizeTasks(options?: Omit<StateOptions<'summary'>, 'detail'>): Promise<StateResult<TaskSummary>>
  /** All of the room's tabs, as `listNodes` gives them. */
  nodes(options?: StateTimeout): Promise<readonly NodeState[]>
  /** What the room's live tabs have together, by name. */
  clusterResources(options?: StateTimeout): Promise<Amounts>
  /** What of it nobody reserves; what is used up is not among the keys. */
  availableResources(options?: StateTimeout): Promise<Amounts>
  /** The newest attempt of a task, by the id of the task or of its first return. */
  getTaskState(task: StateId, options?: StateTimeout): Promise<TaskState | undefined>
  getActorState(actorId: string, options?: StateTimeout): Promise<ActorState | undefined>
  /** With lineage and replication. */
  getObjectState(object: StateId, options?: StateTimeout): Promise<ObjectState | undefined>
}

/** A ref, or an id as text. */
export type StateId = string | { readonly id: string }

/** By name. */
export const STATE_FUNCTIONS = [
  'listTasks',
  'listActors',
  'listObjects',
  'listNodes',
  'listWorkers',
  'listPlacementGroups',
  'summarizeTasks',
  'nodes',
  'clusterResources',
  'availableResources',
  'getTaskState',
  'getActorState',
  'getObjectState',
] as const satisfies readonly (keyof StateApi)[]

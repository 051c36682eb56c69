import type {
  ActorRow,
  NodeRow,
  ObjectRow,
  PlacementGroupRow,
  STATE_COLUMNS,
  StateKind,
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

/** Rows that have, or have not, that value in the column. Values are compared as text; undefined is the empty text. */
export type StateFilter<K extends StateKind> = readonly [
  column: (typeof STATE_COLUMNS)[K][number],
  operator: '=' | '!=',
  value: string | number | boolean | undefined,
]

/** What `listTasks` and its kin take. */
export interface StateOptions<K extends StateKind = StateKind> {
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

import { mustSession } from '../current-session.ts'
import type {
  ActorState,
  Amounts,
  NodeState,
  ObjectState,
  PlacementGroupState,
  StateId,
  StateOptions,
  StateResult,
  StateTimeout,
  TaskEvents,
  TaskState,
  TaskSummary,
  WorkerState,
} from '@shoal/core-worker'
import type { TaskEventsOptions } from './ask-task-events.ts'
import type { Timeline } from './timeline.ts'

/**
 * What tasks and actor calls the room has: those without an outcome, oldest first, with the reason in words why each does not
 * run yet, then the last 1,000 of each owner that ended, newest first. `warnings` says what is not here, and why.
 *
 * @throws TypeError or RangeError for a bad option, with what there is instead; ShutdownError.
 * @example
 * const slow = remote((n: number) => 2 * n, { name: 'slow', numGpus: 1 })
 * slow.remote(1)
 * const { rows } = await listTasks({ filters: [['name', '=', 'slow']] })
 * console.log(rows[0]?.state) // PENDING_NODE_ASSIGNMENT
 * console.log(rows[0]?.pendingReason) // needs 1 GPU and no node has one
 */
export function listTasks(options?: StateOptions<'tasks'>): Promise<StateResult<TaskState>> {
  return mustSession().listTasks(options)
}

/**
 * The room's actors: where each lives, or why it does not yet, or what it died of.
 *
 * @throws as `listTasks`.
 * @example
 * const Counter = actor(class Counter { n = 0; add(k: number) { return (this.n += k) } })
 * await get(Counter.remote().add.remote(1))
 * const { rows } = await listActors({ filters: [['className', '=', 'Counter']] })
 * console.log(rows.map(({ state }) => state)) // ['ALIVE']
 */
export function listActors(options?: StateOptions<'actors'>): Promise<StateResult<ActorState>> {
  return mustSession().listActors(options)
}

/**
 * The room's objects: how large, where their bytes are, who refers to them; with `detail` also what would make each again, and
 * which tabs would know of it if its owner went.
 *
 * @throws as `listTasks`.
 * @example
 * using table = put(Float64Array.of(1, 2, 3))
 * const { rows } = await listObjects({ filters: [['state', '=', 'AVAILABLE']] })
 * console.log(rows.some(({ sizeBytes = 0 }) => sizeBytes > 24)) // true
 */
export function listObjects(options?: StateOptions<'objects'>): Promise<StateResult<ObjectState>> {
  return mustSession().listObjects(options)
}

/**
 * The tabs of the room, this one first: what each has, what of it is in use, and whose ledgers it answers for.
 *
 * @throws as `listTasks`.
 * @example
 * const { rows } = await listNodes()
 * console.log(rows[0]?.isSelf) // true
 */
export function listNodes(options?: StateOptions<'nodes'>): Promise<StateResult<NodeState>> {
  return mustSession().listNodes(options)
}

/**
 * The workers of all tabs, and what is in each.
 *
 * @throws as `listTasks`.
 * @example
 * const { rows } = await listWorkers({ filters: [['state', '=', 'BUSY']] })
 * console.log(rows.length) // 0
 */
export function listWorkers(options?: StateOptions<'workers'>): Promise<StateResult<WorkerState>> {
  return mustSession().listWorkers(options)
}

/**
 * The placement groups of the room's tabs: where each bundle is set aside, or in words why the group is not there yet.
 *
 * @throws as `listTasks`.
 * @example
 * const huge = placementGroup([{ GPU: 64 }])
 * const { rows } = await listPlacementGroups({ filters: [['placementGroupId', '=', huge.id]] })
 * removePlacementGroup(huge)
 */
export function listPlacementGroups(
  options?: StateOptions<'placementGroups'>,
): Promise<StateResult<PlacementGroupState>> {
  return mustSession().listPlacementGroups(options)
}

/**
 * How many attempts of each function, class and method are in which state; those that ended are counted since their owners'
 * sessions began, remembered or not.
 *
 * @throws as `listTasks`.
 * @example
 * const cube = remote((n: number) => n ** 3, { name: 'cube' })
 * await get([1, 2, 3].map((n) => cube.remote(n)))
 * const { rows } = await summarizeTasks({ filters: [['name', '=', 'cube']] })
 * console.log(rows[0]?.stateCounts.FINISHED) // 3
 */
export function summarizeTasks(options?: Omit<StateOptions<'summary'>, 'detail'>): Promise<StateResult<TaskSummary>> {
  return mustSession().summarizeTasks(options)
}

/**
 * The runs of the whole room as a trace, as Ray's `ray.timeline()`: a row a slot and an actor of each tab, and what waited,
 * for how long. `JSON.stringify` of it is a file that ui.perfetto.dev and chrome://tracing open. It has what `listTasks` has: the
 * last 1,000 of each owner that ended; `otherData.warnings` says what is missing.
 *
 * @throws as `listTasks`.
 * @example
 * const fib = remote((n: number) => n, { name: 'fib' })
 * await get([1, 2, 3].map((n) => fib.remote(n)))
 * const { traceEvents } = await timeline()
 * console.log(traceEvents.filter(({ name, ph }) => name === 'fib' && ph === 'X').length) // 3
 */
export function timeline(options?: StateTimeout): Promise<Timeline> {
  return mustSession().timeline(options)
}

/**
 * What ran in the room's tabs since a cursor: each run with its worker, times and outcome as columns, and what its owner has to
 * add. Asked about twice a second it is the whole stream of tasks, at some thousands a second; a tab keeps events from
 * the first question on, the last 8,192 runs, until nobody has asked for 15 s. What was not told is counted in `dropped`.
 *
 * @throws as `listTasks`.
 * @example
 * const twice = remote((n: number) => 2 * n, { name: 'twice' })
 * const before = await listTaskEvents()
 * await get([1, 2, 3].map((n) => twice.remote(n)))
 * const { batches } = await listTaskEvents({ since: before.cursor })
 * console.log(batches.reduce((sum, { runs }) => sum + runs.length, 0)) // 3
 */
export function listTaskEvents(options?: TaskEventsOptions): Promise<TaskEvents> {
  return mustSession().listTaskEvents(options)
}

/**
 * The room's tabs, as Ray's `ray.nodes()`.
 *
 * @throws as `listTasks`.
 * @example
 * console.log((await nodes()).filter(({ isSelf }) => isSelf).length) // 1
 */
export function nodes(options?: StateTimeout): Promise<readonly NodeState[]> {
  return mustSession().nodes(options)
}

/**
 * What the room's live tabs have together, by name: CPUs, GPUs, bytes of memory and resources of their own.
 *
 * @throws as `listTasks`.
 * @example
 * const { CPU = 0 } = await clusterResources()
 * console.log(CPU > 0) // true
 */
export function clusterResources(options?: StateTimeout): Promise<Amounts> {
  return mustSession().clusterResources(options)
}

/**
 * What of `clusterResources` no task or actor reserves at this moment; what is used up is not among the keys, as in Ray.
 *
 * @throws as `listTasks`.
 * @example
 * const { CPU = 0 } = await availableResources()
 * console.log(CPU > 0) // true
 */
export function availableResources(options?: StateTimeout): Promise<Amounts> {
  return mustSession().availableResources(options)
}

/**
 * One task's newest attempt: by a ref to its first return, or by its id. Undefined where nobody knows of it any more.
 *
 * @throws TypeError for what is no id; GetTimeoutError when nobody knows of it and somebody has not answered.
 * @example
 * const half = remote((n: number) => n / 2, { name: 'half' })
 * using ref = half.remote(4)
 * await get(ref)
 * console.log((await getTaskState(ref))?.state) // FINISHED
 */
export function getTaskState(task: StateId, options?: StateTimeout): Promise<TaskState | undefined> {
  return mustSession().getTaskState(task, options)
}

/**
 * One actor, by its id.
 *
 * @throws as `getTaskState`.
 * @example
 * const { rows } = await listActors()
 * const first = rows[0] && (await getActorState(rows[0].actorId))
 * console.log(first?.state ?? 'no actors')
 */
export function getActorState(actorId: string, options?: StateTimeout): Promise<ActorState | undefined> {
  return mustSession().getActorState(actorId, options)
}

/**
 * One object, by a ref or its id, with its lineage.
 *
 * @throws as `getTaskState`.
 * @example
 * using one = put(1)
 * console.log((await getObjectState(one))?.state) // AVAILABLE
 */
export function getObjectState(object: StateId, options?: StateTimeout): Promise<ObjectState | undefined> {
  return mustSession().getObjectState(object, options)
}

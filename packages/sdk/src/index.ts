import type { Api } from '@shoal/core-worker'
import { pageApi } from './page-api.ts'
import type { PageApi } from './session-api.ts'

/**
 * Makes a function that runs anywhere in the room: `f.remote(...)` returns an ObjectRef at once. It may be written
 * inline when it stands alone; what it needs from outside is handed in by name as the first argument.
 *
 * @function
 * @throws TypeError, RangeError for bad options, by name. CaptureError for what it captures: in development
 * where it is defined, else on `get`.
 * @example
 * const add = remote((a: number, b: number) => a + b)
 * await get(add.remote(1, 2)) // 3
 */
export const remote: Api['remote'] = pageApi.remote

/**
 * Makes a class whose instances live somewhere in the room: `Counter.remote()` returns a handle at once.
 *
 * @function
 * @example
 * const Counter = actor(class { n = 0; add(k: number) { return (this.n += k) } })
 * const counter = Counter.remote()
 * await get(counter.add.remote(2)) // 2
 */
export const actor: Api['actor'] = pageApi.actor

/**
 * Waits for the value of a ref, or of several in the order in which they stand there; a ref may stand there twice. Fails
 * with the first error, while others may still run.
 *
 * @function
 * @throws TaskError and the other outcomes of a task; GetTimeoutError after `timeoutMs` milliseconds; the signal's reason;
 *   TypeError for what is no ref; ShutdownError when the session ends.
 * @example
 * const square = remote((n: number) => n * n)
 * await get(square.remote(3)) // 9
 * await get([square.remote(2), square.remote(3)]) // [4, 9]
 * await get(square.remote(4), { timeoutMs: 10_000, signal: AbortSignal.timeout(20_000) }) // 16
 */
export const get: Api['get'] = pageApi.get

/**
 * Stores a value and returns its ref: for what many tasks are to be given. The value is copied at once; what the caller
 * does to it later changes nothing. With `{ transfer: true }` its buffers are moved instead, and empty here afterwards.
 *
 * @function
 * @throws TypeError for an ObjectRef (store `[ref]` instead); SerializationError for what cannot be cloned, by its path.
 * @example
 * const table = put(Float64Array.of(1, 2, 3))
 * const pick = remote((numbers: Float64Array, at: number) => numbers[at])
 * await get([pick.remote(table, 0), pick.remote(table, 2)]) // [1, 3]
 * const large = put(new Float32Array(50_000_000), { transfer: true }) // no copy
 */
export const put: Api['put'] = pageApi.put

/**
 * Waits until `numReturns` (default 1) of the refs exist, as values or as errors, and gives exactly that many and the rest,
 * both in the order in which they were given. With `timeoutMs` it gives fewer when the time is up; 0 looks and does not wait.
 *
 * @function
 * @throws TypeError for what is no array of refs; RangeError for a ref that stands there twice and for a `numReturns` that is
 *   no whole number from 1 to their count; the signal's reason; ShutdownError when the session ends.
 * @example
 * const square = remote((n: number) => n * n)
 * const refs = [1, 2, 3].map((n) => square.remote(n))
 * const [ready, rest] = await wait(refs, { numReturns: 2 })
 * console.log([ready.length, rest.length]) // [2, 1]
 */
export const wait: Api['wait'] = pageApi.wait

/**
 * Ends an actor at once: calls that run or wait fail with ActorDiedError, and its name is free. With `noRestart: false` it
 * is as if it had crashed.
 *
 * @function
 * @throws TypeError for what is no handle.
 * @example
 * const Counter = actor(class { n = 0; add(k: number) { return (this.n += k) } })
 * const counter = Counter.remote()
 * kill(counter)
 */
export const kill: Api['kill'] = pageApi.kill

/**
 * The handle of a named actor, made in this tab or another one of the room. It does not keep the actor alive.
 *
 * @function
 * @throws ActorNotFoundError when there is none; TypeError or RangeError for what can be no name.
 * @example
 * const Counter = actor(class { n = 0; add(k: number) { return (this.n += k) } }, { name: 'visits' })
 * using counter = Counter.remote()
 * await get(counter.add.remote(1))
 * const again = await getActor<{ add(k: number): number }>('visits')
 * await get(again.add.remote(1)) // 2
 */
export const getActor: Api['getActor'] = pageApi.getActor

/**
 * Inside an actor's method: ends the actor, for good. On a page it throws. In an inline class take it by name, in a remote
 * module import it.
 *
 * @function
 * @throws TypeError outside of an actor.
 * @example
 * const Once = actor({}, ({ exitActor }) => class { finish() { exitActor() } })
 * await get(Once.remote().finish.remote()).catch((error: Error) => error.name) // ActorDiedError
 */
export const exitActor: Api['exitActor'] = pageApi.exitActor

/**
 * Cancels the task that makes the ref's object, as well as it can be, and returns at once. One that has not started never
 * does, and `get` rejects with TaskCancelledError. One that runs has its `context().signal` aborted and its waiting `get` and
 * `wait` rejected, so that it ends where it next awaits; what it throws then counts as TaskCancelledError, and a value that
 * it returns all the same stands. `force` ends its worker, and `get` rejects with WorkerCrashedError. What the task has
 * submitted is cancelled like it unless `recursive` is false. A task that is cancelled is never run again. Nothing happens
 * to a task that has ended, to what was `put`, and to a call of an actor.
 *
 * @function
 * @throws TypeError for what is no ref, another session's ref and an unknown or wrong option; ObjectFreedError for a ref that
 *   was released.
 * @example
 * const patient = remote({}, async ({ context }) => {
 *   const { signal } = context()
 *   await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
 * })
 * const ref = patient.remote()
 * cancel(ref)
 * await get(ref).catch((error: Error) => error.name) // TaskCancelledError
 */
export const cancel: Api['cancel'] = pageApi.cancel

/**
 * Reserves resources in tabs of the room, all of them or none: each bundle in one tab. Work runs in a group when its
 * `schedulingStrategy` names it, and in nothing but its bundles; nothing else runs in them. What no tab has room for now is
 * waited for. When a tab is gone, what was reserved in it is reserved elsewhere, before any new group, and the rest of the group
 * goes on. The group lives until it is removed or this tab's job ends.
 *
 * @function
 * @throws TypeError or RangeError for bundles or options that can be none, by name.
 * @example
 * const group = placementGroup([{ CPU: 1 }])
 * await get(group.ready()) // null
 * const add = remote((a: number, b: number) => a + b, { schedulingStrategy: { placementGroup: group, bundleIndex: 0 } })
 * await get(add.remote(1, 2)) // 3
 * removePlacementGroup(group)
 */
export const placementGroup: PageApi['placementGroup'] = pageApi.placementGroup

/**
 * Gives back what a group reserved, and ends what runs in it: tasks with TaskPlacementGroupRemovedError, actors with
 * ActorDiedError. Of one that is gone: nothing.
 *
 * @function
 * @throws TypeError for what is no placement group.
 * @example
 * const group = placementGroup([{ CPU: 1 }])
 * removePlacementGroup(group)
 */
export const removePlacementGroup: PageApi['removePlacementGroup'] = pageApi.removePlacementGroup

export { deregisterSerializer, registerError, registerSerializer } from './serializers.ts'
export { transfer } from '@shoal/protocol'

/**
 * Who and where the running task is; on a page, which node the page belongs to. In an inline function take it from the
 * first parameter.
 *
 * @function
 * @example
 * const attempt = remote({}, async ({ context }) => context().attempt)
 * await get(attempt.remote()) // 0
 */
export const context: Api['context'] = pageApi.context

export { gpu } from './gpu.ts'
export { defineBadge } from './badge/badge.ts'
export type { ShoalBadgeElement } from './badge/badge.ts'
export {
  getActorState,
  getObjectState,
  getTaskState,
  listActors,
  availableResources,
  clusterResources,
  listNodes,
  nodes,
  listObjects,
  listPlacementGroups,
  listTaskEvents,
  listTasks,
  listWorkers,
  summarizeTasks,
  timeline,
} from './state/state-functions.ts'
export type { TaskEventsOptions } from './state/ask-task-events.ts'
export type { Timeline, TraceEvent } from './state/timeline.ts'
export type {
  ActorState,
  NodeState,
  ObjectState,
  PlacementGroupState,
  StateApi,
  StateFilter,
  StateId,
  StateOptions,
  StateResult,
  StateTimeout,
  TaskState,
  TaskSummary,
  TaskEventBatch,
  TaskEvents,
  TaskEventsCursor,
  RunColumns,
  EndedAttempt,
  WorkerState,
} from '@shoal/core-worker'
export type {
  EventCursor,
  Lineage,
  LineageObject,
  NodeLink,
  ObjectStoreUse,
  ReferenceCounts,
  Replication,
  WorkerRun,
} from '@shoal/protocol'
export { createRoom, createSession, currentSession, init, shutdown } from './current-session.ts'
export type {
  IceServer,
  DebugOptions,
  InitOptions,
  Ledger,
  Member,
  MemberChanges,
  Role,
  Room,
  RoomOptions,
  RoomState,
  Session,
  SessionState,
  SessionStatus,
  TaskLine,
} from './session-types.ts'
export type { LendingLimits, LendingPauses } from './lending-limits.ts'
export type { LendingPause } from '@shoal/node/web'
export type { FaultRule } from '@shoal/transport'
export { ActorClass, ObjectRef, PlacementGroup, RemoteFunction } from '@shoal/core-worker'
export type {
  ActorHandle,
  ActorOptions,
  Bundle,
  CancelOptions,
  GetOptions,
  GpuApi,
  GpuArray,
  GpuArrayType,
  GpuBuffer,
  GpuBuffers,
  GpuInfo,
  GpuInput,
  GpuLimits,
  GpuPass,
  GpuRequest,
  GpuResults,
  GpuRoom,
  ObjectRefGenerator,
  PutOptions,
  ResourceOptions,
  RuntimeContext,
  LabelConditions,
  NodeAffinitySchedulingStrategy,
  NodeLabelSchedulingStrategy,
  PlacementGroupApi,
  PlacementGroupOptions,
  PlacementGroupSchedulingStrategy,
  SchedulingStrategy,
  TaskOptions,
  WaitOptions,
} from '@shoal/core-worker'
export {
  ActorDiedError,
  ActorError,
  ActorUnavailableError,
  ActorNotFoundError,
  PendingCallsLimitExceededError,
  CaptureError,
  GetTimeoutError,
  GpuDeviceLostError,
  GpuError,
  NodeDiedError,
  ObjectFreedError,
  ObjectLostError,
  ObjectReconstructionFailedError,
  ObjectStoreFullError,
  OwnerDiedError,
  PermissionError,
  RoomError,
  SerializationError,
  ShoalError,
  ShutdownError,
  TaskCancelledError,
  TaskError,
  TaskTimeoutError,
  TaskPlacementGroupRemovedError,
  TaskUnschedulableError,
  WorkerCrashedError,
} from '@shoal/protocol'
export type { ClassOf, ErrorCode, ErrorDetails, Serializer } from '@shoal/protocol'

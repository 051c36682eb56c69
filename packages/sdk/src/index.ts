import { pageApi } from './page-api.ts'

/**
 * Makes a function that runs anywhere in the room: `f.remote(...)` returns an ObjectRef at once. It may be written
 * inline when it stands alone; what it needs from outside is handed in by name as the first argument.
 *
 * @throws TypeError, RangeError for bad options, by name. CaptureError, on `get`, for what it captures.
 * @example
 * const add = remote((a: number, b: number) => a + b)
 * await get(add.remote(1, 2)) // 3
 */
export const remote = pageApi.remote

/**
 * Makes a class whose instances live somewhere in the room: `Counter.remote()` returns a handle at once.
 *
 * @example
 * const Counter = actor(class { n = 0; add(k: number) { return (this.n += k) } })
 * const counter = Counter.remote()
 * await get(counter.add.remote(2)) // 2
 */
export const actor = pageApi.actor

/**
 * Waits for the value of a ref, or of several in their order. Fails with the first error.
 *
 * @throws TaskError and the other outcomes of a task; GetTimeoutError after `timeoutMs`.
 */
export const get = pageApi.get

/** Stores a value and returns its ref: for what many tasks are to be given. */
export const put = pageApi.put

/** Waits until `numReturns` of the refs exist, as values or errors: the ready ones and the rest, each in their order. */
export const wait = pageApi.wait

/** Who and where the running task is. */
export const context = pageApi.context

export { defineBadge } from './badge/badge.ts'
export type { ShoalBadgeElement } from './badge/badge.ts'
export { createRoom, createSession, currentSession, init, shutdown } from './current-session.ts'
export type {
  IceServer,
  InitOptions,
  Member,
  MemberChanges,
  Role,
  Room,
  RoomOptions,
  RoomState,
  Session,
  SessionState,
  SessionStatus,
} from './session-types.ts'
export { ActorClass, ObjectRef, RemoteFunction } from '@shoal/core-worker'
export type {
  ActorHandle,
  ActorOptions,
  GetOptions,
  RuntimeContext,
  TaskOptions,
  WaitOptions,
} from '@shoal/core-worker'
export {
  ActorDiedError,
  ActorUnavailableError,
  CaptureError,
  GetTimeoutError,
  NodeDiedError,
  ObjectLostError,
  OwnerDiedError,
  PermissionError,
  RoomError,
  SerializationError,
  ShoalError,
  ShutdownError,
  TaskCancelledError,
  TaskError,
  TaskTimeoutError,
  TaskUnschedulableError,
  WorkerCrashedError,
} from '@shoal/protocol'

/**
 * Outcomes that a program can meet, as in Ray's RayError tree. They travel as data (`WireError`) and are made again on
 * the other side; retryability belongs to the class. `Symbol.for('shoal.error')` marks them across realms and copies.
 */
export type ErrorCode =
  | 'task-failed'
  | 'task-cancelled'
  | 'task-timeout'
  | 'task-unschedulable'
  | 'worker-crashed'
  | 'node-died'
  | 'object-lost'
  | 'owner-died'
  | 'actor-died'
  | 'actor-unavailable'
  | 'get-timeout'
  | 'capture'
  | 'not-serializable'
  | 'permission'
  | 'room'
  | 'shutdown'

const MARK = Symbol.for('shoal.error')

/** Ids and places that an error names, as fields rather than prose. */
export interface ErrorDetails {
  readonly taskId?: string
  readonly taskName?: string
  readonly actorId?: string
  readonly objectId?: string
  readonly nodeId?: string
  /** Where in a value the fault lies, e.g. `result.model.onDone`. */
  readonly path?: string
  readonly identifier?: string
}

/**
 * What can become of a task, an object or a session: the root of all errors that Shoal itself raises for them. `code` is
 * stable and `details` names whom it is about; `instanceof` holds for errors of other tabs and workers too.
 */
export class ShoalError extends Error {
  override readonly name: string = 'ShoalError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    Object.defineProperty(this, MARK, { value: true })
  }

  /** Whether Shoal itself may run the work again: true for faults of the system, false for those of the user's code. */
  get isRetryable(): boolean {
    return false
  }

  /** True for a ShoalError of any realm or copy of the SDK. */
  static is(value: unknown): value is ShoalError {
    return typeof value === 'object' && value !== null && MARK in value
  }
}

/** The user's code threw. `cause` is what it threw, revived by name where it is a built-in or a registered class. */
export class TaskError extends ShoalError {
  override readonly name = 'TaskError'
}

/** The task was cancelled. */
export class TaskCancelledError extends ShoalError {
  override readonly name = 'TaskCancelledError'
}

/** The task ran past its `timeoutMs` and its worker was ended. */
export class TaskTimeoutError extends ShoalError {
  override readonly name = 'TaskTimeoutError'
}

/** No node can ever run the task as asked. */
export class TaskUnschedulableError extends ShoalError {
  override readonly name = 'TaskUnschedulableError'
}

class SystemError extends ShoalError {
  override get isRetryable(): boolean {
    return true
  }
}

/** The worker that ran the task ended unexpectedly, more often than `maxRetries` allows. */
export class WorkerCrashedError extends SystemError {
  override readonly name = 'WorkerCrashedError'
}

/** The tab that ran the task went away, more often than `maxRetries` allows. */
export class NodeDiedError extends SystemError {
  override readonly name = 'NodeDiedError'
}

/** All copies of an object are gone and it could not be made again. */
export class ObjectLostError extends ShoalError {
  override readonly name: string = 'ObjectLostError'
}

/** The object's owner is gone and nobody took its ledger over. */
export class OwnerDiedError extends ObjectLostError {
  override readonly name = 'OwnerDiedError'
}

/** The actor is gone for good. */
export class ActorDiedError extends ShoalError {
  override readonly name = 'ActorDiedError'
}

/** The actor cannot be reached now; the call may or may not have run. */
export class ActorUnavailableError extends ShoalError {
  override readonly name = 'ActorUnavailableError'
}

/** `get` waited longer than its `timeoutMs`. The task goes on. */
export class GetTimeoutError extends ShoalError {
  override readonly name = 'GetTimeoutError'
}

/** A function uses something that does not exist in another tab. */
export class CaptureError extends ShoalError {
  override readonly name = 'CaptureError'
}

/** A value cannot be sent; `details.path` says where in it. */
export class SerializationError extends ShoalError {
  override readonly name = 'SerializationError'
}

/** This tab's link does not allow what was asked. */
export class PermissionError extends ShoalError {
  override readonly name = 'PermissionError'
}

/** The room cannot be joined or was left. */
export class RoomError extends ShoalError {
  override readonly name = 'RoomError'
}

/** The session was shut down. */
export class ShutdownError extends ShoalError {
  override readonly name = 'ShutdownError'
}

const CLASS_OF = {
  'task-failed': TaskError,
  'task-cancelled': TaskCancelledError,
  'task-timeout': TaskTimeoutError,
  'task-unschedulable': TaskUnschedulableError,
  'worker-crashed': WorkerCrashedError,
  'node-died': NodeDiedError,
  'object-lost': ObjectLostError,
  'owner-died': OwnerDiedError,
  'actor-died': ActorDiedError,
  'actor-unavailable': ActorUnavailableError,
  'get-timeout': GetTimeoutError,
  capture: CaptureError,
  'not-serializable': SerializationError,
  permission: PermissionError,
  room: RoomError,
  shutdown: ShutdownError,
} satisfies Record<ErrorCode, new (code: ErrorCode, message: string, options?: { cause?: unknown }) => ShoalError>

export const ERROR_CODES = Object.keys(CLASS_OF) as ErrorCode[]

/** The class's instance for a code that came over a wire. */
export function makeError(
  code: ErrorCode,
  message: string,
  options: { cause?: unknown; details?: ErrorDetails } = {},
): ShoalError {
  return new CLASS_OF[code](code, message, options)
}

/**
 * Outcomes that a program can meet, as in Ray's RayError tree. They travel as data (`WireError`) and are made again on
 * the other side; retryability belongs to the class. `Symbol.for('shoal.error')` marks them across realms and copies.
 */
export type ErrorCode =
  | 'task-failed'
  | 'task-cancelled'
  | 'task-timeout'
  | 'task-unschedulable'
  | 'task-placement-group-removed'
  | 'worker-crashed'
  | 'node-died'
  | 'object-lost'
  | 'owner-died'
  | 'object-freed'
  | 'object-reconstruction-failed'
  | 'object-store-full'
  | 'gpu-unavailable'
  | 'gpu-shader'
  | 'gpu-validation'
  | 'gpu-out-of-memory'
  | 'gpu-device-lost'
  | 'actor-died'
  | 'actor-unavailable'
  | 'actor-not-found'
  | 'pending-calls-limit'
  | 'get-timeout'
  | 'capture'
  | 'not-serializable'
  | 'permission'
  | 'room'
  | 'shutdown'

const MARK = Symbol.for('shoal.error')

/** Why an object whose copies are gone was not made again; Ray's words. */
export const RECONSTRUCTION_FAILURES = ['max-attempts-exceeded', 'retries-disabled', 'task-cancelled'] as const
export type ReconstructionFailure = (typeof RECONSTRUCTION_FAILURES)[number]

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
  /** Of ObjectReconstructionFailedError. */
  readonly reason?: ReconstructionFailure
}

/**
 * What can become of a task, an object or a session: the root of all errors that Shoal itself raises for them. `code` is
 * stable and `details` names whom it is about; `instanceof` holds for errors of other tabs, workers and copies of the SDK
 * too: each class is known by its name, which an error carries together with those of its bases.
 */
export class ShoalError extends Error {
  /** The class's name, which minifiers leave alone. */
  static readonly kind: string = 'ShoalError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.kind
    this.code = code
    this.details = options.details ?? {}
    mark(this, kindsOf(new.target))
  }

  /** Whether Shoal itself may run the work again: true for faults of the system, false for those of the user's code. */
  get isRetryable(): boolean {
    return false
  }

  /** True for a ShoalError of any realm or copy of the SDK. */
  static is(value: unknown): value is ShoalError {
    return typeof value === 'object' && value !== null && MARK in value
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // What a program derives from one of these classes is an ordinary class.
    if (!Object.hasOwn(this, 'kind')) return Function.prototype[Symbol.hasInstance].call(this, value)
    return ShoalError.is(value) && marks(value).includes(this.kind)
  }
}

function mark(error: ShoalError, kinds: readonly string[]): void {
  Object.defineProperty(error, MARK, { value: kinds, configurable: true })
}

function marks(error: ShoalError): readonly string[] {
  const kinds = (error as unknown as Readonly<Record<symbol, unknown>>)[MARK]
  return Array.isArray(kinds) ? (kinds as string[]) : []
}

/** The kinds of a class and its bases, nearest first. */
function kindsOf(Class: typeof ShoalError): readonly string[] {
  const kinds: string[] = []
  for (let at: unknown = Class; typeof at === 'function' && at !== Error; at = Object.getPrototypeOf(at))
    if (Object.hasOwn(at, 'kind')) kinds.push((at as typeof ShoalError).kind)
  return kinds
}

/**
 * The user's code threw, or an argument of the task could not be computed. `cause` is what was thrown first hand,
 * revived as a built-in by name or as a registered class. As in Ray the error is also an instance of its cause's class,
 * has its fields, and is named after it: `TaskError(RangeError)`.
 */
export class TaskError extends ShoalError {
  static override readonly kind: string = 'TaskError'

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(code, message, options)
    if (options.cause instanceof Error) beLike(this, options.cause)
  }
}

const likes = new WeakMap<object, object>()

/** Makes a TaskError an instance of its cause's class too, with the cause's fields where it has none itself. */
function beLike(error: TaskError, cause: Error): void {
  const isTaskError = cause instanceof TaskError
  error.name = isTaskError ? cause.name : `TaskError(${String(cause.name)})`
  if (ShoalError.is(cause)) mark(error, [...new Set([...marks(error), ...marks(cause)])])
  const own = new Set(Object.getOwnPropertyNames(error))
  for (const key of [...Object.keys(cause), 'errors'])
    if (!own.has(key) && Object.hasOwn(cause, key))
      Object.defineProperty(error, key, { ...Object.getOwnPropertyDescriptor(cause, key), configurable: true })
  if (ShoalError.is(cause) && !isTaskError) return
  const proto = Object.getPrototypeOf(cause) as object
  if (proto === Error.prototype) return
  let like = isTaskError ? proto : likes.get(proto)
  if (like === undefined) {
    const isRetryable = { get: () => false, configurable: true }
    like = Object.create(proto, { constructor: { value: TaskError, configurable: true }, isRetryable }) as object
    likes.set(proto, like)
  }
  Object.setPrototypeOf(error, like)
}

/** The task was cancelled. */
export class TaskCancelledError extends ShoalError {
  static override readonly kind: string = 'TaskCancelledError'
}

/** The task ran past its `timeoutMs` and its worker was ended. */
export class TaskTimeoutError extends ShoalError {
  static override readonly kind: string = 'TaskTimeoutError'
}

/** No node can ever run the task as asked. */
export class TaskUnschedulableError extends ShoalError {
  static override readonly kind: string = 'TaskUnschedulableError'
}

/** The placement group that the task was to run in, or ran in, was removed. */
export class TaskPlacementGroupRemovedError extends ShoalError {
  static override readonly kind: string = 'TaskPlacementGroupRemovedError'
}

class SystemError extends ShoalError {
  override get isRetryable(): boolean {
    return true
  }
}

/** The worker that ran the task ended unexpectedly, more often than `maxRetries` allows. */
export class WorkerCrashedError extends SystemError {
  static override readonly kind: string = 'WorkerCrashedError'
}

/** The tab that ran the task went away, more often than `maxRetries` allows. */
export class NodeDiedError extends SystemError {
  static override readonly kind: string = 'NodeDiedError'
}

/** All copies of an object are gone. */
export class ObjectLostError extends ShoalError {
  static override readonly kind: string = 'ObjectLostError'
}

/** The object's owner is gone and nobody took its ledger over. */
export class OwnerDiedError extends ObjectLostError {
  static override readonly kind: string = 'OwnerDiedError'
}

/** The ref was released and then used. */
export class ObjectFreedError extends ObjectLostError {
  static override readonly kind: string = 'ObjectFreedError'
}

/** All copies of a task's result are gone and the task may not run again; `details.reason` says why. */
export class ObjectReconstructionFailedError extends ObjectLostError {
  static override readonly kind: string = 'ObjectReconstructionFailedError'
}

/** A tab has no room for an object: its objects fill the memory that they may have, and its disk takes no more. */
export class ObjectStoreFullError extends SystemError {
  static override readonly kind: string = 'ObjectStoreFullError'
}

/**
 * What a task asked of the GPU cannot be done. `gpu-unavailable`: its tab has none; `gpu-shader`: the shader does not
 * compile, and the message has its lines; `gpu-validation`: sizes, names or bindings are wrong; `gpu-out-of-memory`.
 */
export class GpuError extends ShoalError {
  static override readonly kind: string = 'GpuError'
}

/** The browser gave the GPU up while the task used it, more often than `maxRetries` allows. */
export class GpuDeviceLostError extends SystemError {
  static override readonly kind: string = 'GpuDeviceLostError'
}

/** A call that an actor did not answer: ActorDiedError or ActorUnavailableError. */
export class ActorError extends ShoalError {
  static override readonly kind: string = 'ActorError'
}

/** The actor is gone for good. `cause` is what its constructor threw, if that was why. */
export class ActorDiedError extends ActorError {
  static override readonly kind: string = 'ActorDiedError'
}

/** The actor cannot be reached now; the call may or may not have run. */
export class ActorUnavailableError extends ActorError {
  static override readonly kind: string = 'ActorUnavailableError'
}

/** No actor has that name, as far as this tab can know. */
export class ActorNotFoundError extends ActorError {
  static override readonly kind: string = 'ActorNotFoundError'
}

/** More calls of one handle have no outcome yet than the actor's `maxPendingCalls` allows. */
export class PendingCallsLimitExceededError extends ActorError {
  static override readonly kind: string = 'PendingCallsLimitExceededError'
}

/** `get` waited longer than its `timeoutMs`. The task goes on. */
export class GetTimeoutError extends ShoalError {
  static override readonly kind: string = 'GetTimeoutError'
}

/** A function uses something that does not exist in another tab. */
export class CaptureError extends ShoalError {
  static override readonly kind: string = 'CaptureError'
}

/** A value cannot be sent, or cannot be made again where it arrived; `details.path` says where in it. */
export class SerializationError extends ShoalError {
  static override readonly kind: string = 'SerializationError'
}

/** This tab's link does not allow what was asked. */
export class PermissionError extends ShoalError {
  static override readonly kind: string = 'PermissionError'
}

/** The room cannot be joined or was left. */
export class RoomError extends ShoalError {
  static override readonly kind: string = 'RoomError'
}

/** The session was shut down. */
export class ShutdownError extends ShoalError {
  static override readonly kind: string = 'ShutdownError'
}

const CLASS_OF = {
  'task-failed': TaskError,
  'task-cancelled': TaskCancelledError,
  'task-timeout': TaskTimeoutError,
  'task-unschedulable': TaskUnschedulableError,
  'task-placement-group-removed': TaskPlacementGroupRemovedError,
  'worker-crashed': WorkerCrashedError,
  'node-died': NodeDiedError,
  'object-lost': ObjectLostError,
  'owner-died': OwnerDiedError,
  'object-freed': ObjectFreedError,
  'object-reconstruction-failed': ObjectReconstructionFailedError,
  'object-store-full': ObjectStoreFullError,
  'gpu-unavailable': GpuError,
  'gpu-shader': GpuError,
  'gpu-validation': GpuError,
  'gpu-out-of-memory': GpuError,
  'gpu-device-lost': GpuDeviceLostError,
  'actor-died': ActorDiedError,
  'actor-unavailable': ActorUnavailableError,
  'actor-not-found': ActorNotFoundError,
  'pending-calls-limit': PendingCallsLimitExceededError,
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

import {
  decodeValue,
  LIMITS,
  makeError,
  messageOf,
  newWireError,
  SerializationError,
  ShoalError,
  TaskError,
} from '@shoal/protocol'
import type {
  DecodeHooks,
  EncodedValue,
  ErrorDetails,
  SerializerRegistry,
  ValueEncoder,
  WireError,
} from '@shoal/protocol'

/**
 * The error's class again, with the remote stack and, for user code, what it threw as `cause`. A task that never ran
 * because an argument failed has failed itself: whatever that argument died of is the cause.
 */
export function reviveError(wire: WireError, hooks: DecodeHooks): ShoalError {
  const cause = wire.cause === undefined ? undefined : decodeCause(wire.cause, hooks)
  const first = makeError(wire.code, wire.message, {
    ...(wire.cause !== undefined && { cause }),
    details: detailsOf(wire),
  })
  if (wire.stack !== undefined) setStack(first, wire.message, wire.stack)
  if (wire.argumentOf === undefined) return first
  const error = new TaskError('task-failed', messageOf(wire), {
    cause: wire.code === 'task-failed' ? cause : first,
    details: first.details,
  })
  if (wire.stack !== undefined) setStack(error, error.message, wire.stack)
  return error
}

function detailsOf(wire: WireError): ErrorDetails {
  return {
    ...(wire.taskId !== undefined && { taskId: wire.taskId }),
    ...(wire.taskName !== undefined && { taskName: wire.taskName }),
    ...(wire.actorId !== undefined && { actorId: wire.actorId }),
    ...(wire.objectId !== undefined && { objectId: wire.objectId }),
    ...(wire.nodeId !== undefined && { nodeId: wire.nodeId }),
    ...(wire.path !== undefined && { path: wire.path }),
    ...(wire.identifier !== undefined && { identifier: wire.identifier }),
    ...(wire.reason !== undefined && { reason: wire.reason }),
  }
}

function setStack(error: Error, message: string, frames: string): void {
  Object.defineProperty(error, 'stack', {
    value: `${error.name}: ${message}\n${frames}`,
    writable: true,
    configurable: true,
  })
}

/** The error itself has to arrive, also when another tab sent a cause that cannot be read. */
function decodeCause(cause: EncodedValue, hooks: DecodeHooks): unknown {
  try {
    return decodeValue(cause, hooks)
  } catch (error) {
    return error
  }
}

/** Which task threw. */
export interface ThrownIn {
  readonly taskName: string
  readonly taskId?: string
  /** The classes that are registered where it was thrown. */
  readonly serializers?: SerializerRegistry | undefined
}

/** What user code threw, as it travels. Anything can be thrown; what cannot be cloned is told as text. */
export function captureThrown(thrown: unknown, where: ThrownIn, encoder: ValueEncoder): WireError {
  const { taskName, taskId } = where
  // Not what the task did, but what became of its tab: it is run again.
  if (ShoalError.is(thrown) && thrown.code === 'gpu-device-lost')
    return newWireError(thrown.code, thrown.message, { taskName, taskId, stack: framesOf(thrown) })
  // One that names a task has been through here: it was thrown by that one, and this one let it pass.
  if (thrown instanceof SerializationError && thrown.details.taskName === undefined)
    return newWireError(thrown.code, thrown.message, {
      taskName,
      taskId,
      stack: framesOf(thrown),
      path: thrown.details.path,
      cause: thrown.cause === undefined ? undefined : encodeCause(thrown.cause, describe(thrown.cause), encoder),
    })
  const inner =
    thrown instanceof Error ? `${textOf(() => thrown.name)}: ${textOf(() => thrown.message)}` : describe(thrown)
  return newWireError('task-failed', `${taskName} failed: ${inner}`.slice(0, MOST_TEXT), {
    taskName,
    taskId,
    stack: thrown instanceof Error ? framesOf(thrown) : undefined,
    cause: encodeCause(thrown, inner, encoder),
    kinds: kindsOf(thrown, where.serializers),
  })
}

/** The names of an error's classes, nearest first, and of its cause's when it tells of another task's failure. */
function kindsOf(thrown: unknown, serializers: SerializerRegistry | undefined): string[] {
  const kinds = new Set<string>()
  for (let error = thrown; error instanceof Error && kinds.size <= LIMITS.errorKinds;) {
    const current = error
    kinds.add(textOf(() => current.name))
    kinds.add(serializers?.errorName(current) ?? '')
    for (let proto: unknown = Object.getPrototypeOf(error); proto !== null && proto !== Object.prototype;) {
      const made: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
      if (typeof made === 'function') kinds.add(made.name)
      proto = Object.getPrototypeOf(proto) as unknown
    }
    error = error instanceof TaskError ? valueOf(() => current.cause) : undefined
  }
  kinds.delete('')
  return [...kinds].slice(0, LIMITS.errorKinds).map((kind) => kind.slice(0, 80))
}

/** An error travels inside messages. */
const MOST_CAUSE_BYTES = 64 * 1024
const MOST_TEXT = 20_000
const MOST_CAUSES = 8

/** What was thrown; without the parts that cannot be sent; or, when nothing else is left, its text. */
function encodeCause(thrown: unknown, text: string, encoder: ValueEncoder): EncodedValue {
  return (
    encodeSmall(thrown, encoder) ??
    (thrown instanceof Error ? encodeSmall(withoutUnsendable(thrown, encoder, 0), encoder) : undefined) ??
    encoder.encode(new Error(text.slice(0, MOST_TEXT)), 'error')
  )
}

function encodeSmall(value: unknown, encoder: ValueEncoder, mostBytes = MOST_CAUSE_BYTES): EncodedValue | undefined {
  try {
    const encoded = encoder.encode(value, 'error')
    // Refs are counted by the values that hold them, and an error is none.
    const isSmall = encoded.body.length <= mostBytes && encoded.buffers.length === 0 && encoded.refs.length === 0
    return isSmall ? encoded : undefined
  } catch {
    return undefined
  }
}

/** A copy of the same class with the fields that can be sent, and likewise for its causes. */
function withoutUnsendable(error: Error, encoder: ValueEncoder, depth: number): Error {
  const message = textOf(() => error.message).slice(0, MOST_TEXT)
  const cause = causeWithoutUnsendable(error, encoder, depth)
  if (ShoalError.is(error)) {
    const copy = makeError(error.code, message, { ...(cause !== undefined && { cause }), details: error.details })
    return withStackOf(copy, error)
  }
  const copy = new Error(message, cause === undefined ? undefined : { cause })
  const name = textOf(() => error.name)
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object)
  if (textOf(() => copy.name) !== name) Object.defineProperty(copy, 'name', { value: name, configurable: true })
  for (const key of Object.keys(error)) {
    if (Object.hasOwn(copy, key)) continue
    const value = valueOf(() => (error as unknown as Record<string, unknown>)[key])
    if (value === undefined || encodeSmall(value, encoder, MOST_FIELD_BYTES) === undefined) continue
    Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return withStackOf(copy, error)
}

const MOST_FIELD_BYTES = 4 * 1024

function causeWithoutUnsendable(error: Error, encoder: ValueEncoder, depth: number): unknown {
  const cause = valueOf(() => error.cause)
  if (cause === undefined || depth >= MOST_CAUSES) return undefined
  if (cause instanceof Error) return withoutUnsendable(cause, encoder, depth + 1)
  return encodeSmall(cause, encoder, MOST_FIELD_BYTES) === undefined ? describe(cause).slice(0, MOST_TEXT) : cause
}

function withStackOf(copy: Error, error: Error): Error {
  const stack = textOf(() => error.stack ?? '').slice(0, MOST_TEXT)
  Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true })
  return copy
}

/** What user code made may throw when it is looked at. */
function valueOf(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}

function textOf(read: () => unknown): string {
  const text = valueOf(read)
  return typeof text === 'string' ? text : ''
}

function framesOf(error: Error): string | undefined {
  const stack = textOf(() => error.stack)
  const frames = stack.split('\n').filter((line) => /^\s+at |@/.test(line))
  return frames.length === 0 ? undefined : frames.join('\n').slice(0, 20_000)
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : String(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

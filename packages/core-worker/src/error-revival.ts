import {
  decodeValue,
  LIMITS,
  makeError,
  newWireError,
  SerializationError,
  ShoalError,
  TaskError,
} from '@shoal/protocol'
import type { DecodeHooks, EncodedValue, ErrorDetails, ValueEncoder, WireError } from '@shoal/protocol'

/** The error's class again, with the remote stack and, for user code, what it threw as `cause`. */
export function reviveError(wire: WireError, hooks: DecodeHooks): ShoalError {
  const cause = wire.cause === undefined ? undefined : decodeCause(wire.cause, hooks)
  const details: ErrorDetails = {
    ...(wire.taskId !== undefined && { taskId: wire.taskId }),
    ...(wire.taskName !== undefined && { taskName: wire.taskName }),
    ...(wire.actorId !== undefined && { actorId: wire.actorId }),
    ...(wire.objectId !== undefined && { objectId: wire.objectId }),
    ...(wire.nodeId !== undefined && { nodeId: wire.nodeId }),
    ...(wire.path !== undefined && { path: wire.path }),
    ...(wire.identifier !== undefined && { identifier: wire.identifier }),
  }
  const error = makeError(wire.code, wire.message, { ...(wire.cause !== undefined && { cause }), details })
  if (wire.stack !== undefined) {
    const stack = `${error.name}: ${wire.message}\n${wire.stack}`
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
  }
  return error
}

/** The error itself has to arrive, also when another tab sent a cause that cannot be read. */
function decodeCause(cause: EncodedValue, hooks: DecodeHooks): unknown {
  try {
    return decodeValue(cause, hooks)
  } catch (error) {
    return error
  }
}

/** What user code threw, as it travels. Anything can be thrown; what cannot be cloned is told as text. */
export function captureThrown(thrown: unknown, taskName: string, encoder: ValueEncoder): WireError {
  if (thrown instanceof SerializationError)
    return newWireError(thrown.code, thrown.message, { taskName, stack: thrown.stack, path: thrown.details.path })
  const inner = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describe(thrown)
  const stack = thrown instanceof Error ? framesOf(thrown) : undefined
  const isForwarded = ShoalError.is(thrown) && thrown.code !== 'task-failed'
  const code = isForwarded ? thrown.code : 'task-failed'
  const message = `${taskName} failed: ${inner}`.slice(0, 20_000)
  const kinds = code === 'task-failed' ? kindsOf(thrown) : undefined
  return newWireError(code, message, { taskName, stack, cause: encodeCause(thrown, inner, encoder), kinds })
}

/** The names of an error's classes, nearest first, and of its cause's when it tells of another task's failure. */
function kindsOf(thrown: unknown): string[] {
  const kinds = new Set<string>()
  for (let error = thrown; error instanceof Error; error = error instanceof TaskError ? error.cause : undefined) {
    kinds.add(String(error.name))
    for (let proto: unknown = Object.getPrototypeOf(error); proto !== null && proto !== Object.prototype;) {
      const made: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
      if (typeof made === 'function') kinds.add(made.name)
      proto = Object.getPrototypeOf(proto) as unknown
    }
  }
  kinds.delete('')
  return [...kinds].slice(0, LIMITS.errorKinds).map((kind) => kind.slice(0, 80))
}

function encodeCause(thrown: unknown, text: string, encoder: ValueEncoder): WireError['cause'] {
  try {
    const cause = encoder.encode(thrown, 'error')
    // An error travels inside messages, and is kept where nobody counts refs: what is too large or holds one goes as text.
    if (cause.body.length <= 64 * 1024 && cause.buffers.length === 0 && cause.refs.length === 0) return cause
  } catch {
    // Told as text below.
  }
  return encoder.encode(new Error(text.slice(0, 20_000)), 'error')
}

function framesOf(error: Error): string | undefined {
  const stack = typeof error.stack === 'string' ? error.stack : ''
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

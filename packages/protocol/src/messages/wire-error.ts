import { ERROR_CODES } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { array, oneOf, optional, string, struct } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'

const text = string(LIMITS.inlineValueBytes)
const id = optional(string(128))

/** An error on its way: data, made into its class again where it is thrown. `cause` is what the user's code threw. */
export const wireError = struct({
  code: oneOf(ERROR_CODES as unknown as readonly ErrorCode[]),
  message: text,
  stack: optional(text),
  cause: optional(inlineValue),
  taskId: id,
  taskName: optional(text),
  actorId: id,
  objectId: id,
  nodeId: id,
  path: optional(text),
  identifier: optional(text),
  /** Names of what the user's code threw and of its base classes, nearest first; told of `task-failed` alone. */
  kinds: optional(array(string(LIMITS.nameBytes), LIMITS.errorKinds)),
})
export type WireError = Infer<typeof wireError>

/** A wire error with the fields given; all others are absent. */
export function newWireError(code: ErrorCode, message: string, fields: Partial<WireError> = {}): WireError {
  return {
    code,
    message,
    stack: undefined,
    cause: undefined,
    taskId: undefined,
    taskName: undefined,
    actorId: undefined,
    objectId: undefined,
    nodeId: undefined,
    path: undefined,
    identifier: undefined,
    kinds: undefined,
    ...fields,
  }
}

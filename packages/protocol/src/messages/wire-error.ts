import { ERROR_CODES, RECONSTRUCTION_FAILURES } from '../errors.ts'
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
  /** What could not be computed because of it, level by level: `argument 0 of f could not be computed: `. */
  argumentOf: optional(text),
  /** Why an object was not made again. */
  reason: optional(oneOf(RECONSTRUCTION_FAILURES)),
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
    argumentOf: undefined,
    reason: undefined,
    kinds: undefined,
    ...fields,
  }
}

/** Longest account of the levels of a chain of tasks; what is in the middle of a longer one is left out. */
const CHAIN_CHARACTERS = 4_000

/**
 * The error of a task whose argument failed: that argument's error, with one level more. It is no error of the task's
 * own code, so it has no kinds.
 */
export function argumentFailed(error: WireError, place: number, taskName: string): WireError {
  // Past the last place is the list of all of them: see ALL_ARGUMENTS.
  const which = place < LIMITS.taskArguments ? `argument ${place}` : 'the arguments'
  let argumentOf = `${which} of ${taskName} could not be computed: ${error.argumentOf ?? ''}`
  if (argumentOf.length > CHAIN_CHARACTERS) {
    const half = CHAIN_CHARACTERS / 2
    argumentOf = `${argumentOf.slice(0, half - 10)} [...] ${argumentOf.slice(-half)}`
  }
  return { ...error, argumentOf, kinds: undefined }
}

/** The message that people read, with what could not be computed because of it. */
export function messageOf(error: WireError): string {
  return (error.argumentOf ?? '') + error.message
}

import { attempt, functionHash, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, optional, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { dependency } from './task.ts'
import { wireError } from './wire-error.ts'

/** Asks an object's owner for it, now or as soon as it exists. */
export const objectWant = struct({ id: objectId })
/** The owner's answer. */
export const objectAnswer = union({
  value: struct({ object: dependency }),
  failed: struct({ id: objectId, error: wireError }),
})
export type ObjectAnswer = Infer<typeof objectAnswer>

/** What can be pulled over the bulk channel. */
export const pullSubject = union({
  object: struct({ id: objectId, attempt }),
  function: struct({ hash: functionHash }),
})
export type PullSubject = Infer<typeof pullSubject>

/** Asks a holder for the bytes, from `offset` on. `pull` is the asker's number for it. */
export const objectPull = struct({ pull: varint, subject: pullSubject, offset: varint })
/**
 * The holder's first word: the run's length; chunks follow on the bulk channel. `handOver`: it keeps the object, and so
 * what is inside, until `ref.confirm` of that number; 0: nothing is inside.
 */
export const objectHead = struct({ pull: varint, bytes: varint, handOver: varint })
/** The holder does not have it (any more). */
export const objectMissing = struct({ pull: varint })
/** The asker has no use for further chunks. */
export const objectStop = struct({ pull: varint })
/** A puller tells the owner that it holds a copy too. */
export const objectHeld = struct({ id: objectId, attempt })
/** Whoever answers for the objects freed them: holders drop their copies, or with an attempt only those of that one. */
export const objectFree = struct({ attempt: optional(attempt), ids: array(objectId, LIMITS.valueReferences) })

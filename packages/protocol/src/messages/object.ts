import { attempt, functionHash, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bool, bytes, optional, struct, union, varint } from '../schema.ts'
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

/** Segments of one object: see `objectHead`. */
const segments = array(varint, LIMITS.objectSegments)
/** Asks a holder for segments, and first of all for its head. `pull` is the asker's number for it. */
export const objectPull = struct({ pull: varint, subject: pullSubject, segments })
/**
 * The holder's first word: the run's length, and the SHA-256 of each of its segments; the segments asked for follow on the
 * bulk channel. `handOver`: it keeps the object, and so what is inside, until `ref.confirm` of that number; 0: nothing is
 * inside. `isPartial`: it fetches the object itself, and so far it `has` these.
 */
export const objectHead = struct({
  pull: varint,
  bytes: varint,
  hashes: bytes(LIMITS.objectSegments * 32),
  handOver: varint,
  isPartial: bool,
  has: segments,
})
/** A holder that fetches the object itself has one segment more. */
export const objectHave = struct({ pull: varint, segment: varint })
/** These nodes pull the same from the holder now. */
export const objectAlso = struct({ pull: varint, nodes: array(nodeId, LIMITS.roomMembers) })
/** The holder does not have it (any more). */
export const objectMissing = struct({ pull: varint })
/** The asker has no use for these segments, or, when there are none, for anything of the pull. */
export const objectStop = struct({ pull: varint, segments })
/** A puller tells the owner that it holds a copy too. */
export const objectHeld = struct({ id: objectId, attempt })
/** The sender's copy is gone, though it may have references still: its disk has lost it. */
export const objectGone = struct({ id: objectId, attempt })
/** Whoever answers for the objects freed them: holders drop their copies, or with an attempt only those of that one. */
export const objectFree = struct({ attempt: optional(attempt), ids: array(objectId, LIMITS.valueReferences) })

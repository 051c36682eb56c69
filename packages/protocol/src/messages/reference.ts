import { nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bool, struct, varint } from '../schema.ts'

/**
 * The hand-over of that number, counted by the sender of the refs for each life of the receiver, is complete: every ref in
 * it is counted by its owner. Those that the sender owns are counted by this very message.
 */
export const refConfirm = struct({ number: varint })
/** Asks whoever answers for a ledger to count the sender as a borrower of its objects; answered by the same number. */
export const refRegister = struct({ owner: nodeId, number: varint, objects: array(varint, LIMITS.messageReferences) })
/** Done; `unknown` are those that do not exist any more. */
export const refRegistered = struct({ number: varint, unknown: array(varint, LIMITS.messageReferences) })
/** The sender holds no reference to the object any more, and with `isCopyGone` no copy either. */
export const refRelease = struct({ id: objectId, isCopyGone: bool })

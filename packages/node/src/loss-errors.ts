import { formatObjectId, newWireError, showId } from '@shoal/protocol'
import type { ObjectId, ReconstructionFailure, WireError } from '@shoal/protocol'

/** The owner's tab is gone, and nobody who is left has the object or knows what would make it again. */
export function ownerDied(id: ObjectId): WireError {
  return newWireError('owner-died', `the tab that owned ${showId(id)} is gone`, { nodeId: id.owner })
}

const WHY_NOT_REBUILT: Readonly<Record<ReconstructionFailure, string>> = {
  'retries-disabled': 'may not run again (maxRetries 0)',
  'max-attempts-exceeded': 'has used up its retries',
  'task-cancelled': 'was cancelled',
}

/** All copies are gone, and the task that made it runs no more. */
export function notRebuilt(id: ObjectId, reason: ReconstructionFailure): WireError {
  return newWireError(
    'object-reconstruction-failed',
    `all copies of ${showId(id)} are gone, and the task that made it ${WHY_NOT_REBUILT[reason]}`,
    { objectId: formatObjectId(id), reason },
  )
}

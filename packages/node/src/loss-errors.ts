import { newWireError, showId } from '@shoal/protocol'
import type { ObjectId, WireError } from '@shoal/protocol'

/** The owner's tab is gone, and nobody who is left has the object or knows what would make it again. */
export function ownerDied(id: ObjectId): WireError {
  return newWireError('owner-died', `the tab that owned ${showId(id)} is gone`, { nodeId: id.owner })
}

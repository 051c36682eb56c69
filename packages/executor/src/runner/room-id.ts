import { formatObjectId, THIS_NODE } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'

/** The id by which the whole room knows what a worker knows by its tab's own number, as text. */
export function roomIdOf(id: ObjectId, nodeId: NodeId): string {
  return formatObjectId(id.owner === THIS_NODE ? { ...id, owner: nodeId } : id)
}

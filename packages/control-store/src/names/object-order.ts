import type { ObjectId } from '@shoal/protocol'

/** By owner and then by number: the order that decides who keeps a name. */
export function compareObjectIds(a: ObjectId, b: ObjectId): number {
  if (a.owner !== b.owner) return a.owner < b.owner ? -1 : 1
  return a.number - b.number
}

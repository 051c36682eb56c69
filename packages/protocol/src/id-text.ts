import type { JobId, NodeId, ObjectId } from './ids.ts'
import { ProtocolError } from './protocol-error.ts'

// Apart from the ids themselves: the sandbox's first stage reads and writes ids, and needs none as text.

export function parseNodeId(text: string): NodeId {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new ProtocolError('malformed', `not a node id: ${text.slice(0, 40)}`)
  return text as NodeId
}

/** Readable form, e.g. `3f2a9c01/17`: the owner's first 8 digits and the number. */
export function showId(id: ObjectId): string {
  return `${id.owner.slice(0, 8)}/${id.number}`
}

/** Full form, unique everywhere; `parseObjectId` reads it back. */
export function formatObjectId(id: ObjectId): string {
  return `${id.owner}/${id.number}`
}

export function parseObjectId(text: string): ObjectId {
  const [owner = '', number = ''] = text.split('/')
  if (!/^\d{1,16}$/.test(number)) throw new ProtocolError('malformed', 'not an object id')
  return { owner: parseNodeId(owner), number: Number(number) }
}

export function formatJobId(id: JobId): string {
  return `${id.driver}-${id.number}`
}

import { formatObjectId, messageOf, newWireError, showId } from '@shoal/protocol'
import type { NodeId, ObjectId, WireError } from '@shoal/protocol'

/** The actor is not there for good. */
export function gone(actor: ObjectId): WireError {
  return newWireError('actor-died', `the actor ${showId(actor)} is not alive`, { actorId: formatObjectId(actor) })
}

/** An actor's end, with its cause: what its constructor threw, or what took its worker or tab. */
export function actorDied(actor: ObjectId, cause: WireError): WireError {
  if (cause.code === 'actor-died') return cause
  return {
    ...cause,
    code: 'actor-died',
    actorId: formatObjectId(actor),
    message: `the actor died: ${messageOf(cause)}`,
    argumentOf: undefined,
  }
}

/** A call was under way when the actor was lost, which is made again or may be reached again. */
export function maybeRan(actor: ObjectId, cause: WireError): WireError {
  const message = `the actor ${showId(actor)} was lost while a call ran, which may or may not have had its effect: ${messageOf(cause)}`
  return newWireError('actor-unavailable', message, { actorId: formatObjectId(actor) })
}

export function tabGone(actor: ObjectId, node: NodeId): WireError {
  const message = `the tab ${node.slice(0, 8)} of the actor ${showId(actor)} is gone`
  return newWireError('actor-died', message, { nodeId: node, actorId: formatObjectId(actor) })
}

import { STATE_CALLS } from '@shoal/protocol'

interface Checkpointable {
  saveCheckpoint?(): unknown
  loadCheckpoint?(state: unknown): unknown
}

/**
 * Saves what an actor's next incarnation needs, or takes it in: by the class's own `saveCheckpoint` and `loadCheckpoint`,
 * or else the actor's own fields but for functions, which its constructor makes again.
 *
 * @returns of a save a list of the state alone: what restores it has that as its arguments
 */
export async function actorState(actor: object, what: string, saved: unknown): Promise<unknown> {
  const own = actor as Checkpointable
  if (what === STATE_CALLS.save) {
    if (typeof own.saveCheckpoint === 'function') return [await own.saveCheckpoint()]
    return [Object.fromEntries(Object.entries(actor).filter(([, value]) => typeof value !== 'function'))]
  }
  if (typeof own.loadCheckpoint === 'function') await own.loadCheckpoint(saved)
  else Object.assign(actor, saved)
  return undefined
}

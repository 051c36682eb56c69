/** What a queue is behind its handle: one actor, in whichever tab has room. */
import { actor } from '@shoal/sdk'
import { QueueState } from './queue-state.ts'

/**
 * Each `put` and `get` that waits is a call under way, and a call past the limit would wait behind all of them, even the one
 * that they wait for: hence as many as an actor may have.
 */
export const QueueActor = actor(QueueState, { maxConcurrency: 10_000 })

/** What collects the progress of a driver's tasks: one actor, found by name. */
import { actor } from '@shoal/sdk'
import { BoardState } from './board-state.ts'

/**
 * It needs no CPU, so that it lives though every slot is taken, and is made again whatever becomes of its tab: then bars
 * report anew, and what they told it is with the driver. The driver's question waits while reports come in.
 */
export const BoardActor = actor(BoardState, {
  numCpus: 0,
  maxConcurrency: 1_000,
  maxRestarts: -1,
  maxTaskRetries: -1,
})

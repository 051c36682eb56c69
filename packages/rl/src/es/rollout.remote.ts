/**
 * Evolution strategies' tasks: they run in whichever tab gives a slot, and only indices, seeds and returns travel.
 * θ is the first argument by itself, because an ObjectRef resolves only as a top-level argument: one `put` an iteration serves
 * every task. Each worker makes the noise table once, from its seed.
 */
import { context, remote } from '@shoal/sdk'
import { runEvaluation, runRollouts } from './rollout.ts'
import type { EvaluateOutcome, EvaluateRequest, RolloutOutcome, RolloutRequest } from './rollout.ts'

/** Where a task ran and how long it kept its worker busy. */
export interface TaskRecord {
  readonly nodeId: string
  readonly workerId: number
  /** Browsers have no CPU clock: time from start to end of a task that never waits. */
  readonly cpuMs: number
}

export type RolloutResult = RolloutOutcome & TaskRecord
export type EvaluateResult = EvaluateOutcome & TaskRecord

function recorded<Outcome>(run: () => Outcome): Outcome & TaskRecord {
  const { nodeId, workerId } = context()
  const start = performance.now()
  const outcome = run()
  return { ...outcome, nodeId, workerId, cpuMs: performance.now() - start }
}

export const rollouts = remote((theta: Float32Array, request: RolloutRequest): RolloutResult =>
  recorded(() => runRollouts(theta, request)),
)

export const evaluate = remote((theta: Float32Array, request: EvaluateRequest): EvaluateResult =>
  recorded(() => runEvaluation(theta, request)),
)

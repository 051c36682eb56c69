/**
 * Evolution strategies' tasks: they run in whichever tab gives a slot, and only indices, seeds and returns travel.
 * θ is the first argument by itself, because an ObjectRef resolves only as a top-level argument: one `put` an iteration serves
 * every task. Each worker makes the noise table once, from its seed.
 */
import { remote } from '@shoal/sdk'
import { recorded } from '../runner/task-record.ts'
import type { TaskRecord } from '../runner/task-record.ts'
import { runEvaluation, runRollouts } from './rollout.ts'
import type { EvaluateOutcome, EvaluateRequest, RolloutOutcome, RolloutRequest } from './rollout.ts'

export type RolloutResult = RolloutOutcome & TaskRecord
export type EvaluateResult = EvaluateOutcome & TaskRecord

export const rollouts = remote((theta: Float32Array, request: RolloutRequest): RolloutResult =>
  recorded(() => runRollouts(theta, request)),
)

export const evaluate = remote((theta: Float32Array, request: EvaluateRequest): EvaluateResult =>
  recorded(() => runEvaluation(theta, request)),
)

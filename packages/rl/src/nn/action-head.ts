/**
 * What turns a network's outputs into a distribution over actions, with the gradients that a learner needs. Actions here are
 * the module's own: categorical ones are the index of a choice, Gaussian ones are in units of the environment's bound.
 */
import type { ActionSpec } from '../envs/env.ts'
import type { Parameters } from '../mlp.ts'
import type { Xoshiro128 } from '../random/xoshiro128.ts'
import { CategoricalHead } from './categorical-head.ts'
import { GaussianHead } from './gaussian-head.ts'

/** One distribution at a time: `look` at it, then ask. Nothing allocates. */
export interface ActionHead {
  /** Numbers the network gives. */
  readonly outputSize: number
  /** Parameters of its own that no network gives. */
  readonly extraSize: number
  /** Numbers an action has. */
  readonly actionSize: number
  /** Takes the outputs at `offset` and the extra parameters at `extraOffset` as the distribution. */
  look(outputs: Float64Array, offset: number, parameters: Parameters, extraOffset: number): void
  /** Writes an action to `target` at `offset`. */
  sample(random: Xoshiro128, target: Float32Array, offset: number): void
  /** Likewise the likeliest one. */
  mode(target: Float32Array, offset: number): void
  /** log of the probability (density) of the action at `offset`. */
  logProb(action: Float32Array, offset: number): number
  entropy(): number
  /**
   * Adds the gradient of byLogProb * logProb(action) + byEntropy * entropy: by the outputs to `target` at `targetOffset`, by
   * the extra parameters to `extraTarget` at `extraTargetOffset`.
   */
  addGradient(
    action: Float32Array,
    offset: number,
    byLogProb: number,
    byEntropy: number,
    target: Float64Array,
    targetOffset: number,
    extraTarget: Float64Array,
    extraTargetOffset: number,
  ): void
}

/** The head for an environment's actions. */
export function actionHead(action: ActionSpec): ActionHead {
  return action.kind === 'discrete' ? new CategoricalHead(action.n) : new GaussianHead(action.size ?? 1)
}

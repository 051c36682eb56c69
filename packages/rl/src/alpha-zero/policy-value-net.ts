/**
 * AlphaZero's network: one MLP from a position to a logit for each move and, last, the value before tanh. The parameters are
 * the caller's, as everywhere here.
 */
import type { Game } from '../games/game.ts'
import type { Parameters } from '../mlp.ts'
import { BatchMlp } from '../nn/batch-mlp.ts'
import type { Evaluation } from './search.ts'

/** A network's shape, as data. */
export interface PolicyValueSpec {
  readonly inputSize: number
  readonly actions: number
  readonly hidden: readonly number[]
}

export function policyValueSizes({ inputSize, actions, hidden }: PolicyValueSpec): number[] {
  return [inputSize, ...hidden, actions + 1]
}

/** What the network thinks of `count` positions. */
export interface Prediction {
  /** count x actions, softmax of the logits over all moves, legal or not. */
  readonly policies: Float32Array
  /** For the player to move, -1 .. 1. */
  readonly values: Float32Array
}

export interface PolicyValueLoss {
  /** Cross-entropy of the policy, -Σ π log p, and squared error of the value, (z - v)²; means over the positions. */
  readonly policyLoss: number
  readonly valueLoss: number
}

export class PolicyValueNet {
  readonly spec: PolicyValueSpec
  readonly parameterCount: number
  readonly #mlp: BatchMlp

  /** For up to `capacity` positions at a time. */
  constructor(spec: PolicyValueSpec, capacity: number) {
    this.spec = spec
    this.#mlp = new BatchMlp(policyValueSizes(spec), capacity, 'relu')
    this.parameterCount = this.#mlp.parameterCount
  }

  /** `inputs`: count x inputSize. @throws RangeError for more than the capacity. */
  predict(parameters: Parameters, inputs: Float32Array, count: number): Prediction {
    const { actions } = this.spec
    const outputs = this.#mlp.forward(parameters, inputs, count)
    const policies = new Float32Array(count * actions)
    const values = new Float32Array(count)
    for (let i = 0; i < count; i += 1) {
      softmax(outputs, i * (actions + 1), actions, policies, i * actions)
      values[i] = Math.tanh(outputs[i * (actions + 1) + actions]!)
    }
    return { policies, values }
  }

  /** Likewise for games. */
  evaluate(parameters: Parameters, games: readonly Game[]): Evaluation[] {
    return toEvaluations(this.predict(parameters, encodeGames(games), games.length), games.length)
  }

  /**
   * Adds the gradient of the mean of (z - v)² - Σ π log p to `gradient`. `policies`: count x actions, each row of sum 1;
   * `outcomes`: z, -1 lost .. 1 won, for the player to move.
   */
  addGradient(
    parameters: Parameters,
    inputs: Float32Array,
    policies: Float32Array,
    outcomes: Float32Array,
    gradient: Float64Array,
  ): PolicyValueLoss {
    const { actions } = this.spec
    const count = outcomes.length
    const outputs = this.#mlp.forward(parameters, inputs, count)
    const byOutputs = new Float64Array(count * (actions + 1))
    const probs = new Float64Array(actions)
    let policyLoss = 0
    let valueLoss = 0
    for (let i = 0; i < count; i += 1) {
      const at = i * (actions + 1)
      softmax(outputs, at, actions, probs, 0)
      for (let a = 0; a < actions; a += 1) {
        const target = policies[i * actions + a]!
        if (target > 0) policyLoss -= (target * Math.log(Math.max(probs[a]!, 1e-300))) / count
        byOutputs[at + a] = (probs[a]! - target) / count
      }
      const value = Math.tanh(outputs[at + actions]!)
      const error = value - outcomes[i]!
      valueLoss += (error * error) / count
      byOutputs[at + actions] = (2 * error * (1 - value * value)) / count
    }
    this.#mlp.backward(parameters, byOutputs, gradient)
    return { policyLoss, valueLoss }
  }
}

/** Positions side by side, games x inputSize. */
export function encodeGames(games: readonly Game[]): Float32Array {
  const size = games[0]?.inputSize ?? 0
  const inputs = new Float32Array(games.length * size)
  games.forEach((game, i) => game.encode(inputs, i * size))
  return inputs
}

export function toEvaluations({ policies, values }: Prediction, count: number): Evaluation[] {
  const actions = policies.length / count
  return Array.from(values, (value, i) => ({ priors: policies.subarray(i * actions, (i + 1) * actions), value }))
}

function softmax(
  logits: Float64Array,
  at: number,
  count: number,
  target: Float64Array | Float32Array,
  targetAt: number,
): void {
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i += 1) most = Math.max(most, logits[at + i]!)
  let sum = 0
  for (let i = 0; i < count; i += 1) sum += Math.exp(logits[at + i]! - most)
  for (let i = 0; i < count; i += 1) target[targetAt + i] = Math.exp(logits[at + i]! - most) / sum
}

/**
 * RLlib's Learner for PPO: policy and value network in one flat vector (policy, the head's own parameters, value), and the
 * update from episodes. As an actor it is where the episodes of all runners meet. Deterministic given its seed and the
 * episodes in their order.
 */
import { envSpec } from '../envs/make-env.ts'
import { parameterCount } from '../mlp.ts'
import type { ActionHead } from '../nn/action-head.ts'
import { actionHead } from '../nn/action-head.ts'
import { adamStep, createAdam } from '../nn/adam.ts'
import type { AdamState } from '../nn/adam.ts'
import { BatchMlp } from '../nn/batch-mlp.ts'
import { limitLength } from '../nn/limit-length.ts'
import { orthogonalParameters } from '../nn/orthogonal.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { Episode } from '../runner/episode.ts'
import { actorSizes, criticSizes } from '../runner/module-spec.ts'
import { clippedObjective, clippedValueLoss } from './ppo-loss.ts'
import { PpoBatch } from './ppo-batch.ts'
import type { PpoSettings } from './ppo-settings.ts'

export interface PpoState {
  /** Updates done. */
  readonly updates: number
  readonly parameters: Float32Array
  readonly adam: AdamState
}

export interface PpoMetrics {
  readonly steps: number
  /** Means over all minibatches of the update. */
  readonly policyLoss: number
  readonly valueLoss: number
  readonly entropy: number
  /** Mean of (ρ - 1) - log ρ: how far the policy has moved (Schulman, "Approximating KL divergence", 2020). */
  readonly kl: number
  /** Share of steps whose ratio was outside of 1 ± clip. */
  readonly clipped: number
}

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { start: 21, shuffle: 22 } as const

export class PpoLearner {
  readonly #settings: PpoSettings
  readonly #seed: number
  readonly #policy: BatchMlp
  readonly #value: BatchMlp
  readonly #head: ActionHead
  /** Where the value network's parameters begin. */
  readonly #valueAt: number
  #state: PpoState

  /** @throws RangeError for settings that fit no environment. */
  constructor(settings: PpoSettings, seed: number, state?: PpoState) {
    this.#settings = settings
    this.#seed = seed
    const { module, minibatch } = settings
    const spec = envSpec(module.env)
    this.#head = actionHead(spec.action)
    this.#policy = new BatchMlp(actorSizes(module), minibatch, module.activation)
    this.#value = new BatchMlp(criticSizes(module), minibatch, module.activation)
    this.#valueAt = this.#policy.parameterCount + this.#head.extraSize
    this.#state = state ?? this.#start()
    if (this.#state.parameters.length !== this.#valueAt + this.#value.parameterCount) {
      throw new RangeError(`this module has ${this.#valueAt + this.#value.parameterCount} parameters`)
    }
  }

  /** Of the network that acts, with the head's own: what a runner needs. A copy. */
  getWeights(): Float32Array {
    return this.#state.parameters.slice(0, this.#valueAt)
  }

  /** Everything a learner of the same settings and seed goes on from. Never written to. */
  getState(): PpoState {
    return this.#state
  }

  /** What observations (count x observationSize) are worth. */
  values(observations: Float32Array): Float64Array {
    const size = this.#value.sizes[0]!
    const count = observations.length / size
    const parameters = this.#state.parameters.subarray(this.#valueAt)
    const values = new Float64Array(count)
    for (let from = 0; from < count; from += this.#value.capacity) {
      const part = Math.min(this.#value.capacity, count - from)
      const inputs = observations.subarray(from * size, (from + part) * size)
      values.set(this.#value.forward(parameters, inputs, part).subarray(0, part), from)
    }
    return values
  }

  /** One iteration: several epochs of minibatches over all steps of the episodes. @throws RangeError for none. */
  update(episodes: readonly Episode[]): PpoMetrics {
    const { epochs, minibatch } = this.#settings
    const batch = new PpoBatch(episodes, this.#settings, (observations) => this.values(observations))
    const random = new Xoshiro128(mixSeeds(this.#seed, PURPOSE.shuffle, this.#state.updates))
    const order = Int32Array.from({ length: batch.steps }, (_, i) => i)
    const sums = { policyLoss: 0, valueLoss: 0, entropy: 0, kl: 0, clipped: 0 }
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      shuffle(order, random)
      for (let from = 0; from < order.length; from += minibatch) {
        this.#descend(batch, order.subarray(from, from + minibatch), sums)
      }
    }
    this.#state = { ...this.#state, updates: this.#state.updates + 1 }
    const total = epochs * batch.steps
    return {
      steps: batch.steps,
      policyLoss: sums.policyLoss / total,
      valueLoss: sums.valueLoss / total,
      entropy: sums.entropy / total,
      kl: sums.kl / total,
      clipped: sums.clipped / total,
    }
  }

  #start(): PpoState {
    const random = new Xoshiro128(mixSeeds(this.#seed, PURPOSE.start))
    const hidden = this.#settings.module.hidden.map(() => Math.SQRT2)
    const policySizes = this.#policy.sizes
    const policy = orthogonalParameters(policySizes, [...hidden, 0.01], random)
    const value = orthogonalParameters(this.#value.sizes, [...hidden, 1], random)
    const parameters = new Float32Array(parameterCount(policySizes) + this.#head.extraSize + value.length)
    parameters.set(policy)
    parameters.set(value, this.#valueAt)
    return { updates: 0, parameters, adam: createAdam(parameters.length) }
  }

  /** One step of Adam down the loss over the rows given. */
  #descend(batch: PpoBatch, rows: Int32Array, sums: Record<keyof Omit<PpoMetrics, 'steps'>, number>): void {
    const { clip, valueClip = Number.POSITIVE_INFINITY, valueWeight, entropyWeight, maxGradient } = this.#settings
    const { parameters } = this.#state
    const count = rows.length
    const { observations, actions, advantages } = batch.gather(rows)
    const extraAt = this.#policy.parameterCount
    const gradient = new Float64Array(parameters.length)
    const byExtra = gradient.subarray(extraAt, this.#valueAt)

    const outputs = this.#policy.forward(parameters, observations, count)
    const byOutputs = new Float64Array(count * this.#head.outputSize)
    rows.forEach((row, i) => {
      this.#head.look(outputs, i * this.#head.outputSize, parameters, extraAt)
      const action = i * this.#head.actionSize
      const logRatio = this.#head.logProb(actions, action) - batch.logProbs[row]!
      const ratio = Math.exp(logRatio)
      const objective = clippedObjective(ratio, advantages[i]!, clip)
      const entropy = this.#head.entropy()
      // The loss is minus the objective minus the entropy; ρ's slope by log π is ρ.
      const byLogProb = (-objective.slope * ratio) / count
      const at = i * this.#head.outputSize
      this.#head.addGradient(actions, action, byLogProb, -entropyWeight / count, byOutputs, at, byExtra, 0)
      sums.policyLoss -= objective.value
      sums.entropy += entropy
      sums.kl += ratio - 1 - logRatio
      if (Math.abs(ratio - 1) > clip) sums.clipped += 1
    })
    this.#policy.backward(parameters, byOutputs, gradient.subarray(0, extraAt))

    const valueParameters = parameters.subarray(this.#valueAt)
    const values = this.#value.forward(valueParameters, observations, count)
    const byValues = new Float64Array(count)
    rows.forEach((row, i) => {
      const loss = clippedValueLoss(values[i]!, batch.values[row]!, batch.targets[row]!, valueClip)
      byValues[i] = (valueWeight * loss.slope) / count
      sums.valueLoss += loss.value
    })
    this.#value.backward(valueParameters, byValues, gradient.subarray(this.#valueAt))

    limitLength(gradient, maxGradient)
    const { state: adam, delta } = adamStep(this.#state.adam, gradient, this.#stepSize(), 1e-5)
    this.#state = { ...this.#state, parameters: parameters.map((value, i) => value + delta[i]!), adam }
  }

  #stepSize(): number {
    const { stepSize, annealIterations } = this.#settings
    if (annealIterations === undefined) return stepSize
    return stepSize * Math.max(1 - this.#state.updates / annealIterations, 0)
  }
}

/** Fisher and Yates, in place. */
export function shuffle(order: Int32Array, random: Xoshiro128): void {
  for (let i = order.length - 1; i > 0; i -= 1) {
    const other = random.nextInt(i + 1)
    const kept = order[i]!
    order[i] = order[other]!
    order[other] = kept
  }
}

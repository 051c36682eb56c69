/** All steps of an iteration side by side, with what PPO's learner connectors add: values, advantages and value targets. */
import type { Episode } from '../runner/episode.ts'
import { generalisedAdvantages } from './gae.ts'
import type { PpoSettings } from './ppo-settings.ts'

export interface Minibatch {
  readonly observations: Float32Array
  readonly actions: Float32Array
  /** Of mean 0 and standard deviation 1 over the minibatch. */
  readonly advantages: Float64Array
}

export class PpoBatch {
  readonly steps: number
  readonly logProbs: Float32Array
  /** As the network said before the update. */
  readonly values: Float64Array
  /** Advantage + value: what the network should have said. */
  readonly targets: Float64Array
  readonly #advantages: Float64Array
  readonly #observations: Float32Array
  readonly #actions: Float32Array
  readonly #observationSize: number
  readonly #actionSize: number

  /** @throws RangeError when there is no step. */
  constructor(
    episodes: readonly Episode[],
    settings: Pick<PpoSettings, 'gamma' | 'lambda' | 'rewardScale'>,
    valuesOf: (observations: Float32Array) => Float64Array,
  ) {
    const { gamma, lambda, rewardScale } = settings
    const [first] = episodes
    if (first === undefined) throw new RangeError('an update needs episodes')
    const steps = episodes.reduce((sum, { length }) => sum + length, 0)
    this.steps = steps
    this.#observationSize = first.observations.length / (first.length + 1)
    this.#actionSize = first.actions.length / first.length
    this.#observations = new Float32Array(steps * this.#observationSize)
    this.#actions = new Float32Array(steps * this.#actionSize)
    this.logProbs = new Float32Array(steps)
    this.values = new Float64Array(steps)
    this.targets = new Float64Array(steps)
    this.#advantages = new Float64Array(steps)
    let at = 0
    for (const { length, observations, actions, logProbs, rewards, isTerminated } of episodes) {
      const values = valuesOf(observations)
      const scaled = Float64Array.from(rewards, (reward) => rewardScale * reward)
      const advantages = generalisedAdvantages(scaled, values, isTerminated, gamma, lambda)
      this.#observations.set(observations.subarray(0, length * this.#observationSize), at * this.#observationSize)
      this.#actions.set(actions, at * this.#actionSize)
      this.logProbs.set(logProbs, at)
      this.values.set(values.subarray(0, length), at)
      this.#advantages.set(advantages, at)
      this.targets.set(
        advantages.map((advantage, t) => advantage + values[t]!),
        at,
      )
      at += length
    }
  }

  /** The rows of a minibatch, copied side by side. */
  gather(rows: Int32Array): Minibatch {
    const [size, actionSize] = [this.#observationSize, this.#actionSize]
    const observations = new Float32Array(rows.length * size)
    const actions = new Float32Array(rows.length * actionSize)
    rows.forEach((row, i) => {
      observations.set(this.#observations.subarray(row * size, (row + 1) * size), i * size)
      actions.set(this.#actions.subarray(row * actionSize, (row + 1) * actionSize), i * actionSize)
    })
    return { observations, actions, advantages: normalised(Float64Array.from(rows, (row) => this.#advantages[row]!)) }
  }
}

function normalised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return values.map((x) => (x - mean) / (Math.sqrt(variance) + 1e-8))
}

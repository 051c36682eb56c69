/**
 * The Learner of double DQN with replay and a target network. As an actor it is where the replay buffer lives. Deterministic
 * given its seed and the episodes in their order.
 */
import { envSpec } from '../envs/make-env.ts'
import { initialParameters } from '../mlp.ts'
import { adamStep, createAdam } from '../nn/adam.ts'
import type { AdamState } from '../nn/adam.ts'
import { BatchMlp } from '../nn/batch-mlp.ts'
import { limitLength } from '../nn/limit-length.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { Episode } from '../runner/episode.ts'
import { actorSizes } from '../runner/module-spec.ts'
import type { DqnSettings } from './dqn-settings.ts'
import { doubleDqnTarget } from './dqn-target.ts'
import type { ReplayBatch } from './replay-buffer.ts'
import { ReplayBuffer } from './replay-buffer.ts'

/** What is kept of a run. The replay buffer is not: who goes on fills a new one first. */
export interface DqnState {
  /** Minibatches learned from. */
  readonly updates: number
  /** Steps seen. */
  readonly steps: number
  readonly parameters: Float32Array
  readonly target: Float32Array
  readonly adam: AdamState
}

export interface DqnMetrics {
  /** Steps seen since the run began. */
  readonly steps: number
  /** Mean over the round's minibatches, NaN when nothing was learned yet. */
  readonly loss: number
  /** Likewise, of the value of the actions taken. */
  readonly value: number
}

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { start: 31, replay: 32 } as const

export class DqnLearner {
  readonly #settings: DqnSettings
  readonly #seed: number
  readonly #network: BatchMlp
  readonly #targetNetwork: BatchMlp
  readonly #replay: ReplayBuffer
  readonly #actions: number
  #state: DqnState

  /** @throws RangeError for settings that fit no environment, or one whose actions are continuous. */
  constructor(settings: DqnSettings, seed: number, state?: DqnState) {
    this.#settings = settings
    this.#seed = seed
    const { module, minibatch, replaySize } = settings
    const { action, observationSize } = envSpec(module.env)
    if (action.kind !== 'discrete') throw new RangeError(`${module.env}: DQN needs discrete actions`)
    this.#actions = action.n
    const sizes = actorSizes(module)
    this.#network = new BatchMlp(sizes, minibatch, module.activation)
    this.#targetNetwork = new BatchMlp(sizes, minibatch, module.activation)
    this.#replay = new ReplayBuffer(replaySize, observationSize)
    const parameters = initialParameters(sizes, 1, new Xoshiro128(mixSeeds(seed, PURPOSE.start)))
    this.#state = state ?? { updates: 0, steps: 0, parameters, target: parameters, adam: createAdam(parameters.length) }
    if (this.#state.parameters.length !== this.#network.parameterCount) {
      throw new RangeError(`this module has ${this.#network.parameterCount} parameters`)
    }
  }

  /** What a runner needs. A copy. */
  getWeights(): Float32Array {
    return this.#state.parameters.slice()
  }

  /** Everything a learner of the same settings and seed goes on from, the replay buffer apart. Never written to. */
  getState(): DqnState {
    return this.#state
  }

  /** One round: keeps the episodes, then learns from minibatches of all that is kept. */
  update(episodes: readonly Episode[]): DqnMetrics {
    const { learningStarts, minibatch, updatesPerIteration } = this.#settings
    for (const episode of episodes) this.#replay.add(episode)
    const steps = episodes.reduce((sum, { length }) => sum + length, this.#state.steps)
    this.#state = { ...this.#state, steps }
    if (this.#replay.size < learningStarts) return { steps, loss: Number.NaN, value: Number.NaN }
    const random = new Xoshiro128(mixSeeds(this.#seed, PURPOSE.replay, steps))
    let loss = 0
    let value = 0
    for (let i = 0; i < updatesPerIteration; i += 1) {
      const terms = this.#descend(this.#replay.draw(minibatch, random))
      loss += terms.loss / updatesPerIteration
      value += terms.value / updatesPerIteration
    }
    return { steps, loss, value }
  }

  /** One step of Adam down the mean of Huber's loss (squared up to an error of 1, then linear). */
  #descend(batch: ReplayBatch): { readonly loss: number; readonly value: number } {
    const { gamma, maxGradient, stepSize, targetEvery } = this.#settings
    const { parameters, target } = this.#state
    const count = batch.actions.length
    const n = this.#actions
    const judging = this.#targetNetwork.forward(target, batch.nextObservations, count)
    const choosing = this.#network.forward(parameters, batch.nextObservations, count)
    const targets = Float64Array.from(batch.rewards, (reward, i) =>
      doubleDqnTarget(reward, batch.terminated[i] === 1, gamma, choosing, judging, i * n, n),
    )
    const values = this.#network.forward(parameters, batch.observations, count)
    const byValues = new Float64Array(count * n)
    let loss = 0
    let value = 0
    for (let i = 0; i < count; i += 1) {
      const at = i * n + batch.actions[i]!
      const error = values[at]! - targets[i]!
      byValues[at] = Math.min(Math.max(error, -1), 1) / count
      loss += (Math.abs(error) <= 1 ? 0.5 * error * error : Math.abs(error) - 0.5) / count
      value += values[at]! / count
    }
    const gradient = new Float64Array(parameters.length)
    this.#network.backward(parameters, byValues, gradient)
    limitLength(gradient, maxGradient)
    const { state: adam, delta } = adamStep(this.#state.adam, gradient, stepSize)
    const moved = parameters.map((x, i) => x + delta[i]!)
    const updates = this.#state.updates + 1
    this.#state = {
      ...this.#state,
      updates,
      parameters: moved,
      target: updates % targetEvery === 0 ? moved : target,
      adam,
    }
    return { loss, value }
  }
}

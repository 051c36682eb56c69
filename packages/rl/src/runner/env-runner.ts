/**
 * RLlib's EnvRunner: some environments and a copy of the module, which plays them and hands over what happened. As an actor it
 * keeps its episodes between samples; one that is started again begins new ones. It does not know how anybody learns.
 */
import type { Action } from '../envs/env.ts'
import { VectorEnv } from '../envs/vector-env.ts'
import type { ActionHead } from '../nn/action-head.ts'
import { actionHead } from '../nn/action-head.ts'
import { BatchMlp } from '../nn/batch-mlp.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import { actionConnector, observationPipeline } from './connectors.ts'
import type { ObservationPipeline } from './connectors.ts'
import type { Episode } from './episode.ts'
import { EpisodeBuilder } from './episode.ts'
import type { ModuleSpec } from './module-spec.ts'
import { actorSizes } from './module-spec.ts'

/** How actions are chosen: drawn from the policy, the likeliest, or the likeliest but for a share that is drawn evenly. */
export type Exploration =
  { readonly kind: 'sample' } | { readonly kind: 'greedy' } | { readonly kind: 'epsilon'; readonly epsilon: number }

export interface EnvRunnerOptions {
  readonly module: ModuleSpec
  /** Environments played in step. */
  readonly envs: number
  /** Of the run. */
  readonly seed: number
  /** Tells runners of one run apart. */
  readonly index: number
}

export interface SampleRequest {
  /** Of all environments together, rounded up to a multiple of their number. */
  readonly steps: number
  /** Tells the samples of a runner apart: the same number draws the same actions. */
  readonly round: number
  readonly explore: Exploration
}

export interface Sample {
  readonly episodes: readonly Episode[]
  readonly steps: number
  /** Return and length of each episode that ended in this sample, its earlier pieces included. */
  readonly returns: Float32Array
  readonly lengths: Int32Array
}

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { starts: 11, actions: 12 } as const

export class EnvRunner {
  readonly #options: EnvRunnerOptions
  readonly #env: VectorEnv
  readonly #mlp: BatchMlp
  readonly #head: ActionHead
  readonly #toAction: (actions: Float32Array, offset: number) => Action
  readonly #connect: ObservationPipeline
  readonly #builders: readonly EpisodeBuilder[]
  /** What each environment shows now, through the connectors. */
  readonly #observations: Float32Array
  readonly #totals: Float64Array
  readonly #elapsed: Int32Array

  /** @throws RangeError for an unknown environment or sizes that are none. */
  constructor(options: EnvRunnerOptions) {
    const { module, envs, seed, index } = options
    this.#options = options
    this.#env = new VectorEnv(module.env, envs, module.envConfig)
    const { action, observationSize } = this.#env.spec
    this.#mlp = new BatchMlp(actorSizes(module), envs, module.activation)
    this.#head = actionHead(action)
    this.#toAction = actionConnector(action)
    this.#connect = observationPipeline(module.observation, observationSize)
    this.#builders = Array.from(
      { length: envs },
      (_, i) => new EpisodeBuilder(observationSize, this.#head.actionSize, i),
    )
    this.#observations = this.#env.reset(mixSeeds(seed, PURPOSE.starts, index)).slice()
    for (let i = 0; i < envs; i += 1) this.#connect(this.#observations, i * observationSize)
    this.#totals = new Float64Array(envs)
    this.#elapsed = new Int32Array(envs)
  }

  /**
   * Plays on with these parameters, those of the network that acts first, then the head's own; more may follow.
   * @throws RangeError for fewer parameters, or no steps.
   */
  sample(parameters: Float32Array, request: SampleRequest): Sample {
    const { envs, seed, index } = this.#options
    if (parameters.length < this.#mlp.parameterCount + this.#head.extraSize) {
      throw new RangeError(`this module acts by ${this.#mlp.parameterCount} parameters, got ${parameters.length}`)
    }
    if (!(request.steps >= 1)) throw new RangeError(`steps must be 1 or more, got ${request.steps}`)
    const random = new Xoshiro128(mixSeeds(seed, PURPOSE.actions, index, request.round))
    const size = this.#env.spec.observationSize
    const { actionSize } = this.#head
    const actions = new Float32Array(envs * actionSize)
    const logProbs = new Float32Array(envs)
    const found: Found = { episodes: [], returns: [], lengths: [] }
    const rounds = Math.ceil(request.steps / envs)
    for (let step = 0; step < rounds; step += 1) {
      const outputs = this.#mlp.forward(parameters, this.#observations, envs)
      for (let i = 0; i < envs; i += 1) {
        this.#head.look(outputs, i * this.#head.outputSize, parameters, this.#mlp.parameterCount)
        this.#choose(request.explore, random, actions, i * actionSize)
        logProbs[i] = this.#head.logProb(actions, i * actionSize)
      }
      this.#step(actions, logProbs, found)
    }
    this.#builders.forEach((builder, i) => {
      if (builder.length > 0) found.episodes.push(builder.cut(this.#observations, i * size, false, false))
    })
    return {
      episodes: found.episodes,
      steps: rounds * envs,
      returns: Float32Array.from(found.returns),
      lengths: Int32Array.from(found.lengths),
    }
  }

  #choose(explore: Exploration, random: Xoshiro128, actions: Float32Array, offset: number): void {
    if (explore.kind === 'sample') this.#head.sample(random, actions, offset)
    else this.#head.mode(actions, offset)
    if (explore.kind !== 'epsilon' || random.nextDouble() >= explore.epsilon) return
    const { action } = this.#env.spec
    if (action.kind === 'discrete') actions[offset] = random.nextInt(action.n)
    else for (let i = 0; i < this.#head.actionSize; i += 1) actions[offset + i] = 2 * random.nextDouble() - 1
  }

  #step(actions: Float32Array, logProbs: Float32Array, found: Found): void {
    const size = this.#env.spec.observationSize
    const { actionSize } = this.#head
    const chosen = this.#builders.map((_, i): Action => {
      const action = this.#toAction(actions, i * actionSize)
      return typeof action === 'number' ? action : Float64Array.from(action)
    })
    const { observations, finalObservations, rewards, terminated, truncated } = this.#env.step(chosen)
    this.#builders.forEach((builder, i) => {
      const at = i * size
      builder.addStep(this.#observations, at, actions, i * actionSize, logProbs[i]!, rewards[i]!)
      this.#totals[i]! += rewards[i]!
      this.#elapsed[i]! += 1
      this.#observations.set(observations.subarray(at, at + size), at)
      this.#connect(this.#observations, at)
      if (terminated[i] === 0 && truncated[i] === 0) return
      this.#connect(finalObservations, at)
      found.episodes.push(builder.cut(finalObservations, at, terminated[i] === 1, truncated[i] === 1))
      found.returns.push(this.#totals[i]!)
      found.lengths.push(this.#elapsed[i]!)
      this.#totals[i] = 0
      this.#elapsed[i] = 0
    })
  }
}

interface Found {
  readonly episodes: Episode[]
  readonly returns: number[]
  readonly lengths: number[]
}

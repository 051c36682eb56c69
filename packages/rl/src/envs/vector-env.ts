/**
 * Several environments of one kind as one, in step, each starting anew as soon as its episode ends (Gymnasium's same-step
 * auto-reset). Buffers are lent and written over by the next call.
 */
import type { UniformSource } from '../random/random.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { Action, Env, EnvConfig, EnvSpec } from './env.ts'
import { makeEnv } from './make-env.ts'
import type { EnvName } from './make-env.ts'

/** What one step of all of them gave; [i] is environment i. */
export interface VectorStep {
  /** count x observationSize: after an episode's end, the next one's first. */
  readonly observations: Float32Array
  /** count x observationSize: as the step left it, the same but where an episode ended. Bootstrap from here. */
  readonly finalObservations: Float32Array
  readonly rewards: Float64Array
  /** 1 where the MDP ended. */
  readonly terminated: Uint8Array
  /** 1 where the step limit was reached. */
  readonly truncated: Uint8Array
}

export class VectorEnv {
  readonly spec: EnvSpec
  readonly count: number
  readonly #envs: readonly Env[]
  readonly #sources: UniformSource[]
  readonly #result: VectorStep

  /** @throws RangeError for an unknown name, or a count that is no whole number of 1 or more. */
  constructor(name: EnvName, count: number, config: EnvConfig = {}) {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`a vector has 1 or more envs, got ${count}`)
    this.#envs = Array.from({ length: count }, () => makeEnv(name, config))
    this.#sources = []
    this.count = count
    this.spec = this.#envs[0]!.spec
    const size = this.spec.observationSize
    this.#result = {
      observations: new Float32Array(count * size),
      finalObservations: new Float32Array(count * size),
      rewards: new Float64Array(count),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
    }
  }

  /** Starts all episodes; a seed decides every start state from here on. count x observationSize. */
  reset(seed: number): Float32Array {
    this.#envs.forEach((env, i) => {
      const source = new Xoshiro128(mixSeeds(seed, i))
      this.#sources[i] = source
      this.#result.observations.set(env.resetFrom(source), i * this.spec.observationSize)
    })
    return this.#result.observations
  }

  /** @throws RangeError before the first `reset`, and for an action outside the action space. */
  step(actions: ArrayLike<Action>): VectorStep {
    const result = this.#result
    const size = this.spec.observationSize
    for (let i = 0; i < this.count; i += 1) {
      const env = this.#envs[i]!
      const source = this.#sources[i]
      if (source === undefined) throw new RangeError('reset comes before step')
      const { obs, reward, terminated, truncated } = env.step(actions[i]!)
      result.finalObservations.set(obs, i * size)
      result.rewards[i] = reward
      result.terminated[i] = terminated ? 1 : 0
      result.truncated[i] = truncated ? 1 : 0
      result.observations.set(terminated || truncated ? env.resetFrom(source) : obs, i * size)
    }
    return result
  }
}

/**
 * What a rollout task computes, without the task: antithetic episodes of perturbed policies, and greedy evaluation.
 * Deterministic given its arguments. It knows nothing of nodes or sessions; `rollout.remote.ts` adds those.
 */
import type { Env } from '../envs/env.ts'
import { makeEnv } from '../envs/make-env.ts'
import type { Parameters } from '../mlp.ts'
import { Policy } from '../policy.ts'
import type { PolicySpec } from '../policy.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import { noiseTable } from './noise-table.ts'
import type { NoiseSpec } from './noise-table.ts'

export interface RolloutRequest {
  readonly policy: PolicySpec
  readonly noise: NoiseSpec
  readonly sigma: number
  readonly episodesPerPair: number
  /** Where in the noise table each pair's perturbation starts. */
  readonly indices: Int32Array
  /** Seed of each pair's start states; both members of a pair meet the same ones. As long as `indices`. */
  readonly episodeSeeds: Uint32Array
  /** Also return the states of the first episode, for drawing. */
  readonly trace?: boolean
}

export interface RolloutOutcome {
  readonly indices: Int32Array
  /** Mean return over the episodes: [2k] of θ + σε_k, [2k + 1] of θ - σε_k. */
  readonly returns: Float32Array
  /** Steps of all episodes of the candidate, in the order of `returns`. */
  readonly lengths: Int32Array
  readonly steps: number
  /** (steps + 1) x stateSize, row by row: the first pair's θ + σε, its first episode, start state included. */
  readonly trace?: Float32Array
}

export interface EvaluateRequest {
  readonly policy: PolicySpec
  readonly episodeSeeds: Uint32Array
  readonly trace?: boolean
}

export interface EvaluateOutcome {
  /** Of each episode. */
  readonly returns: Float32Array
  readonly lengths: Int32Array
  readonly steps: number
  readonly trace?: Float32Array
}

/** Plays episodes of one environment with one policy; keeps its buffers between them. */
class Player {
  readonly #env: Env
  readonly #policy: Policy
  readonly #random = new Xoshiro128(0)
  #trace: Float32Array | undefined
  /** Of the last episode. */
  length = 0

  constructor(policy: PolicySpec, trace: boolean) {
    this.#env = makeEnv(policy.env)
    this.#policy = new Policy(policy)
    const { maxEpisodeSteps, stateSize } = this.#env.spec
    if (trace) this.#trace = new Float32Array((maxEpisodeSteps + 1) * stateSize)
  }

  get parameterCount(): number {
    return this.#policy.parameterCount
  }

  /** The episode's return. */
  play(parameters: Parameters, seed: number, trace: boolean): number {
    const env = this.#env
    const stateSize = env.spec.stateSize
    const states = trace ? this.#trace : undefined
    this.#random.reseed(seed)
    let obs = env.resetFrom(this.#random)
    if (states !== undefined) env.copyState(states, 0)
    for (let total = 0, length = 1; ; length += 1) {
      const step = env.step(this.#policy.act(parameters, obs))
      total += step.reward
      if (states !== undefined) env.copyState(states, length * stateSize)
      if (step.terminated || step.truncated) {
        this.length = length
        return total
      }
      obs = step.obs
    }
  }

  /** The states of the last episode played with `trace`, if it was the last one played. */
  takeTrace(): Float32Array | undefined {
    return this.#trace?.slice(0, (this.length + 1) * this.#env.spec.stateSize)
  }
}

function checkTheta(theta: Float32Array, player: Player): void {
  if (theta.length !== player.parameterCount) {
    throw new RangeError(`this policy has ${player.parameterCount} parameters, got ${theta.length}`)
  }
}

/**
 * Runs all pairs of the request.
 * @throws RangeError when sizes disagree or an index lies outside the noise table.
 */
export function runRollouts(theta: Float32Array, request: RolloutRequest): RolloutOutcome {
  const { indices, episodeSeeds, episodesPerPair, sigma } = request
  const player = new Player(request.policy, request.trace === true)
  checkTheta(theta, player)
  if (indices.length !== episodeSeeds.length) throw new RangeError('indices and episodeSeeds differ in length')
  if (!Number.isSafeInteger(episodesPerPair) || episodesPerPair < 1)
    throw new RangeError('episodesPerPair must be 1 or more')
  const table = noiseTable(request.noise)
  const candidate = new Float64Array(theta.length)
  const returns = new Float32Array(2 * indices.length)
  const lengths = new Int32Array(2 * indices.length)
  let steps = 0
  let trace: Float32Array | undefined
  for (let slot = 0; slot < returns.length; slot += 1) {
    const pair = slot >> 1
    const index = indices[pair]!
    if (index < 0 || index + theta.length > table.length)
      throw new RangeError(`noise index ${index} is outside the table`)
    const scale = slot % 2 === 0 ? sigma : -sigma
    for (let i = 0; i < theta.length; i += 1) candidate[i] = theta[i]! + scale * table[index + i]!
    let total = 0
    let length = 0
    for (let episode = 0; episode < episodesPerPair; episode += 1) {
      const isTraced = request.trace === true && slot === 0 && episode === 0
      total += player.play(candidate, mixSeeds(episodeSeeds[pair]!, episode), isTraced)
      length += player.length
      if (isTraced) trace = player.takeTrace()
    }
    returns[slot] = total / episodesPerPair
    lengths[slot] = length
    steps += length
  }
  return { indices, returns, lengths, steps, ...(trace === undefined ? {} : { trace }) }
}

/**
 * One episode of the unperturbed policy for each seed.
 * @throws RangeError when θ has another size than the policy.
 */
export function runEvaluation(theta: Float32Array, request: EvaluateRequest): EvaluateOutcome {
  const player = new Player(request.policy, request.trace === true)
  checkTheta(theta, player)
  const parameters = Float64Array.from(theta)
  const returns = new Float32Array(request.episodeSeeds.length)
  const lengths = new Int32Array(request.episodeSeeds.length)
  let steps = 0
  let trace: Float32Array | undefined
  for (let i = 0; i < returns.length; i += 1) {
    const isTraced = request.trace === true && i === 0
    returns[i] = player.play(parameters, mixSeeds(request.episodeSeeds[i]!, 0), isTraced)
    lengths[i] = player.length
    steps += player.length
    if (isTraced) trace = player.takeTrace()
  }
  return { returns, lengths, steps, ...(trace === undefined ? {} : { trace }) }
}

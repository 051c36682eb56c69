/**
 * OpenAI's evolution strategies (Salimans et al., 2017) as pure functions of data: what to try next (`esPlan`), and how to
 * move when some or all of it came back (`esUpdate`). It does not know where candidates are played.
 */
import { initialParameters } from '../mlp.ts'
import { policySizes } from '../policy.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import { adamStep, createAdam } from '../nn/adam.ts'
import type { AdamState } from '../nn/adam.ts'
import { noiseTable } from './noise-table.ts'
import { centredRanks } from './ranks.ts'
import type { EsSettings } from './settings.ts'

/** A run between two iterations; plain data, never written to after it was made. */
export interface EsState {
  readonly seed: number
  /** Iterations done. */
  readonly iteration: number
  readonly theta: Float32Array
  readonly adam: AdamState
}

/** The pairs of one iteration, a function of the state's seed and iteration number alone. */
export interface EsPlan {
  readonly indices: Int32Array
  readonly episodeSeeds: Uint32Array
}

/** What came back: any subset of the plan's pairs, in the plan's order. */
export interface EsOutcome {
  readonly indices: Int32Array
  /** [2k] and [2k + 1]: the two returns of pair k. */
  readonly returns: Float32Array
}

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { start: 1, plan: 2, evaluation: 3 } as const

export function createEsState(settings: EsSettings, seed: number): EsState {
  const random = new Xoshiro128(mixSeeds(seed, PURPOSE.start))
  const theta = initialParameters(policySizes(settings.policy), settings.lastLayerScale, random)
  return { seed, iteration: 0, theta, adam: createAdam(theta.length) }
}

export function esPlan(state: EsState, settings: EsSettings): EsPlan {
  const random = new Xoshiro128(mixSeeds(state.seed, PURPOSE.plan, state.iteration))
  const indices = new Int32Array(settings.pairs)
  const episodeSeeds = new Uint32Array(settings.pairs)
  const shared = random.nextUint32()
  const starts = settings.noise.length - state.theta.length + 1
  if (starts < 1) throw new RangeError(`the noise table is shorter than the ${state.theta.length} parameters`)
  for (let i = 0; i < indices.length; i += 1) {
    indices[i] = random.nextInt(starts)
    const own = random.nextUint32()
    episodeSeeds[i] = settings.commonStarts ? shared : own
  }
  return { indices, episodeSeeds }
}

/** Seeds of the evaluation of the state's θ: other start states in each iteration, none of the training's. */
export function evaluationSeeds(state: EsState, episodes: number): Uint32Array {
  return Uint32Array.from({ length: episodes }, (_, i) => mixSeeds(state.seed, PURPOSE.evaluation, state.iteration, i))
}

/**
 * One step up: g = 1/(2n) Σ (rank⁺ - rank⁻) ε, then Adam on -g + l2 θ. Sums in the order given, so callers that sort by
 * plan order get the same θ whatever order results arrived in. No pairs at all: the iteration passes without a step.
 */
export function esUpdate(state: EsState, settings: EsSettings, outcome: EsOutcome): EsState {
  const pairs = outcome.indices.length
  if (outcome.returns.length !== 2 * pairs) throw new RangeError(`${pairs} pairs need ${2 * pairs} returns`)
  const iteration = state.iteration + 1
  if (pairs === 0) return { ...state, iteration }
  const table = noiseTable(settings.noise)
  const ranks = centredRanks(outcome.returns)
  const size = state.theta.length
  const descent = new Float64Array(size)
  for (let pair = 0; pair < pairs; pair += 1) {
    const weight = (ranks[2 * pair]! - ranks[2 * pair + 1]!) / (2 * pairs)
    const index = outcome.indices[pair]!
    for (let i = 0; i < size; i += 1) descent[i]! -= weight * table[index + i]!
  }
  for (let i = 0; i < size; i += 1) descent[i]! += settings.l2 * state.theta[i]!
  const { state: adam, delta } = adamStep(state.adam, descent, settings.stepSize)
  return { ...state, iteration, theta: state.theta.map((value, i) => value + delta[i]!), adam }
}

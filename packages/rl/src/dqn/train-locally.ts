import { EnvRunner } from '../runner/env-runner.ts'
import type { SampleRequest } from '../runner/env-runner.ts'
import { RecentReturns } from '../runner/recent-returns.ts'
import type { DqnMetrics, DqnState } from './dqn-learner.ts'
import { DqnLearner } from './dqn-learner.ts'
import type { DqnSettings } from './dqn-settings.ts'
import { annealedEpsilon } from './dqn-target.ts'

export interface LocalDqnRun {
  readonly solved: boolean
  readonly iterations: number
  readonly steps: number
  /** Mean of the last `solvedEpisodes` returns after each round. */
  readonly meanReturns: readonly number[]
  readonly metrics: DqnMetrics | undefined
  readonly state: DqnState
}

/** What each runner plays in a round. */
export function dqnRequest(settings: DqnSettings, round: number): SampleRequest {
  const { runners, stepsPerIteration, finalEpsilon, epsilonSteps } = settings
  const epsilon = annealedEpsilon(1, finalEpsilon, epsilonSteps, round * stepsPerIteration)
  return { steps: Math.ceil(stepsPerIteration / runners), round, explore: { kind: 'epsilon', epsilon } }
}

/** A whole run in the calling thread: what `trainDqn` computes, bit for bit. */
export function trainDqnLocally(settings: DqnSettings, seed: number): LocalDqnRun {
  const { module, envsPerRunner: envs, maxIterations } = settings
  const runners = Array.from({ length: settings.runners }, (_, index) => new EnvRunner({ module, envs, seed, index }))
  const learner = new DqnLearner(settings, seed)
  const recent = new RecentReturns(settings)
  const meanReturns: number[] = []
  let metrics: DqnMetrics | undefined
  let iteration = 0
  // As over a room, where the next round is played while the learner learns: with weights one round old.
  let weights = learner.getWeights()
  for (; iteration < maxIterations && !recent.isSolved; iteration += 1) {
    const samples = runners.map((runner) => runner.sample(weights, dqnRequest(settings, iteration)))
    weights = learner.getWeights()
    metrics = learner.update(samples.flatMap(({ episodes }) => episodes))
    for (const { returns } of samples) recent.add(returns)
    meanReturns.push(recent.mean)
  }
  const state = learner.getState()
  return { solved: recent.isSolved, iterations: iteration, steps: state.steps, meanReturns, metrics, state }
}

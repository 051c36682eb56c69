import { EnvRunner } from '../runner/env-runner.ts'
import type { PpoMetrics, PpoState } from './ppo-learner.ts'
import { PpoLearner } from './ppo-learner.ts'
import type { PpoSettings } from './ppo-settings.ts'
import { RecentReturns } from '../runner/recent-returns.ts'

export interface LocalPpoRun {
  readonly solved: boolean
  readonly iterations: number
  readonly steps: number
  /** Mean of the last `solvedEpisodes` returns after each iteration. */
  readonly meanReturns: readonly number[]
  readonly metrics: PpoMetrics | undefined
  readonly state: PpoState
}

/** A whole run in the calling thread: what `trainPpo` with `gather: 'barrier'` computes, bit for bit. */
export function trainPpoLocally(settings: PpoSettings, seed: number): LocalPpoRun {
  const { module, runners: count, envsPerRunner: envs, stepsPerIteration, maxIterations } = settings
  const runners = Array.from({ length: count }, (_, index) => new EnvRunner({ module, envs, seed, index }))
  const learner = new PpoLearner(settings, seed)
  const recent = new RecentReturns(settings)
  const meanReturns: number[] = []
  let steps = 0
  let metrics: PpoMetrics | undefined
  for (let iteration = 0; iteration < maxIterations && !recent.isSolved; iteration += 1) {
    const weights = learner.getWeights()
    const request = {
      steps: Math.ceil(stepsPerIteration / count),
      round: iteration,
      explore: { kind: 'sample' },
    } as const
    const samples = runners.map((runner) => runner.sample(weights, request))
    metrics = learner.update(samples.flatMap(({ episodes }) => episodes))
    steps += metrics.steps
    for (const { returns } of samples) recent.add(returns)
    meanReturns.push(recent.mean)
  }
  const state = learner.getState()
  return { solved: recent.isSolved, iterations: state.updates, steps, meanReturns, metrics, state }
}

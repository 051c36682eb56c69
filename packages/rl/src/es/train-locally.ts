import { createEsState, esPlan, esUpdate, evaluationSeeds } from './es.ts'
import type { EsState } from './es.ts'
import { mean } from './mean.ts'
import { runEvaluation, runRollouts } from './rollout.ts'
import type { EsSettings } from './settings.ts'

export interface LocalRun {
  readonly solved: boolean
  readonly iterations: number
  /** Environment steps of training; those of evaluation are not counted. */
  readonly steps: number
  /** Mean return of the population, one entry an iteration. */
  readonly meanReturns: readonly number[]
  /** Of the last evaluation. */
  readonly evalReturn: number
  readonly state: EsState
}

/**
 * A whole run in the calling thread: the yardstick for acceptance and speed-up, same plans and updates as `trainEs`.
 * Stops when solved, after `settings.maxIterations`, or once `maxSteps` steps were made.
 */
export function trainLocally(settings: EsSettings, seed: number, maxSteps = Number.POSITIVE_INFINITY): LocalRun {
  let state = createEsState(settings, seed)
  let steps = 0
  let evalReturn = Number.NEGATIVE_INFINITY
  const meanReturns: number[] = []
  for (;;) {
    const isLast = state.iteration >= settings.maxIterations || steps >= maxSteps
    if (isLast || state.iteration % settings.evaluateEvery === 0) {
      const episodeSeeds = evaluationSeeds(state, settings.evaluateEpisodes)
      evalReturn = mean(runEvaluation(state.theta, { policy: settings.policy, episodeSeeds }).returns)
    }
    const solved = evalReturn >= settings.solvedReturn
    if (solved || isLast) return { solved, iterations: state.iteration, steps, meanReturns, evalReturn, state }
    const { policy, noise, sigma, episodesPerPair } = settings
    const outcome = runRollouts(state.theta, { policy, noise, sigma, episodesPerPair, ...esPlan(state, settings) })
    steps += outcome.steps
    meanReturns.push(mean(outcome.returns))
    state = esUpdate(state, settings, outcome)
  }
}

import { mixSeeds } from '../random/xoshiro128.ts'
import type { AlphaZeroMetrics, AlphaZeroState } from './alpha-zero-learner.ts'
import { AlphaZeroLearner } from './alpha-zero-learner.ts'
import type { AlphaZeroSettings } from './alpha-zero-settings.ts'
import { PolicyValueNet } from './policy-value-net.ts'
import type { SelfPlayRequest } from './self-play.ts'
import { selfPlay } from './self-play.ts'

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { games: 43 } as const

/** What each self-play task of an iteration plays. */
export function selfPlayRequests(settings: AlphaZeroSettings, seed: number, iteration: number): SelfPlayRequest[] {
  return Array.from({ length: settings.tasksPerIteration }, (_, task) => ({
    ...settings.selfPlay,
    seed: mixSeeds(seed, PURPOSE.games, iteration, task),
  }))
}

/** A whole run in the calling thread: what `trainAlphaZero` computes, bit for bit. */
export async function trainAlphaZeroLocally(
  settings: AlphaZeroSettings,
  seed: number,
): Promise<{ readonly metrics: readonly AlphaZeroMetrics[]; readonly state: AlphaZeroState }> {
  const learner = new AlphaZeroLearner(settings, seed)
  const network = new PolicyValueNet(settings.network, settings.selfPlay.games)
  const metrics: AlphaZeroMetrics[] = []
  for (let iteration = 0; iteration < settings.maxIterations; iteration += 1) {
    const weights = learner.getWeights()
    const results = []
    for (const request of selfPlayRequests(settings, seed, iteration)) {
      results.push(await selfPlay((games) => network.evaluate(weights, games), request))
    }
    metrics.push(learner.learn(...results))
  }
  return { metrics, state: learner.getState() }
}

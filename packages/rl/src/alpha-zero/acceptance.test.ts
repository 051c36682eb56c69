/** Learning to play connect four from nothing, in a few seconds. */
import { expect, it } from 'vitest'
import { AlphaZeroLearner } from './alpha-zero-learner.ts'
import { ALPHA_ZERO_SETTINGS } from './alpha-zero-settings.ts'
import type { AlphaZeroSettings } from './alpha-zero-settings.ts'
import { rolloutEvaluator } from './evaluator.ts'
import { playMatch, policyPlayer, randomPlayer, searchPlayer } from './match.ts'
import { PolicyValueNet } from './policy-value-net.ts'
import { trainAlphaZeroLocally } from './train-locally.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'

it('beats a random player in 80 of 100 games without any search, in 16 of 20 with a little, and learns what search finds', async () => {
  const settings: AlphaZeroSettings = { ...ALPHA_ZERO_SETTINGS.connectFour, maxIterations: 8 }
  const { metrics, state } = await trainAlphaZeroLocally(settings, 1)
  expect(metrics.at(-1)!.policyLoss).toBeLessThan(metrics[0]!.policyLoss - 0.1)
  const network = new PolicyValueNet(settings.network, 1)
  const scores = async (weights: Float32Array) => {
    const evaluate = (games: Parameters<typeof network.evaluate>[1]) => network.evaluate(weights, games)
    const plain = searchPlayer(rolloutEvaluator(new Xoshiro128(1)), 50)
    return {
      policy: await playMatch(policyPlayer(evaluate), randomPlayer, 100, 1),
      search: await playMatch(searchPlayer(evaluate, 30), randomPlayer, 20, 1),
      plain: await playMatch(searchPlayer(evaluate, 50), plain, 20, 1),
    }
  }
  const [before, after] = [await scores(new AlphaZeroLearner(settings, 1).getWeights()), await scores(state.parameters)]
  expect(after.policy.wins).toBeGreaterThanOrEqual(80)
  expect(after.policy.wins).toBeGreaterThan(before.policy.wins)
  expect(after.search.wins).toBeGreaterThanOrEqual(16)
  // The same number of simulations, of which the others end in games played out at random.
  expect(after.plain.wins).toBeGreaterThanOrEqual(before.plain.wins + 5)
}, 60_000)

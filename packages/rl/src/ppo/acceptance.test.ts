/** The short form of scripts/acceptance-learners.ts. */
import { expect, it } from 'vitest'
import { PPO_SETTINGS } from './ppo-settings.ts'
import { trainPpoLocally } from './train-locally.ts'

it('solves CartPole (475 over the last 100 episodes) within 100,000 steps in 2 of 3 seeds', () => {
  const runs = [0, 1, 2].map((seed) => trainPpoLocally(PPO_SETTINGS.cartpole, seed))
  expect(runs.filter(({ solved, steps }) => solved && steps <= 100_000).length).toBeGreaterThanOrEqual(2)
  for (const { meanReturns } of runs) expect(meanReturns.at(-1)).toBeGreaterThan(5 * meanReturns[0]!)
}, 60_000)

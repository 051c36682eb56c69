/** The short form of scripts/acceptance-learners.ts: CartPole's older bar, 195, which takes a third of the time. */
import { expect, it } from 'vitest'
import { DQN_SETTINGS } from './dqn-settings.ts'
import { trainDqnLocally } from './train-locally.ts'

it('reaches 195 on CartPole (mean of the last 20 episodes) within 16,000 steps in 1 of 2 seeds', () => {
  const settings = { ...DQN_SETTINGS.cartpole, solvedReturn: 195, maxIterations: 250 }
  const runs = [0, 1].map((seed) => trainDqnLocally(settings, seed))
  expect(runs.filter(({ solved }) => solved).length).toBeGreaterThanOrEqual(1)
}, 60_000)

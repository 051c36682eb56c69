import type { PolicyValueSpec } from './policy-value-net.ts'
import type { SelfPlayRequest } from './self-play.ts'

/** Everything a run is, apart from its seed and where it runs. */
export interface AlphaZeroSettings {
  readonly network: PolicyValueSpec
  /** Of each self-play task; its seed is the run's matter. */
  readonly selfPlay: Omit<SelfPlayRequest, 'seed'>
  /** Self-play tasks an iteration. */
  readonly tasksPerIteration: number
  /** Positions that are kept to learn from. */
  readonly replaySize: number
  /** Minibatches learned from in an iteration. */
  readonly updatesPerIteration: number
  readonly minibatch: number
  readonly stepSize: number
  readonly l2: number
  readonly maxIterations: number
}

export const ALPHA_ZERO_SETTINGS = {
  connectFour: {
    network: { inputSize: 84, actions: 7, hidden: [64, 32] },
    selfPlay: {
      games: 10,
      simulations: 40,
      exploration: 1.5,
      noise: { share: 0.25, concentration: 1 },
      openingPlies: 12,
    },
    tasksPerIteration: 4,
    replaySize: 10_000,
    updatesPerIteration: 60,
    minibatch: 64,
    stepSize: 2e-3,
    l2: 1e-4,
    maxIterations: 30,
  },
} as const satisfies Record<string, AlphaZeroSettings>

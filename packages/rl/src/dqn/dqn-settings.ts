import type { ModuleSpec } from '../runner/module-spec.ts'

/** Everything a run is, apart from its seed and where it runs. */
export interface DqnSettings {
  readonly module: ModuleSpec
  /** Actors that play. */
  readonly runners: number
  /** Environments of each. */
  readonly envsPerRunner: number
  /** Steps of all runners together in one round. */
  readonly stepsPerIteration: number
  /** Minibatches learned from in one round. */
  readonly updatesPerIteration: number
  readonly minibatch: number
  /** Steps that the replay buffer keeps. */
  readonly replaySize: number
  /** Nothing is learned before there are so many steps in it. */
  readonly learningStarts: number
  /** Minibatches between two copies of the network into the target network. */
  readonly targetEvery: number
  readonly gamma: number
  readonly stepSize: number
  /** The gradient is scaled down to this length. */
  readonly maxGradient: number
  /** ε falls in a line from 1 to this over `epsilonSteps`. */
  readonly finalEpsilon: number
  readonly epsilonSteps: number
  /** Solved: the mean return of the last `solvedEpisodes` episodes, exploration and all, reaches this. */
  readonly solvedReturn: number
  readonly solvedEpisodes: number
  /** Give up after this many rounds. */
  readonly maxIterations: number
}

/** Settings that solve their environments; README.md has the measured seeds. */
export const DQN_SETTINGS = {
  cartpole: {
    module: {
      env: 'CartPole-v1',
      hidden: [64],
      // With relu the values ran away in most runs: what it makes of states it has not seen grows without bound.
      activation: 'tanh',
      observation: [{ kind: 'scale', factors: [1, 1, 5, 1] }],
    },
    runners: 2,
    envsPerRunner: 2,
    stepsPerIteration: 64,
    updatesPerIteration: 32,
    minibatch: 64,
    replaySize: 20_000,
    learningStarts: 1000,
    targetEvery: 100,
    gamma: 0.99,
    stepSize: 1e-3,
    maxGradient: 10,
    finalEpsilon: 0.01,
    epsilonSteps: 4000,
    solvedReturn: 475,
    solvedEpisodes: 20,
    maxIterations: 1500,
  },
} as const satisfies Record<string, DqnSettings>

export type DqnSettingsName = keyof typeof DQN_SETTINGS

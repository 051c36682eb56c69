import type { ModuleSpec } from '../runner/module-spec.ts'

/** Everything a run is, apart from its seed and where it runs. */
export interface PpoSettings {
  readonly module: ModuleSpec
  /** Actors that play. */
  readonly runners: number
  /** Environments of each. */
  readonly envsPerRunner: number
  /** Steps of all runners together between two updates. */
  readonly stepsPerIteration: number
  readonly gamma: number
  readonly lambda: number
  readonly epochs: number
  readonly minibatch: number
  /** Adam's step size at the start, falling linearly to 0 at the end of `annealIterations`, if there are any. */
  readonly stepSize: number
  readonly annealIterations?: number
  /** ε of the objective. */
  readonly clip: number
  /** ε of the value loss; none does not clip. */
  readonly valueClip?: number
  readonly valueWeight: number
  readonly entropyWeight: number
  /** The gradient is scaled down to this length. */
  readonly maxGradient: number
  /** What rewards are multiplied by before anything is learned from them. */
  readonly rewardScale: number
  /** Solved: the mean return of the last `solvedEpisodes` episodes reaches this. */
  readonly solvedReturn: number
  readonly solvedEpisodes: number
  /** Give up after this many iterations. */
  readonly maxIterations: number
}

const CARTPOLE: PpoSettings = {
  module: { env: 'CartPole-v1', hidden: [32], activation: 'tanh', observation: [] },
  runners: 4,
  envsPerRunner: 2,
  stepsPerIteration: 1024,
  gamma: 0.99,
  lambda: 0.95,
  epochs: 4,
  minibatch: 128,
  stepSize: 3e-3,
  clip: 0.2,
  valueWeight: 0.5,
  entropyWeight: 0.01,
  maxGradient: 0.5,
  rewardScale: 1,
  solvedReturn: 475,
  solvedEpisodes: 100,
  maxIterations: 488,
}

/** Settings that solve their environments; README.md has the measured seeds. */
export const PPO_SETTINGS = {
  cartpole: CARTPOLE,
  pendulum: {
    ...CARTPOLE,
    module: {
      env: 'Pendulum-v1',
      hidden: [32],
      activation: 'tanh',
      observation: [{ kind: 'scale', factors: [1, 1, 0.25] }],
    },
    envsPerRunner: 1,
    stepsPerIteration: 4096,
    gamma: 0.9,
    epochs: 10,
    stepSize: 1e-3,
    entropyWeight: 0,
    rewardScale: 0.1,
    solvedReturn: -250,
    maxIterations: 73,
  },
  acrobot: {
    ...CARTPOLE,
    module: {
      env: 'Acrobot-v1',
      hidden: [32],
      activation: 'tanh',
      observation: [{ kind: 'scale', factors: [1, 1, 1, 1, 0.25, 0.15] }],
    },
    envsPerRunner: 4,
    stepsPerIteration: 4096,
    lambda: 0.94,
    stepSize: 1e-3,
    entropyWeight: 0.001,
    rewardScale: 0.1,
    solvedReturn: -100,
    maxIterations: 122,
  },
  /** Where `@shoal/rl/lunar-lander` is imported. */
  lunarLander: {
    ...CARTPOLE,
    module: { env: 'LunarLander-v3', hidden: [64], activation: 'tanh', observation: [] },
    envsPerRunner: 4,
    stepsPerIteration: 4096,
    gamma: 0.999,
    lambda: 0.98,
    minibatch: 256,
    stepSize: 1e-3,
    rewardScale: 0.05,
    solvedReturn: 200,
    maxIterations: 366,
  },
} as const satisfies Record<string, PpoSettings>

export type PpoSettingsName = keyof typeof PPO_SETTINGS

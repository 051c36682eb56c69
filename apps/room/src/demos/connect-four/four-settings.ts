import { ALPHA_ZERO_SETTINGS } from '@shoal/rl'
import type { AlphaZeroSettings } from '@shoal/rl'

export interface FourSettings extends AlphaZeroSettings {
  /** An update waits for so many games, however many tasks they came in. */
  readonly gamesPerIteration: number
  /** Learned games between two measurements of how strong it is, at least; later fewer, as it changes more slowly. */
  readonly gamesPerTest: number
  readonly test: {
    /** Against chance: the network alone, without any search. */
    readonly randomGames: number
    /** Against plain Monte-Carlo tree search, which plays its positions out at random: both search. */
    readonly searchGames: number
    readonly simulations: number
    readonly rollouts: number
    /** Games of one task. */
    readonly gamesPerTask: number
  }
  /** Win rate against chance at which a run that a program asked for is over. */
  readonly goal: number
}

/** So that a person sees it grow within seconds on two cores, and may lose to it after a few minutes. */
export const FOUR_SETTINGS: FourSettings = {
  ...ALPHA_ZERO_SETTINGS.connectFour,
  selfPlay: { ...ALPHA_ZERO_SETTINGS.connectFour.selfPlay, games: 8 },
  gamesPerIteration: 40,
  gamesPerTest: 300,
  // Positions and their mirror images: of the last thousand games.
  replaySize: 40_000,
  updatesPerIteration: 40,
  minibatch: 128,
  maxIterations: 5_000,
  test: { randomGames: 200, searchGames: 40, simulations: 100, rollouts: 200, gamesPerTask: 4 },
  goal: 0.9,
}

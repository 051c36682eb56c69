/** How strong a network is, measured by games in tasks: which games there are, and what they say together. */
import { mixSeeds } from '@shoal/rl'
import type { MatchResult } from '@shoal/rl'
import type { TestRequest } from './connect-four.remote.ts'
import type { FourSettings } from './four-settings.ts'

export interface Strength {
  /** Games learned from before it was measured. */
  readonly games: number
  /** The network alone, without any search, against moves by chance. */
  readonly againstRandom: MatchResult
  /** With a search of some positions a move, against plain Monte-Carlo tree search of some more. */
  readonly againstSearch: MatchResult
}

const NO_GAMES: MatchResult = { wins: 0, draws: 0, losses: 0 }
/** Without search a game takes less than a millisecond. */
const RANDOM_GAMES_PER_TASK = 50

export class StrengthTest {
  readonly requests: readonly TestRequest[]
  #strength: Strength
  #left: number

  constructor({ test }: Pick<FourSettings, 'test'>, seed: number, games: number) {
    const { randomGames, searchGames, gamesPerTask, simulations, rollouts } = test
    const search = { simulations, rollouts }
    this.requests = [
      ...shares(randomGames, RANDOM_GAMES_PER_TASK).map((share) => ({ games: share })),
      ...shares(searchGames, gamesPerTask).map((share) => ({ games: share, search })),
    ].map((request, i) => ({ ...request, seed: mixSeeds(seed, i) }))
    this.#left = this.requests.length
    this.#strength = { games, againstRandom: NO_GAMES, againstSearch: NO_GAMES }
  }

  /** Once for each request; gives the whole when all are in. */
  add({ search }: TestRequest, result: MatchResult): Strength | undefined {
    const which = search === undefined ? 'againstRandom' : 'againstSearch'
    this.#strength = { ...this.#strength, [which]: sum(this.#strength[which], result) }
    this.#left -= 1
    return this.#left === 0 ? this.#strength : undefined
  }
}

/** Share of the points, 0 to 1: a draw is half a win. */
export function scoreOf({ wins, draws, losses }: MatchResult): number {
  return (wins + draws / 2) / (wins + draws + losses)
}

function sum(a: MatchResult, b: MatchResult): MatchResult {
  return { wins: a.wins + b.wins, draws: a.draws + b.draws, losses: a.losses + b.losses }
}

/** Even numbers of games, since players take turns to begin. */
function shares(games: number, most: number): number[] {
  const count = Math.ceil(games / most)
  return Array.from({ length: count }, (_, i) => Math.min(most, games - i * most))
}

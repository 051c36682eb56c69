/** Games between two players, to see who is better. */
import type { Game } from '../games/game.ts'
import { ConnectFour } from '../games/connect-four.ts'
import { legalMoves } from '../games/game.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { Evaluator } from './evaluator.ts'
import { simulate } from './evaluator.ts'
import { Search } from './search.ts'

/** Chooses a legal move; chance only from `random`. */
export type Player = (game: Game, random: Xoshiro128) => number | Promise<number>

export interface MatchResult {
  /** Of the first player. */
  readonly wins: number
  readonly draws: number
  readonly losses: number
}

/** Takes turns to begin; game i draws from a stream of its own. */
export async function playMatch(
  first: Player,
  second: Player,
  games: number,
  seed: number,
  start: () => Game = () => new ConnectFour(),
): Promise<MatchResult> {
  let wins = 0
  let draws = 0
  for (let i = 0; i < games; i += 1) {
    const random = new Xoshiro128(mixSeeds(seed, i))
    const game = start()
    const firstPlayer = i % 2
    while (game.winner === undefined) {
      game.play(await (game.player === firstPlayer ? first : second)(game, random))
    }
    if (game.winner === 'draw') draws += 1
    else if (game.winner === firstPlayer) wins += 1
  }
  return { wins, draws, losses: games - wins - draws }
}

/** Any legal move, each as likely as the others. */
export const randomPlayer: Player = (game, random) => {
  const moves = legalMoves(game)
  return moves[random.nextInt(moves.length)]!
}

/** The move that a search tries most. */
export function searchPlayer(evaluate: Evaluator, simulations: number, exploration = 1.5): Player {
  return async (game) => {
    const search = new Search(game, { exploration })
    await simulate([search], simulations, evaluate)
    return search.bestMove()
  }
}

/** The legal move with the largest prior, without any search: what the network alone knows. */
export function policyPlayer(evaluate: Evaluator): Player {
  return async (game) => {
    const [evaluation] = await evaluate([game])
    const priors = evaluation!.priors
    return legalMoves(game).reduce((best, move) => (priors[move]! > priors[best]! ? move : best))
  }
}

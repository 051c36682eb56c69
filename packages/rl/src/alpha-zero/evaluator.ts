/** What evaluates positions for a search, some at a time: a network here, one behind a serving actor, or games played out. */
import type { Game } from '../games/game.ts'
import { legalMoves } from '../games/game.ts'
import type { Xoshiro128 } from '../random/xoshiro128.ts'
import type { Evaluation, Leaf, Search } from './search.ts'

/** One evaluation a game, in their order. */
export type Evaluator = (games: readonly Game[]) => readonly Evaluation[] | Promise<readonly Evaluation[]>

/**
 * So many simulations of each search, in step: each asks for at most one position a round, and the evaluator gets those of all
 * searches at once.
 */
export async function simulate(searches: readonly Search[], simulations: number, evaluate: Evaluator): Promise<void> {
  for (let i = 0; i < simulations; i += 1) {
    const leaves: Leaf[] = []
    const owners: Search[] = []
    for (const search of searches) {
      const leaf = search.select()
      if (leaf === undefined) continue
      leaves.push(leaf)
      owners.push(search)
    }
    if (leaves.length === 0) continue
    const asked = evaluate(leaves.map(({ game }) => game))
    const evaluations = asked instanceof Promise ? await asked : (asked as readonly Evaluation[])
    leaves.forEach((leaf, k) => owners[k]!.expand(leaf, evaluations[k]!))
  }
}

/** No opinion about moves, and one game played out at random for the value: plain Monte-Carlo tree search. */
export function rolloutEvaluator(random: Xoshiro128): (games: readonly Game[]) => readonly Evaluation[] {
  return (games) =>
    games.map((game) => {
      const { player } = game
      const copy = game.clone()
      while (copy.winner === undefined) {
        const moves = legalMoves(copy)
        copy.play(moves[random.nextInt(moves.length)]!)
      }
      const value = copy.winner === 'draw' ? 0 : copy.winner === player ? 1 : -1
      return { priors: new Float32Array(game.actions).fill(1), value }
    })
}

/**
 * Games of a network against itself, many in step so that they share batches, and what is to be learned from them.
 * Deterministic given the evaluator and the request.
 */
import type { Game } from '../games/game.ts'
import { ConnectFour } from '../games/connect-four.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { Evaluator } from './evaluator.ts'
import { simulate } from './evaluator.ts'
import { encodeGames } from './policy-value-net.ts'
import { Search } from './search.ts'

export interface SelfPlayRequest {
  readonly games: number
  /** Of each move. */
  readonly simulations: number
  readonly exploration: number
  readonly noise: { readonly share: number; readonly concentration: number }
  /** So many plies of a game are drawn by visits, to see different games; later ones are the most visited. */
  readonly openingPlies: number
  readonly seed: number
}

/** Positions side by side, in no order that matters. */
export interface SelfPlayResult {
  readonly positions: number
  /** positions x inputSize. */
  readonly inputs: Float32Array
  /** positions x actions: shares of the visits. */
  readonly policies: Float32Array
  /** How the game ended for the player to move: -1, 0, 1. */
  readonly outcomes: Float32Array
  /** Games won by who began, lost, drawn. */
  readonly ends: readonly [number, number, number]
}

interface Played {
  readonly game: Game
  readonly random: Xoshiro128
  readonly inputs: Float32Array[]
  readonly policies: Float32Array[]
  readonly players: (0 | 1)[]
}

/** Plays games from `start`, connect four's if none is given, to their ends. */
export async function selfPlay(
  evaluate: Evaluator,
  request: SelfPlayRequest,
  start: () => Game = () => new ConnectFour(),
): Promise<SelfPlayResult> {
  const { games, simulations, exploration, noise, openingPlies, seed } = request
  const all = Array.from({ length: games }, (_, i): Played => {
    const random = new Xoshiro128(mixSeeds(seed, i))
    return { game: start(), random, inputs: [], policies: [], players: [] }
  })
  for (let playing = all; playing.length > 0; playing = playing.filter(({ game }) => game.winner === undefined)) {
    const searches = playing.map(({ game, random }) => new Search(game, { exploration, noise: { ...noise, random } }))
    await simulate(searches, simulations, evaluate)
    playing.forEach((played, i) => {
      const visits = searches[i]!.visits()
      const total = visits.reduce((sum, n) => sum + n, 0)
      played.inputs.push(encodeGames([played.game]))
      played.policies.push(Float32Array.from(visits, (n) => n / total))
      played.players.push(played.game.player)
      const isOpening = played.game.movesMade < openingPlies
      played.game.play(isOpening ? drawMove(visits, total, played.random) : searches[i]!.bestMove())
    })
  }
  return collect(all)
}

function drawMove(visits: Int32Array, total: number, random: Xoshiro128): number {
  const draw = random.nextDouble() * total
  let sum = 0
  const drawn = visits.findIndex((n) => (sum += n) > draw)
  return drawn >= 0 ? drawn : visits.indexOf(Math.max(...visits))
}

function collect(all: readonly Played[]): SelfPlayResult {
  const ends: [number, number, number] = [0, 0, 0]
  const outcomes: number[] = []
  for (const { game, players } of all) {
    const { winner } = game
    ends[winner === 0 ? 0 : winner === 1 ? 1 : 2] += 1
    for (const player of players) outcomes.push(winner === 'draw' ? 0 : winner === player ? 1 : -1)
  }
  return {
    positions: outcomes.length,
    inputs: concatenated(all.flatMap(({ inputs }) => inputs)),
    policies: concatenated(all.flatMap(({ policies }) => policies)),
    outcomes: Float32Array.from(outcomes),
    ends,
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

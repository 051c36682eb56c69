/**
 * Monte-Carlo tree search with PUCT, as AlphaZero's (Silver et al., 2018): a = argmax Q + c P √ΣN / (1 + N). One search looks at one
 * position; it is a pair of steps, `select` and `expand`, so that many searches can share one batch of a network.
 * It does not know what evaluates positions.
 */
import type { Game } from '../games/game.ts'
import { portableLog } from '../random/xoshiro128.ts'
import type { Xoshiro128 } from '../random/xoshiro128.ts'

/** What is thought of a position before looking further. */
export interface Evaluation {
  /** A weight of each move, legal or not; those of legal ones are scaled to sum 1. */
  readonly priors: ArrayLike<number>
  /** For the player to move, -1 lost .. 1 won. */
  readonly value: number
}

export interface SearchOptions {
  /** How much the priors count against what was found: c. */
  readonly exploration: number
  /** Chance in the root's priors, (1 - share) P + share Dir(concentration), for self-play. Default: none. */
  readonly noise?: { readonly share: number; readonly concentration: number; readonly random: Xoshiro128 }
}

interface Edge {
  readonly action: number
  prior: number
  visits: number
  /** Sum of what its visits found, for the player who moves here. */
  total: number
  child: Node | undefined
}

interface Node {
  edges: readonly Edge[]
}

/** A position that waits for its evaluation. */
export interface Leaf {
  readonly game: Game
  readonly node: Node
  readonly path: readonly Edge[]
}

export class Search {
  readonly #game: Game
  readonly #options: SearchOptions
  readonly #root: Node = { edges: [] }

  /** The game is copied. @throws RangeError when it is over. */
  constructor(game: Game, options: SearchOptions) {
    if (game.winner !== undefined) throw new RangeError('the game is over: there is nothing to search for')
    this.#game = game.clone()
    this.#options = options
  }

  /**
   * Walks down to a position that nobody has looked at: the first is the root itself. Undefined when the walk ended where the
   * game is over, which needs no evaluation: that simulation is done.
   */
  select(): Leaf | undefined {
    const game = this.#game.clone()
    const path: Edge[] = []
    let node = this.#root
    while (node.edges.length > 0) {
      const edge = this.#best(node)
      path.push(edge)
      game.play(edge.action)
      if (game.winner !== undefined) {
        // Whoever moved last has won, if anybody.
        backUp(path, game.winner === 'draw' ? 0 : -1)
        return undefined
      }
      edge.child ??= { edges: [] }
      node = edge.child
    }
    return { game, node, path }
  }

  /** Ends the simulation that `select` began. @throws RangeError when the leaf's legal moves have no weight that is a number. */
  expand({ game, node, path }: Leaf, { priors, value }: Evaluation): void {
    const legal = Array.from({ length: game.actions }, (_, action) => action).filter((action) => game.isLegal(action))
    const sum = legal.reduce((total, action) => total + priors[action]!, 0)
    if (!(sum >= 0) || !Number.isFinite(value)) throw new RangeError('an evaluation that is no number')
    node.edges = legal.map((action) => ({
      action,
      // A network may be sure of illegal moves only.
      prior: sum > 0 ? priors[action]! / sum : 1 / legal.length,
      visits: 0,
      total: 0,
      child: undefined,
    }))
    if (node === this.#root) this.#addNoise(node.edges)
    backUp(path, value)
  }

  /** How often each move was tried, legal or not. */
  visits(): Int32Array {
    const visits = new Int32Array(this.#game.actions)
    for (const edge of this.#root.edges) visits[edge.action] = edge.visits
    return visits
  }

  /** The move tried most, the lowest on a tie. */
  bestMove(): number {
    const visits = this.visits()
    return visits.indexOf(Math.max(...visits))
  }

  /** What the root is worth to the player to move, by what was found; 0 before the first simulation past the root. */
  value(): number {
    const { edges } = this.#root
    const visits = edges.reduce((sum, edge) => sum + edge.visits, 0)
    return visits === 0 ? 0 : edges.reduce((sum, edge) => sum + edge.total, 0) / visits
  }

  #best({ edges }: Node): Edge {
    const visits = edges.reduce((sum, edge) => sum + edge.visits, 0)
    const scale = this.#options.exploration * Math.sqrt(visits)
    let best = edges[0]!
    let bestScore = Number.NEGATIVE_INFINITY
    for (const edge of edges) {
      const found = edge.visits === 0 ? 0 : edge.total / edge.visits
      const score = found + (scale * edge.prior) / (1 + edge.visits)
      if (score > bestScore || (score === bestScore && edge.prior > best.prior)) {
        best = edge
        bestScore = score
      }
    }
    return best
  }

  #addNoise(edges: readonly Edge[]): void {
    const { noise } = this.#options
    if (noise === undefined) return
    const draws = edges.map(() => drawGamma(noise.concentration, noise.random))
    const sum = draws.reduce((total, draw) => total + draw, 0)
    edges.forEach((edge, i) => (edge.prior = (1 - noise.share) * edge.prior + (noise.share * draws[i]!) / sum))
  }
}

/** `value` is the last position's for the player to move there; it changes sign with each ply on the way up. */
function backUp(path: readonly Edge[], value: number): void {
  let sign = -1
  for (let i = path.length - 1; i >= 0; i -= 1) {
    const edge = path[i]!
    edge.visits += 1
    edge.total += sign * value
    sign = -sign
  }
}

/** Gamma(shape, 1), by Marsaglia and Tsang ("A simple method for generating gamma variables", 2000). */
export function drawGamma(shape: number, random: Xoshiro128): number {
  // Below 1: of shape + 1, times a power of a uniform.
  if (shape < 1) return drawGamma(shape + 1, random) * (1 - random.nextDouble()) ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = random.nextNormal()
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v <= 0) continue
    // portableLog is for (0, 1]: log v = -log(1 / v).
    const logV = v <= 1 ? portableLog(v) : -portableLog(1 / v)
    if (portableLog(1 - random.nextDouble()) < 0.5 * x * x + d - d * v + d * logV) return d * v
  }
}

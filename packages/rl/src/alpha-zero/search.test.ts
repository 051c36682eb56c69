import { describe, expect, it } from 'vitest'
import { ConnectFour } from '../games/connect-four.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import { rolloutEvaluator, simulate } from './evaluator.ts'
import type { Evaluator } from './evaluator.ts'
import { drawGamma, Search } from './search.ts'

const PRIORS = [0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02]

describe('Search', () => {
  it('goes down PUCT step by step, as reckoned by hand', () => {
    const search = new Search(new ConnectFour(), { exploration: 2 })
    const step = (value: number): number[] => {
      const leaf = search.select()!
      search.expand(leaf, { priors: PRIORS, value })
      return leaf.path.map(({ action }) => action)
    }
    // 1: the root itself; its value is nobody's choice.
    expect(step(0.9)).toEqual([])
    expect([...search.visits()]).toEqual([0, 0, 0, 0, 0, 0, 0])
    // 2: no visits, so every score is 0 and the prior decides: 0. Good for the other there (0.5): Q(0) = -0.5.
    expect(step(0.5)).toEqual([0])
    // 3: √1. U(0) = 2 x 0.4 / 2 = 0.4, -0.1 with Q; U(1) = 0.6. Move 1, which is bad for the other: Q(1) = 0.8.
    expect(step(-0.8)).toEqual([1])
    // 4: √2. Score(0) = -0.5 + 2 x 0.4 x 1.414 / 2 = 0.066; (1) = 0.8 + 0.424; (2) = 0.283. Below 1 no visits: the prior, 0.
    expect(step(0.2)).toEqual([1, 0])
    // Two plies up the sign is the root's again: Q(1) = (0.8 + 0.2) / 2.
    expect([...search.visits()]).toEqual([1, 2, 0, 0, 0, 0, 0])
    expect(search.value()).toBeCloseTo((-0.5 + 1) / 3, 12)
    expect(search.bestMove()).toBe(1)
  })

  it('counts a lost game -1 for who is to move, a draw 0, and asks for no evaluation there', async () => {
    // One stone from a row of four in column 3, and nothing else worth a look.
    const game = new ConnectFour([0, 0, 1, 1, 2, 2])
    const search = new Search(game, { exploration: 1 })
    const asked: number[] = []
    const evaluate: Evaluator = (games) =>
      games.map(({ movesMade }) => {
        asked.push(movesMade)
        return { priors: [0, 0, 0, 1, 0, 0, 0], value: 0 }
      })
    await simulate([search], 5, evaluate)
    expect(asked).toEqual([6])
    expect([...search.visits()]).toEqual([0, 0, 0, 4, 0, 0, 0])
    expect(search.value()).toBe(1)
  })

  it('gives illegal moves nothing, and even chances when a network wants only those', () => {
    const full = new ConnectFour([0, 0, 0, 0, 0, 0])
    const search = new Search(full, { exploration: 1 })
    search.expand(search.select()!, { priors: [1, 0, 0, 0, 0, 0, 0], value: 0 })
    const seen = new Set<string>()
    for (let i = 0; i < 6; i += 1) {
      const leaf = search.select()!
      seen.add(String(leaf.game))
      search.expand(leaf, { priors: PRIORS, value: 0 })
    }
    expect(search.visits()[0]).toBe(0)
    expect(seen.size).toBe(6)
  })

  it('adds chance to the root alone, of mean share', () => {
    let sum = 0
    const random = new Xoshiro128(1)
    for (let i = 0; i < 300; i += 1) {
      const search = new Search(new ConnectFour(), {
        exploration: 1,
        noise: { share: 0.25, concentration: 1, random },
      })
      search.expand(search.select()!, { priors: [1, 0, 0, 0, 0, 0, 0], value: 0 })
      const leaf = search.select()!
      sum += leaf.path[0]!.prior
      search.expand(leaf, { priors: [1, 0, 0, 0, 0, 0, 0], value: 0 })
      expect(leaf.node.edges.map(({ prior }) => prior)).toEqual([1, 0, 0, 0, 0, 0, 0])
    }
    // 0.75 + 0.25 / 7.
    expect(sum / 300).toBeCloseTo(0.786, 1)
  })

  it('refuses a game that is over and an evaluation that is no number', () => {
    expect(() => new Search(new ConnectFour([0, 1, 0, 1, 0, 1, 0]), { exploration: 1 })).toThrow(RangeError)
    const search = new Search(new ConnectFour(), { exploration: 1 })
    const leaf = search.select()!
    expect(() => search.expand(leaf, { priors: [Number.NaN, 0, 0, 0, 0, 0, 0], value: 0 })).toThrow(RangeError)
    expect(() => search.expand(leaf, { priors: PRIORS, value: Number.NaN })).toThrow(RangeError)
  })
})

/** Positions with a win in one, and positions in which all but one move lose at once. */
const WINS: readonly (readonly [string, number[], number])[] = [
  ['a row', [0, 0, 1, 1, 2, 2], 3],
  ['a column', [3, 0, 3, 0, 3, 1], 3],
  ['a gap', [0, 0, 1, 1, 3, 3], 2],
  ['a diagonal', [0, 1, 1, 2, 2, 3, 2, 3, 3, 6], 3],
  ['the second player', [6, 0, 6, 1, 5, 2, 5], 3],
]
const BLOCKS: readonly (readonly [string, number[], number])[] = [
  ['a row', [6, 0, 6, 1, 5, 2], 3],
  ['a column', [0, 3, 1, 3, 6, 3], 3],
  ['a gap', [6, 0, 6, 1, 5, 3], 2],
  ['the second player', [0, 0, 1, 1, 2], 3],
]

describe('plain Monte-Carlo tree search', () => {
  const best = async (moves: readonly number[], seed: number): Promise<number> => {
    const search = new Search(new ConnectFour(moves), { exploration: 1.5 })
    await simulate([search], 400, rolloutEvaluator(new Xoshiro128(seed)))
    return search.bestMove()
  }
  const seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

  it.each(WINS)('wins in one, always: %s', async (_, moves, move) => {
    expect(await Promise.all(seeds.map((seed) => best(moves, seed)))).toEqual(seeds.map(() => move))
  })

  it.each(BLOCKS)('blocks in one, always: %s', async (_, moves, move) => {
    expect(await Promise.all(seeds.map((seed) => best(moves, seed)))).toEqual(seeds.map(() => move))
  })
})

it('drawGamma has the mean and variance of its shape', () => {
  for (const shape of [0.3, 1, 4]) {
    const random = new Xoshiro128(2)
    const draws = Array.from({ length: 20_000 }, () => drawGamma(shape, random))
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length
    expect(mean / shape).toBeCloseTo(1, 1)
    expect(Math.abs(variance / shape - 1)).toBeLessThan(0.1)
  }
})

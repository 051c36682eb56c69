import { describe, expect, it } from 'vitest'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import { COLUMNS, ConnectFour, ROWS } from './connect-four.ts'
import { legalMoves } from './game.ts'

/** Every line of four of the board, counted without the game's own search. */
function hasFour(game: ConnectFour, player: 0 | 1): boolean {
  for (let x = 0; x < COLUMNS; x += 1)
    for (let y = 0; y < ROWS; y += 1)
      for (const [dx, dy] of [
        [1, 0],
        [0, 1],
        [1, 1],
        [1, -1],
      ] as const) {
        const cells = [0, 1, 2, 3].map((i): [number, number] => [x + i * dx, y + i * dy])
        const isInside = cells.every(([cx, cy]) => cx < COLUMNS && cy >= 0 && cy < ROWS)
        if (isInside && cells.every(([cx, cy]) => game.at(cx, cy) === player)) return true
      }
  return false
}

describe('ConnectFour', () => {
  it.each([
    ['a row', [0, 0, 1, 1, 2, 2, 3], 0],
    ['a column', [0, 1, 0, 1, 0, 1, 0], 0],
    ['a rising diagonal', [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3], 0],
    ['a falling diagonal', [6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3], 0],
    ['a row whose last stone closes a gap, for the second player', [6, 0, 6, 1, 5, 3, 5, 2], 1],
  ])('%s of four wins', (_, moves, winner) => {
    const before = new ConnectFour(moves.slice(0, -1))
    expect(before.winner).toBeUndefined()
    const game = new ConnectFour(moves)
    expect(game.winner).toBe(winner)
    expect(legalMoves(game)).toEqual([])
    expect(() => game.play(0)).toThrow(RangeError)
  })

  it('does not win around the edge', () => {
    // Stones of the first player at the right end of a row and the left end of the next one.
    const game = new ConnectFour([5, 0, 6, 1, 0, 5, 1, 6])
    expect(game.winner).toBeUndefined()
  })

  it('drops stones, changes turns, and refuses a full column', () => {
    const game = new ConnectFour([3, 3, 3, 3, 3])
    expect([game.at(3, 0), game.at(3, 1), game.at(3, 5)]).toEqual([0, 1, undefined])
    expect([game.player, game.movesMade]).toEqual([1, 5])
    game.play(3)
    expect(game.isLegal(3)).toBe(false)
    expect(legalMoves(game)).toEqual([0, 1, 2, 4, 5, 6])
    for (const bad of [3, -1, 7, 1.5, Number.NaN]) expect(() => game.play(bad)).toThrow(RangeError)
    expect(String(game).split('\n')[5]).toBe('...X...')
  })

  it('agrees with a search of the whole board over random games, of which some are drawn or full', () => {
    const random = new Xoshiro128(4)
    const ends = { 0: 0, 1: 0, draw: 0 }
    let disagreements = 0
    for (let n = 0; n < 1000; n += 1) {
      const game = new ConnectFour()
      while (game.winner === undefined) {
        const moves = legalMoves(game)
        const { player } = game
        game.play(moves[random.nextInt(moves.length)]!)
        if (hasFour(game, player) !== (game.winner === player)) disagreements += 1
      }
      ends[game.winner] += 1
    }
    expect(disagreements).toBe(0)
    // Known shares of random play: about 55.6, 44.2 and 0.25 in 100.
    expect(ends[0] / 1000).toBeCloseTo(0.556, 1)
    expect(ends[1]).toBeGreaterThan(350)
    expect(ends.draw).toBeGreaterThan(0)
  })

  it('copies independently, and encodes from the side to move', () => {
    const game = new ConnectFour([2, 4])
    const copy = game.clone()
    copy.play(2)
    expect(game.movesMade).toBe(2)
    const planes = new Float32Array(86).fill(9)
    copy.encode(planes, 1)
    expect([planes[0], planes[85]]).toEqual([9, 9])
    const stones = [...planes.slice(1, 85).entries()].filter(([, value]) => value === 1).map(([i]) => i)
    // To move is the second player: own 4; the other's 2 and 2 + 7.
    expect(stones).toEqual([4, 42 + 2, 42 + 9])
  })
})

import { ConnectFour, legalMoves, Xoshiro128 } from '@shoal/rl'
import { describe, expect, it } from 'vitest'
import { boardOf, heightOf, isBoard, winningCells } from './board.ts'

const after = (moves: readonly number[]) => boardOf(new ConnectFour(moves))

describe('winningCells', () => {
  it.each([
    ['a row', [0, 0, 1, 1, 2, 2, 3], [0, 1, 2, 3]],
    ['a column', [0, 1, 0, 1, 0, 1, 0], [0, 7, 14, 21]],
    ['a rising diagonal', [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3], [0, 8, 16, 24]],
    ['a falling diagonal', [6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3], [24, 18, 12, 6]],
    ['a row at the right edge, of the second player', [0, 3, 0, 4, 1, 5, 1, 6], [3, 4, 5, 6]],
    ['a row of five', [0, 0, 1, 1, 3, 3, 4, 4, 2], [0, 1, 2, 3, 4]],
    ['a game that is not over', [3, 3, 4, 4, 5, 5], []],
    ['an empty board', [], []],
  ])('finds %s', (_, moves, cells) => {
    expect(winningCells(after(moves))).toEqual(cells)
  })

  it('finds four exactly where the game says that somebody has won', () => {
    const random = new Xoshiro128(7)
    for (let n = 0; n < 300; n += 1) {
      const game = new ConnectFour()
      while (game.winner === undefined) {
        const moves = legalMoves(game)
        game.play(moves[random.nextInt(moves.length)]!)
        expect(winningCells(boardOf(game)).length >= 4).toBe(game.winner === 0 || game.winner === 1)
      }
    }
  })
})

it('knows how high a column is', () => {
  const board = after([3, 3, 3, 3, 3, 3, 0])
  expect([0, 1, 3].map((column) => heightOf(board, column))).toEqual([1, 0, 6])
})

it('takes for a board only what is one', () => {
  expect(isBoard(after([1, 2]))).toBe(true)
  for (const bad of [undefined, [], new Uint8Array(41), new Uint8Array(42).fill(3), new Float32Array(42)])
    expect(isBoard(bad)).toBe(false)
})

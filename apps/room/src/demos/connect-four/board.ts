/** A position as people see it, and the four that ended it. Plain data: it is drawn large and small. */
import type { ConnectFour } from '@shoal/rl'

export const COLUMNS = 7
export const ROWS = 6
const CELLS = COLUMNS * ROWS

/** Row by row from the lower left: 0 empty, 1 a disc of who began, 2 of the other. */
export type Board = Uint8Array

export function cellOf(column: number, row: number): number {
  return row * COLUMNS + column
}

export function boardOf(game: ConnectFour): Board {
  return Uint8Array.from({ length: CELLS }, (_, cell) => {
    const disc = game.at(cell % COLUMNS, Math.floor(cell / COLUMNS))
    return disc === undefined ? 0 : disc + 1
  })
}

/** Whether it can be one: it may come from any tab. */
export function isBoard(board: unknown): board is Board {
  return board instanceof Uint8Array && board.length === CELLS && board.every((disc) => disc <= 2)
}

const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const

/** The cells of the first line of four or more, from one end to the other; empty when there is none. */
export function winningCells(board: Board): number[] {
  for (let row = 0; row < ROWS; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      for (const [right, up] of DIRECTIONS) {
        const line = lineFrom(board, column, row, right, up)
        if (line.length >= 4) return line
      }
    }
  }
  return []
}

function lineFrom(board: Board, column: number, row: number, right: number, up: number): number[] {
  const disc = board[cellOf(column, row)]
  const cells: number[] = []
  if (disc === 0 || disc === undefined) return cells
  for (let x = column, y = row; isInside(x, y) && board[cellOf(x, y)] === disc; x += right, y += up)
    cells.push(cellOf(x, y))
  return cells
}

function isInside(column: number, row: number): boolean {
  return column >= 0 && column < COLUMNS && row >= 0 && row < ROWS
}

/** How many discs are in a column. */
export function heightOf(board: Board, column: number): number {
  let height = 0
  while (height < ROWS && board[cellOf(column, height)] !== 0) height += 1
  return height
}

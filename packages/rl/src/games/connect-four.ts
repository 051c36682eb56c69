/**
 * Connect four: seven columns of six, a stone falls to the lowest free row of its column, four in a row (column, diagonal)
 * win. Moves are columns. `encode` writes two planes of 42, row by row from the bottom: stones of the player to move, stones
 * of the other.
 */
import type { Game } from './game.ts'

export const COLUMNS = 7
export const ROWS = 6
const CELLS = COLUMNS * ROWS
const IN_A_ROW = 4
/** Column and row steps along a line, each in both directions. */
const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const

export class ConnectFour implements Game {
  readonly actions = COLUMNS
  readonly inputSize = 2 * CELLS
  /** 0 empty, else player + 1; row by row from the bottom. */
  readonly #cells: Uint8Array
  readonly #heights: Uint8Array
  #movesMade = 0
  #winner: 0 | 1 | 'draw' | undefined

  /** From the empty board, or after moves. @throws RangeError when one of them is not legal. */
  constructor(moves: Iterable<number> = []) {
    this.#cells = new Uint8Array(CELLS)
    this.#heights = new Uint8Array(COLUMNS)
    for (const move of moves) this.play(move)
  }

  get movesMade(): number {
    return this.#movesMade
  }

  get player(): 0 | 1 {
    return this.#movesMade % 2 === 0 ? 0 : 1
  }

  get winner(): 0 | 1 | 'draw' | undefined {
    return this.#winner
  }

  isLegal(column: number): boolean {
    const height = this.#heights[column]
    return this.#winner === undefined && height !== undefined && height < ROWS
  }

  play(column: number): void {
    if (!this.isLegal(column)) throw new RangeError(`connect four: column ${column} takes no stone`)
    const row = this.#heights[column]!
    const { player } = this
    this.#heights[column] = row + 1
    this.#cells[row * COLUMNS + column] = player + 1
    this.#movesMade += 1
    if (this.#isFour(column, row)) this.#winner = player
    else if (this.#movesMade === CELLS) this.#winner = 'draw'
  }

  /** Who has a stone there, counted from the lower left. */
  at(column: number, row: number): 0 | 1 | undefined {
    const cell = this.#cells[row * COLUMNS + column]
    return cell === 1 ? 0 : cell === 2 ? 1 : undefined
  }

  clone(): ConnectFour {
    const copy = new ConnectFour()
    copy.#cells.set(this.#cells)
    copy.#heights.set(this.#heights)
    copy.#movesMade = this.#movesMade
    copy.#winner = this.#winner
    return copy
  }

  encode(target: Float32Array, offset: number): void {
    const mine = this.player + 1
    for (let cell = 0; cell < CELLS; cell += 1) {
      const stone = this.#cells[cell]
      target[offset + cell] = stone === mine ? 1 : 0
      target[offset + CELLS + cell] = stone !== 0 && stone !== mine ? 1 : 0
    }
  }

  /** Rows from the top: '.' empty, 'X' who began, 'O' the other. */
  toString(): string {
    const rows = Array.from({ length: ROWS }, (_, row) =>
      Array.from(this.#cells.subarray(row * COLUMNS, (row + 1) * COLUMNS), (cell) => '.XO'[cell]).join(''),
    )
    return rows.reverse().join('\n')
  }

  #isFour(column: number, row: number): boolean {
    const stone = this.#cells[row * COLUMNS + column]
    return DIRECTIONS.some(([right, up]) => {
      let length = 1
      for (const sign of [1, -1]) {
        for (let i = 1; i < IN_A_ROW; i += 1) {
          const x = column + sign * i * right
          const y = row + sign * i * up
          if (x < 0 || x >= COLUMNS || y < 0 || y >= ROWS || this.#cells[y * COLUMNS + x] !== stone) break
          length += 1
        }
      }
      return length >= IN_A_ROW
    })
  }
}

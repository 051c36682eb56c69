/** Where the wall's cells lie: plain arithmetic, no canvas. */

export interface Grid {
  readonly columns: number
  readonly rows: number
  readonly cellWidth: number
  readonly cellHeight: number
}

/**
 * The grid of at least `count` and at most `most` cells that makes the largest picture of `aspect` (width / height) fit into
 * each. All its cells are meant to be used: a last row that is not full looks broken.
 */
export function chooseGrid(count: number, most: number, width: number, height: number, aspect: number): Grid {
  let best: Grid = { columns: count, rows: 1, cellWidth: width / count, cellHeight: height }
  let bestSize = 0
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns)
    if (columns * rows > most) continue
    const cellWidth = width / columns
    const cellHeight = height / rows
    const size = Math.min(cellWidth, cellHeight * aspect)
    if (size > bestSize) {
      bestSize = size
      best = { columns, rows, cellWidth, cellHeight }
    }
  }
  return best
}

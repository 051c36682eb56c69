/** Where the wall's cells lie, and which state of an episode is on show: plain arithmetic, no canvas. */

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

/** An episode's states, row by row, and the tab that ran it. */
export interface Episode {
  readonly nodeId: string
  readonly states: Float32Array
  readonly stateSize: number
}

/** Steps made: a start state alone is 0. */
export function episodeLength(episode: Episode): number {
  return Math.max(0, Math.floor(episode.states.length / episode.stateSize) - 1)
}

/**
 * The state at a fractional step into `out`, between two recorded ones. Past the end: the last.
 * Pendulum angles are unbounded, so that a straight line between two of them is right there too.
 */
export function stateAt(episode: Episode, step: number, out: Float32Array): void {
  const { states, stateSize } = episode
  const last = episodeLength(episode)
  const at = Math.min(Math.max(step, 0), last)
  const index = Math.min(Math.floor(at), last)
  const next = Math.min(index + 1, last)
  const share = at - index
  for (let i = 0; i < stateSize; i += 1) {
    const a = states[index * stateSize + i] ?? 0
    const b = states[next * stateSize + i] ?? a
    out[i] = a + (b - a) * share
  }
}

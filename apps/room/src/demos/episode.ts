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
 * Angles of Pendulum and of landers are unbounded, so that a straight line between two of them is right there too.
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

/**
 * Self-play results as they go from the tab that played to the learner: a position is 84 noughts and ones, which are 11 bytes as bits
 * and 336 as floats. Exact both ways. And their mirror images: the rules know no left and right, so each game is two.
 */
import type { SelfPlayResult } from '@shoal/rl'

export interface PackedGames {
  readonly positions: number
  /** Positions x 11: the bits of `inputs`, the first the lowest, each position from a byte of its own on. */
  readonly stones: Uint8Array
  /** Positions x 7. */
  readonly policies: Float32Array
  /** -1, 0, 1. */
  readonly outcomes: Int8Array
  readonly ends: readonly [number, number, number]
}

const COLUMNS = 7
const INPUTS = 84
const BYTES = Math.ceil(INPUTS / 8)

export function packGames({ positions, inputs, policies, outcomes, ends }: SelfPlayResult): PackedGames {
  const stones = new Uint8Array(positions * BYTES)
  for (let row = 0; row < positions; row += 1) {
    for (let i = 0; i < INPUTS; i += 1) {
      if (inputs[row * INPUTS + i] !== 0) stones[row * BYTES + (i >> 3)]! |= 1 << (i & 7)
    }
  }
  return { positions, stones, policies, outcomes: Int8Array.from(outcomes), ends }
}

/** @throws RangeError when the arrays are not of the sizes that `positions` says. */
export function unpackGames({ positions, stones, policies, outcomes, ends }: PackedGames): SelfPlayResult {
  const isWhole =
    stones.length === positions * BYTES && policies.length === positions * COLUMNS && outcomes.length === positions
  if (!isWhole) throw new RangeError('games that were packed wrongly')
  const inputs = new Float32Array(positions * INPUTS)
  for (let row = 0; row < positions; row += 1) {
    for (let i = 0; i < INPUTS; i += 1) inputs[row * INPUTS + i] = (stones[row * BYTES + (i >> 3)]! >> (i & 7)) & 1
  }
  return { positions, inputs, policies, outcomes: Float32Array.from(outcomes), ends }
}

/** The same games with left and right exchanged. */
export function mirrorGames({ positions, inputs, policies, outcomes, ends }: SelfPlayResult): SelfPlayResult {
  return { positions, inputs: mirrorRows(inputs), policies: mirrorRows(policies), outcomes, ends }
}

/** Both are made of rows of seven columns. */
function mirrorRows(values: Float32Array): Float32Array {
  return values.map((_, i) => values[i - 2 * (i % COLUMNS) + COLUMNS - 1]!)
}

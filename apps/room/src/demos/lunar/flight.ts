/**
 * Flights of landers, put together from what PPO's runners hand over to be learned from: nothing is recorded for drawing
 * alone. A sample cuts flights where it ends; the next one of the same runner goes on with them.
 */
import type { Episode as Piece, RecordedSample } from '@shoal/rl'
import { HEIGHT, HELIPAD_Y, LEG_DOWN, WIDTH } from '@shoal/rl/lunar-lander'
import type { Episode } from '../episode.ts'

export type Outcome = 'landed' | 'crashed' | 'out of time'

/** States are rows of x, y (m), angle (rad), main engine, side engine (-1, 0, 1; as it fired on the way to this state). */
export interface Flight extends Episode {
  readonly outcome: Outcome
}

export const STATE_SIZE = 5
const OBSERVATION_SIZE = 8

interface Cut {
  readonly pieces: Piece[]
}

export class FlightLog {
  /** Flights that were cut, by runner and environment. */
  readonly #cuts = new Map<string, Cut>()

  /** Gives the flights that ended in this sample. */
  add({ runner, nodeId, episodes }: Pick<RecordedSample, 'runner' | 'nodeId' | 'episodes'>): Flight[] {
    const flights: Flight[] = []
    for (const piece of episodes) {
      const key = `${runner}.${piece.env}`
      const cut = this.#cuts.get(key)
      this.#cuts.delete(key)
      // A runner that was made again in another tab has begun new flights.
      const pieces = cut !== undefined && isJoined(cut.pieces.at(-1), piece) ? [...cut.pieces, piece] : [piece]
      if (piece.isTerminated || piece.isTruncated) flights.push({ nodeId, ...flightOf(pieces) })
      else this.#cuts.set(key, { pieces })
    }
    return flights
  }
}

/** Whether `next` begins where `before` was cut. */
function isJoined(before: Piece | undefined, next: Piece): boolean {
  if (before === undefined) return false
  const at = before.length * OBSERVATION_SIZE
  for (let i = 0; i < OBSERVATION_SIZE; i += 1) if (before.observations[at + i] !== next.observations[i]) return false
  return true
}

function flightOf(pieces: readonly Piece[]): Omit<Flight, 'nodeId'> {
  const steps = pieces.reduce((sum, { length }) => sum + length, 0)
  const states = new Float32Array((steps + 1) * STATE_SIZE)
  let row = 0
  const place = (observations: Float32Array, at: number, action: number): void => {
    const [x = 0, y = 0, , , angle = 0] = observations.subarray(at * OBSERVATION_SIZE)
    const side = action === 1 ? -1 : action === 3 ? 1 : 0
    states.set(
      [((x + 1) * WIDTH) / 2, (y * HEIGHT) / 2 + HELIPAD_Y + LEG_DOWN, angle, action === 2 ? 1 : 0, side],
      row * STATE_SIZE,
    )
    row += 1
  }
  for (const [i, { length, observations, actions }] of pieces.entries()) {
    if (i === 0) place(observations, 0, 0)
    for (let step = 0; step < length; step += 1) place(observations, step + 1, actions[step] ?? 0)
  }
  const last = pieces.at(-1)
  const isAtRest = last?.isTerminated === true && (last.rewards.at(-1) ?? 0) > 0
  return {
    states,
    stateSize: STATE_SIZE,
    outcome: isAtRest ? 'landed' : last?.isTerminated === true ? 'crashed' : 'out of time',
  }
}

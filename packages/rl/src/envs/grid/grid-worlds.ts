/**
 * Gymnasium's FrozenLake-v1 (4x4, 8x8) and CliffWalking-v1 as transition tables. Cells are counted row by row from the
 * upper left; an action that would leave the grid stays. FrozenLake: 0 left, 1 down, 2 right, 3 up, each with the two
 * directions beside it equally likely on ice; reward 1 at the goal. CliffWalking: 0 up, 1 right, 2 down, 3 left; reward -1
 * a step, -100 for the cliff, which leads back to the start (Sutton and Barto, example 6.6).
 */
import type { EnvSpec } from '../env.ts'
import type { Outcome, TransitionTable } from './transition-table.ts'

export interface GridWorld {
  readonly spec: EnvSpec
  readonly table: TransitionTable
  readonly rows: number
  readonly columns: number
}

const LAKE_4X4 = ['SFFF', 'FHFH', 'FFFH', 'HFFG']
const LAKE_8X8 = ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG']

type Move = readonly [row: number, column: number]
const LEFT: Move = [0, -1]
const DOWN: Move = [1, 0]
const RIGHT: Move = [0, 1]
const UP: Move = [-1, 0]

function moved(cell: number, [down, right]: Move, rows: number, columns: number): number {
  const row = Math.min(Math.max(Math.floor(cell / columns) + down, 0), rows - 1)
  const column = Math.min(Math.max((cell % columns) + right, 0), columns - 1)
  return row * columns + column
}

function spec(id: string, cells: number, maxEpisodeSteps: number): EnvSpec {
  return { id, maxEpisodeSteps, observationSize: cells, stateSize: 1, action: { kind: 'discrete', n: 4 } }
}

/** A lake from its map: S start, F frozen, H hole, G goal. */
export function frozenLake(map: readonly string[], id: string, maxEpisodeSteps: number, isSlippery = true): GridWorld {
  const rows = map.length
  const columns = map[0]!.length
  const cells = map.join('')
  const moves = [LEFT, DOWN, RIGHT, UP]
  const arrive = (cell: number, direction: number, probability: number): Outcome => {
    const next = moved(cell, moves[(direction + 4) % 4]!, rows, columns)
    const letter = cells[next]
    return { probability, next, reward: letter === 'G' ? 1 : 0, isTerminal: letter === 'G' || letter === 'H' }
  }
  const outcomes = [...cells].flatMap((letter, cell) =>
    moves.map((_, action): Outcome[] => {
      if (letter === 'G' || letter === 'H') return [{ probability: 1, next: cell, reward: 0, isTerminal: true }]
      if (!isSlippery) return [arrive(cell, action, 1)]
      return [action - 1, action, action + 1].map((direction) => arrive(cell, direction, 1 / 3))
    }),
  )
  const table = { states: cells.length, actions: 4, outcomes, start: cells.indexOf('S') }
  return { spec: spec(id, cells.length, maxEpisodeSteps), table, rows, columns }
}

function cliffWalking(): GridWorld {
  const rows = 4
  const columns = 12
  const start = 36
  const goal = 47
  const outcomes = Array.from({ length: rows * columns }, (_, cell) => cell).flatMap((cell) =>
    [UP, RIGHT, DOWN, LEFT].map((move): Outcome[] => {
      if (cell === goal) return [{ probability: 1, next: goal, reward: 0, isTerminal: true }]
      const next = moved(cell, move, rows, columns)
      if (next > start && next < goal) return [{ probability: 1, next: start, reward: -100, isTerminal: false }]
      return [{ probability: 1, next, reward: -1, isTerminal: next === goal }]
    }),
  )
  // Gymnasium sets no limit; a task must end, and nobody needs more than 13 steps.
  return {
    spec: spec('CliffWalking-v1', rows * columns, 1000),
    table: { states: rows * columns, actions: 4, outcomes, start },
    rows,
    columns,
  }
}

export const FROZEN_LAKE: GridWorld = frozenLake(LAKE_4X4, 'FrozenLake-v1', 100)
export const FROZEN_LAKE_8X8: GridWorld = frozenLake(LAKE_8X8, 'FrozenLake8x8-v1', 200)
export const CLIFF_WALKING: GridWorld = cliffWalking()

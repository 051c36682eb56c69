import { describe, expect, it } from 'vitest'
import { makeEnv } from '../make-env.ts'
import { CLIFF_WALKING, FROZEN_LAKE, FROZEN_LAKE_8X8, frozenLake } from './grid-worlds.ts'
import type { GridWorld } from './grid-worlds.ts'
import type { TransitionTable } from './transition-table.ts'
import { actionValue, valueIteration } from './transition-table.ts'

const WORLDS: readonly (readonly [string, GridWorld])[] = [FROZEN_LAKE, FROZEN_LAKE_8X8, CLIFF_WALKING].map(
  (world) => [world.spec.id, world] as const,
)

/** The values of a policy as the solution of its linear equations, by Gauss and Jordan: exact but for rounding. */
function policyValues(table: TransitionTable, policy: ArrayLike<number>, gamma: number): number[] {
  const rows = Array.from({ length: table.states }, (_, state) => {
    const row = Array.from({ length: table.states + 1 }, (_, column) => Number(column === state))
    for (const { probability, next, reward, isTerminal } of table.outcomes[state * table.actions + policy[state]!]!) {
      row[table.states]! += probability * reward
      if (!isTerminal) row[next]! -= probability * gamma
    }
    return row
  })
  rows.forEach((_, pivot) => {
    const best = rows.reduce(
      (a, row, i) => (i >= pivot && Math.abs(row[pivot]!) > Math.abs(rows[a]![pivot]!) ? i : a),
      pivot,
    )
    ;[rows[pivot], rows[best]] = [rows[best]!, rows[pivot]!]
    rows.forEach((row, i) => {
      if (i === pivot) return
      const factor = row[pivot]! / rows[pivot]![pivot]!
      row.forEach((value, k) => (row[k] = value - factor * rows[pivot]![k]!))
    })
  })
  return rows.map((row, i) => row[table.states]! / row[i]!)
}

/** One line each of how often and how well a policy does in the environment itself. */
function play(world: GridWorld, policy: ArrayLike<number>, episodes: number): number[] {
  const env = makeEnv(world.spec.id)
  return Array.from({ length: episodes }, (_, seed) => {
    env.reset(seed)
    for (let total = 0; ;) {
      const step = env.step(policy[env.getState()[0]!]!)
      total += step.reward
      if (step.terminated || step.truncated) return total
    }
  })
}

describe.each(WORLDS)('%s', (_, { table }) => {
  it('has outcomes whose probabilities sum to 1, for every action of every state', () => {
    expect(table.outcomes).toHaveLength(table.states * table.actions)
    for (const outcomes of table.outcomes) {
      expect(outcomes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 14)
      for (const { next } of outcomes) expect(next >= 0 && next < table.states).toBe(true)
    }
  })

  it('is solved by value iteration: the values are those of its policy to 1e-9, and no action is better', () => {
    const gamma = 0.99
    const { values, policy } = valueIteration(table, { gamma })
    policyValues(table, policy, gamma).forEach((value, state) =>
      expect(Math.abs(values[state]! - value)).toBeLessThanOrEqual(1e-9),
    )
    for (let state = 0; state < table.states; state += 1)
      for (let action = 0; action < table.actions; action += 1)
        expect(actionValue(table, values, gamma, state, action)).toBeLessThanOrEqual(values[state]! + 1e-9)
  })
})

describe('optima', () => {
  it("FrozenLake: 14/17 on 4x4 and certainty on 8x8 with all time, Gymnasium's 0.74 and 0.91 within the step limits", () => {
    const value = (world: GridWorld, horizon?: number): number =>
      valueIteration(world.table, { gamma: 1, ...(horizon === undefined ? {} : { horizon }) }).values[0]!
    expect(Math.abs(value(FROZEN_LAKE) - 14 / 17)).toBeLessThanOrEqual(1e-9)
    expect(Math.abs(value(FROZEN_LAKE_8X8) - 1)).toBeLessThanOrEqual(1e-9)
    expect(value(FROZEN_LAKE, 100)).toBeCloseTo(0.74, 2)
    expect(value(FROZEN_LAKE_8X8, 200)).toBeCloseTo(0.91, 2)
  })

  it('FrozenLake: the environment gives that policy its value', () => {
    const { policy } = valueIteration(FROZEN_LAKE.table, { gamma: 1 })
    const scores = play(FROZEN_LAKE, policy, 2000)
    const mean = scores.reduce((sum, x) => sum + x, 0) / scores.length
    // 0.74 less three standard errors; the policy of all time is a little worse within 100 steps.
    expect(mean).toBeGreaterThan(0.74 - 0.04)
    expect(mean).toBeLessThan(0.74 + 0.03)
  })

  it('CliffWalking: along the cliff for -13, and -100 and the start for a step over it', () => {
    const { values, policy } = valueIteration(CLIFF_WALKING.table, { gamma: 1 })
    expect(values[36]).toBe(-13)
    expect(play(CLIFF_WALKING, policy, 2)).toEqual([-13, -13])
    const env = makeEnv('CliffWalking-v1')
    env.reset(0)
    const fall = env.step(1)
    expect([fall.reward, fall.terminated, env.getState()[0]]).toEqual([-100, false, 36])
  })

  it('a lake without slipping is solved in the fewest steps', () => {
    const lake = frozenLake(['SFH', 'HFF', 'FFG'], 'lake', 10, false)
    const { values } = valueIteration(lake.table, { gamma: 0.5 })
    expect(values[0]).toBe(0.5 ** 3)
  })

  it('says so when there is nothing to converge to', () => {
    const loop = {
      states: 1,
      actions: 1,
      start: 0,
      outcomes: [[{ probability: 1, next: 0, reward: 1, isTerminal: false }]],
    }
    expect(() => valueIteration(loop, { gamma: 1 })).toThrow(RangeError)
  })
})

it('repeats its chance from a seed, shows the cell one-hot, and refuses what is no cell or action', () => {
  const [a, b] = [makeEnv('FrozenLake-v1'), makeEnv('FrozenLake-v1')]
  a.reset(3)
  b.reset(3)
  const walk = (env: typeof a): number[] => Array.from({ length: 5 }, () => env.step(1).obs.indexOf(1))
  const path = walk(a)
  expect(walk(b)).toEqual(path)
  expect(a.getState()[0]).toBe(path.at(-1))
  expect(() => a.step(4)).toThrow(RangeError)
  expect(() => a.setState([16])).toThrow(RangeError)
})

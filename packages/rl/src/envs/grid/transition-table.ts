/**
 * A small Markov decision process in full: every outcome of every action in every state. What value iteration solves
 * exactly, and what a grid environment plays.
 */

/** One thing that may come of an action. Those of an action have probabilities that sum to 1. */
export interface Outcome {
  readonly probability: number
  readonly next: number
  readonly reward: number
  /** The episode ends there. */
  readonly isTerminal: boolean
}

export interface TransitionTable {
  readonly states: number
  readonly actions: number
  /** [state * actions + action] */
  readonly outcomes: readonly (readonly Outcome[])[]
  /** Where episodes start. */
  readonly start: number
}

/** What one gets on average for an action, when what follows is worth `values`. */
export function actionValue(
  table: TransitionTable,
  values: ArrayLike<number>,
  gamma: number,
  state: number,
  action: number,
): number {
  let total = 0
  for (const { probability, next, reward, isTerminal } of table.outcomes[state * table.actions + action]!) {
    total += probability * (reward + (isTerminal ? 0 : gamma * values[next]!))
  }
  return total
}

export interface Solution {
  /** Of each state under the best policy. */
  readonly values: Float64Array
  /** The best action of each state, the lowest on a tie. */
  readonly policy: Int32Array
  /** Sweeps over all states. */
  readonly sweeps: number
}

/**
 * Value iteration (Bellman, "Dynamic programming", 1957) until no value moves by more than `tolerance`, or for exactly
 * `horizon` sweeps: the values are then those with so many steps to go.
 * @throws RangeError when 100,000 sweeps do not reach the tolerance, as where gamma = 1 and an episode never ends.
 */
export function valueIteration(
  table: TransitionTable,
  options: { readonly gamma: number; readonly tolerance?: number; readonly horizon?: number },
): Solution {
  const { gamma, tolerance = 1e-12, horizon = 100_000 } = options
  let values = new Float64Array(table.states)
  let sweeps = 0
  for (let change = Number.POSITIVE_INFINITY; sweeps < horizon; sweeps += 1) {
    if (options.horizon === undefined && change <= tolerance) break
    const next = values.map((_, state) => best(table, values, gamma, state).value)
    change = next.reduce((most, value, state) => Math.max(most, Math.abs(value - values[state]!)), 0)
    values = next
    if (sweeps === 99_999 && change > tolerance) throw new RangeError('value iteration does not converge')
  }
  const policy = Int32Array.from(values, (_, state) => best(table, values, gamma, state).action)
  return { values, policy, sweeps }
}

function best(
  table: TransitionTable,
  values: Float64Array,
  gamma: number,
  state: number,
): { readonly value: number; readonly action: number } {
  let value = Number.NEGATIVE_INFINITY
  let action = 0
  for (let candidate = 0; candidate < table.actions; candidate += 1) {
    const candidateValue = actionValue(table, values, gamma, state, candidate)
    if (candidateValue > value) {
      value = candidateValue
      action = candidate
    }
  }
  return { value, action }
}

import { TASK_STATES } from '@shoal/protocol'
import type { SummaryRow, TaskRow } from '@shoal/protocol'

type State = TaskRow['state']

/** Tasks by type and name, and of each how many are in which state. */
export type StateCounts = Map<
  string,
  { readonly name: string; readonly type: TaskRow['type']; readonly states: Map<State, number> }
>

export function countStates(
  counts: StateCounts,
  name: string,
  type: TaskRow['type'],
  state: State,
  count: number,
): void {
  if (count === 0) return
  const key = `${type} ${name}`
  let entry = counts.get(key)
  if (entry === undefined) {
    entry = { name, type, states: new Map() }
    counts.set(key, entry)
  }
  entry.states.set(state, (entry.states.get(state) ?? 0) + count)
}

export function addSummary(counts: StateCounts, rows: readonly SummaryRow[]): void {
  for (const { name, type, states } of rows)
    for (const { state, count } of states) countStates(counts, name, type, state, count)
}

/** Attempts that their owners only know to be with a tab, and which that tab says to run. */
export function moveRunning(counts: StateCounts, running: readonly SummaryRow[]): void {
  for (const { name, type, states } of running) {
    const entry = counts.get(`${type} ${name}`)
    for (const { state, count } of states) {
      const moved = Math.min(count, entry?.states.get('SUBMITTED_TO_WORKER') ?? 0)
      if (moved === 0) continue
      countStates(counts, name, type, 'SUBMITTED_TO_WORKER', -moved)
      countStates(counts, name, type, state, moved)
    }
  }
}

/** States in the order in which a task goes through them; those with none are left out. */
export function toSummary(counts: StateCounts): SummaryRow[] {
  return [...counts.values()].map(({ name, type, states }) => ({
    name,
    type,
    states: TASK_STATES.flatMap((state) => {
      const count = states.get(state) ?? 0
      return count > 0 ? [{ state, count }] : []
    }),
  }))
}

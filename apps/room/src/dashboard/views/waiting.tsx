import type { TaskState } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatDuration, plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { Table } from './table.tsx'

interface Group {
  readonly reason: string
  readonly name: string
  count: number
  oldestMs: number
  example: string
}

const RUNS: readonly string[] = ['RUNNING', 'RUNNING_IN_RAY_GET'] satisfies TaskState['state'][]

/** Tasks that wait for the same thing, told once: digits are what differs between them most. */
export function groupWaiting(rows: readonly TaskState[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { name, state, pendingReason, creationTimeMs, taskId } of rows) {
    if (RUNS.includes(state)) continue
    const reason = pendingReason ?? `its tab has not said (${state})`
    const key = `${name} ${reason.replaceAll(/\d+/g, '#')}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { reason, name, count: 1, oldestMs: creationTimeMs, example: taskId })
    else {
      group.count++
      group.oldestMs = Math.min(group.oldestMs, creationTimeMs)
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

export function WaitingView(): JSX.Element {
  const { model } = useDashboard()
  const { rows, numFiltered, warnings } = model.pending.value
  const groups = groupWaiting(rows)
  const now = Date.now()
  return (
    <Table
      title="Why it waits"
      total={groups.length}
      notes={warnings}
      empty="Nothing waits."
      columns={['Tasks', 'Function', 'Why', 'Longest', 'For example']}
      rows={groups.map(({ reason, name, count, oldestMs, example }) => ({
        key: `${name} ${example}`,
        cells: [
          count,
          <b>{name}</b>,
          reason,
          formatDuration(Math.max(0, now - oldestMs)),
          <small class="dash-id">{example}</small>,
        ],
      }))}
    >
      <p class="soft">
        {plural(numFiltered, 'task')} without an outcome,{' '}
        {plural(rows.filter(({ state }) => RUNS.includes(state)).length, 'of them runs', 'of them run')}; the{' '}
        {plural(rows.length, 'oldest one', 'oldest ones')} {rows.length === 1 ? 'was' : 'were'} looked at. Reasons that
        differ in a number alone are one row.
      </p>
    </Table>
  )
}

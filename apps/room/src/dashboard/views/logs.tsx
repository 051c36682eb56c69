import type { JSX } from 'preact'
import { plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { Table } from './table.tsx'
import { Where } from './task-details.tsx'

export function LogsView(): JSX.Element {
  const { model, lines } = useDashboard()
  void model.tick.value
  const shown = lines.lines.slice(-500).reverse()
  const left = lines.total - shown.length
  const notes = [
    left > 0 &&
      `${plural(left, 'older line')} ${left === 1 ? 'is' : 'are'} not shown: the newest 500 are; the browser’s console has all.`,
    'A line comes to the tab that submitted its task, so that other tabs’ tasks print there.',
  ].filter((text) => text !== false)
  return (
    <Table
      title="Logs"
      total={lines.total}
      notes={notes}
      empty="No task of this tab has printed anything since the page was opened."
      columns={['Time', 'Level', 'Task', 'Text', 'Where']}
      rows={shown.map((line, at) => ({
        key: String(lines.total - at),
        cells: [
          new Date(line.atMs).toTimeString().slice(0, 8),
          <span class={`dash-state ${line.level}`}>{line.level}</span>,
          line.name,
          <code>{line.text}</code>,
          <Where nodeId={line.node} />,
        ],
      }))}
    />
  )
}

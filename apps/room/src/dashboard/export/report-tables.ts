import { formatBytes } from '../../model/format.ts'
import type { DashboardModel } from '../model/dashboard-model.ts'
import type { LineLog } from '../model/line-log.ts'
import type { ReportTable } from './report.ts'

/** What the views show, as text. */
export function reportTables(model: DashboardModel, lines: LineLog): ReportTable[] {
  const { summary, nodes, actors, pending, failures, objects } = model
  const name = (nodeId: string | undefined): string => (nodeId === undefined ? '' : model.nameOf(nodeId))
  return [
    {
      title: 'Progress by function',
      columns: ['Function', 'Type', 'Attempts by state'],
      rows: summary.peek().rows.map((row) => [
        row.name,
        row.type,
        Object.entries(row.stateCounts)
          .map(([state, count]) => `${state} ${count}`)
          .join(', '),
      ]),
      total: summary.peek().total,
      notes: summary.peek().warnings,
    },
    {
      title: 'Failures and re-runs',
      columns: ['Task', 'Id', 'What failed', 'What was run for it'],
      rows: failures
        .newest()
        .map((trouble) => [
          trouble.name,
          trouble.taskId,
          trouble.failed
            .map((each) => `attempt ${each.attempt + 1}: ${each.errorType}: ${each.errorMessage}`)
            .join('; '),
          trouble.reruns
            .map((each) => `attempt ${each.attempt + 1} ${each.outcome} on ${name(each.nodeId)}`)
            .join('; '),
        ]),
      total: failures.size + failures.removed,
      notes: [],
    },
    {
      title: 'Tabs',
      columns: ['Tab', 'Id', 'State', 'CPU', 'Objects', 'In memory', 'On disk', 'Links'],
      rows: nodes
        .peek()
        .rows.map(({ nodeId, state, resources, used, objectStore, links }) => [
          name(nodeId),
          nodeId,
          state,
          `${used['CPU'] ?? 0} of ${resources['CPU'] ?? 0}`,
          String(objectStore?.objects ?? ''),
          objectStore === undefined ? '' : formatBytes(objectStore.bytes - objectStore.spilledBytes),
          objectStore === undefined ? '' : formatBytes(objectStore.spilledBytes),
          links.map((link) => `${name(link.nodeId)} ${link.way}`).join('; '),
        ]),
      total: nodes.peek().total,
      notes: nodes.peek().warnings,
    },
    {
      title: 'Actors',
      columns: ['Class', 'Name', 'State', 'Where', 'Restarts', 'Calls waiting', 'Why'],
      rows: actors
        .peek()
        .rows.map((actor) => [
          actor.className,
          actor.name ?? '',
          actor.state,
          name(actor.nodeId),
          String(actor.numRestarts),
          String(actor.pendingCalls),
          actor.pendingReason ?? actor.deathCause ?? '',
        ]),
      total: actors.peek().total,
      notes: actors.peek().warnings,
    },
    {
      title: 'Waiting and running tasks',
      columns: ['Task', 'State', 'Where', 'Why it waits'],
      rows: pending.peek().rows.map((task) => [task.name, task.state, name(task.nodeId), task.pendingReason ?? '']),
      total: pending.peek().numFiltered,
      notes: pending.peek().warnings,
    },
    {
      title: 'Objects',
      columns: ['Object', 'State', 'Bytes', 'Where', 'Made by'],
      rows: objects
        .peek()
        .rows.map((row) => [
          row.objectId,
          row.state,
          row.sizeBytes === undefined ? '' : formatBytes(row.sizeBytes),
          row.locations.map(name).join(', '),
          row.taskName ?? 'put',
        ]),
      total: objects.peek().total,
      notes: objects.peek().warnings,
    },
    {
      title: 'Lines that tasks of this tab printed',
      columns: ['Time', 'Level', 'Task', 'Text'],
      rows: lines.lines.map((line) => [new Date(line.atMs).toLocaleTimeString(), line.level, line.name, line.text]),
      total: lines.total,
      notes: [],
    },
  ]
}

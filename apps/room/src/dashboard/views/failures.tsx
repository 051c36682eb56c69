import type { JSX } from 'preact'
import { plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import type { Trouble } from '../model/failure-log.ts'
import { Table } from './table.tsx'
import { Where } from './task-details.tsx'

/** What failed, with its error, and what was run again for it. */
export function FailuresView(): JSX.Element {
  const { model } = useDashboard()
  void model.tick.value
  const { failures } = model
  const rows = failures.newest()
  const notes = [
    failures.removed > 0 && `${plural(failures.removed, 'older task')} made room for newer ones.`,
    model.droppedEnds > 0 &&
      `${plural(model.droppedEnds, 'end')} of tasks were overwritten before they were read; a failure may be among them.`,
    model.gone.size > 0 &&
      `${plural(model.gone.size, 'tab')} left: what their own tasks failed of since they last answered is not told by anybody.`,
  ].filter((text) => text !== false)
  return (
    <Table
      title="Failures and re-runs"
      total={rows.length + failures.removed}
      notes={notes}
      empty="No attempt has failed, and nothing was run again."
      columns={['Task', 'What failed', 'What was run for it']}
      rows={rows.map((trouble) => ({
        key: trouble.taskId,
        cells: [
          <>
            <b>{trouble.name}</b>
            <small class="dash-id">{trouble.taskId}</small>
          </>,
          <Failed {...trouble} />,
          <Again {...trouble} />,
        ],
      }))}
    >
      <p class="soft">
        {plural(failures.failures, 'failed attempt')}, {plural(failures.reruns, 're-run')}.
      </p>
    </Table>
  )
}

function Failed({ failed }: Trouble): JSX.Element {
  if (failed.length === 0)
    return <span class="soft">no attempt: its result was lost with a tab, and somebody wants it</span>
  return (
    <ul>
      {failed.map(({ attempt, errorType, errorMessage, nodeId }) => (
        <li key={`${attempt} ${errorType}`}>
          attempt {attempt + 1}: <code>{errorType}</code> {errorMessage}{' '}
          {nodeId !== undefined && <Where nodeId={nodeId} />}
        </li>
      ))}
    </ul>
  )
}

function Again({ failed, reruns }: Trouble): JSX.Element {
  if (reruns.length === 0) return <span class="soft">nothing{failed.length > 0 ? ' yet, or nothing at all' : ''}</span>
  return (
    <ul>
      {reruns.map(({ attempt, nodeId, outcome, endMs }) => (
        <li key={`${attempt} ${endMs}`}>
          attempt {attempt + 1} {outcome} on <Where nodeId={nodeId} />
        </li>
      ))}
    </ul>
  )
}

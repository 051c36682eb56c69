import type { JSX } from 'preact'
import { useDashboard } from '../dashboard-context.ts'
import { Table } from './table.tsx'
import { Where } from './task-details.tsx'

export function ActorsView(): JSX.Element {
  const { model } = useDashboard()
  const { rows, total, warnings } = model.actors.value
  return (
    <Table
      title="Actors"
      total={total}
      notes={warnings}
      empty="There are no actors."
      columns={['Class', 'State', 'Where', 'Restarts', 'Calls waiting', 'Why, or what it died of']}
      rows={rows.map((actor) => ({
        key: actor.actorId,
        cells: [
          <>
            <b>{actor.className === '' ? '(unknown)' : actor.className}</b>
            {actor.name !== undefined && <small> named {actor.name}</small>}
          </>,
          <span class={`dash-state ${actor.state}`}>{actor.state}</span>,
          actor.nodeId === undefined ? '–' : <Where nodeId={actor.nodeId} worker={actor.workerId} />,
          actor.numRestarts,
          actor.pendingCalls,
          actor.pendingReason ?? actor.deathCause ?? '',
        ],
      }))}
    />
  )
}

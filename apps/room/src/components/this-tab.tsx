import type { SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatBytes, formatCount, formatDuration } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { LendingLimits } from './lending-limits.tsx'
import { ActivityBars } from './activity-bars.tsx'

/** What this tab is doing, and the switch for whether it works for others. */
export function ThisTab({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model } = usePage()
  const isInRoom = model.room.value !== undefined
  const own = status.tasksRun - status.guestTasksRun
  return (
    <section class="card" aria-labelledby="tab-title">
      <h2 id="tab-title">This tab</h2>
      {model.canSubmit.value && <ActivityBars status={status} />}
      <dl class="facts">
        <Fact term="Running now" value={`${status.running} of ${status.slots}`} />
        {isInRoom && <Fact term="Tasks for others" value={formatCount(status.guestTasksRun)} />}
        <Fact term="Own tasks" value={formatCount(own)} />
        {status.tasksFailed > 0 && <Fact term="Failed" value={formatCount(status.tasksFailed)} />}
        <Fact term="CPU time" value={formatDuration(status.cpuMs)} />
        {/* Always, since they come and go with every task, and a row would with them. */}
        <Fact term="Objects" value={objectsOf(status)} />
        {isInRoom && <Fact term="Sent" value={formatBytes(status.bytesSent)} />}
        {status.lendingPaused !== undefined && (
          <Fact term="Lending" value={`paused: ${PAUSE_WORDS[status.lendingPaused]}`} />
        )}
        {isInRoom && <Fact term="Received" value={formatBytes(status.bytesReceived)} />}
      </dl>
      {isInRoom && model.canSubmit.value && <LendingLimits status={status} />}
      {isInRoom && (
        <div class="actions">
          {model.canSubmit.value && status.wantsToLend && (
            <button type="button" onClick={() => model.lend(false)}>
              Stop lending
            </button>
          )}
          {model.canSubmit.value && !status.wantsToLend && (
            <button type="button" onClick={() => model.lend(true)}>
              Lend this tab
            </button>
          )}
          <button type="button" onClick={() => void model.leave()}>
            Leave the room
          </button>
        </div>
      )}
    </section>
  )
}

const PAUSE_WORDS = {
  battery: 'on battery',
  metered: 'metered network',
  hidden: 'in the background',
  data: 'data used up',
} as const

function objectsOf({ objectBytes, spilledBytes, disk }: SessionStatus): string {
  const all = formatBytes(objectBytes)
  if (disk === 'full') return `${all}, disk full`
  return spilledBytes > 0 ? `${all}, ${formatBytes(spilledBytes)} on disk` : all
}

function Fact({ term, value }: { readonly term: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{value}</dd>
    </div>
  )
}

import type { TaskState } from '@shoal/sdk'
import type { JSX } from 'preact'
import { TabChip } from '../../components/tab-chip.tsx'
import { formatDuration } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import type { Picked } from './stream-canvas.ts'

interface TaskDetailsProps {
  readonly picked: Picked | undefined
  /** What its owner says of it now. */
  readonly told: TaskState | 'asking' | 'unknown' | undefined
  pick(next: Picked | undefined): void
}

const WAIT_WORDS = {
  none: '',
  transfer: 'bytes of other tabs',
  disk: 'bytes on disk',
  memory: 'room in memory',
} as const

/** The task that was picked: what it is, how long it took, what it waited for and why. */
export function TaskDetails({ picked, told, pick }: TaskDetailsProps): JSX.Element {
  const { model } = useDashboard()
  const { runs } = model
  const facts: (readonly [string, JSX.Element | string])[] = []
  let name = ''
  let beside: JSX.Element | undefined
  if (picked?.kind === 'run') {
    const run = runs.detail(picked.seq)
    if (run === undefined) return <p class="dash-details soft">That task is older than what is kept here.</p>
    name = run.name
    facts.push(['Outcome', run.attempt > 0 ? `${run.outcome}, attempt ${run.attempt + 1}` : run.outcome])
    facts.push(['Where', <Where nodeId={run.lane.nodeId} worker={run.lane.worker} />])
    facts.push(['Ran', formatDuration(run.endMs - run.startMs)])
    if (run.blockedMs > 0.5) facts.push(['Of that, waited for others', formatDuration(run.blockedMs)])
    if (run.queuedMs > 0.5) facts.push(['Behind others in its worker', formatDuration(run.queuedMs)])
    if (run.waited !== 'none') facts.push([`Waited for ${WAIT_WORDS[run.waited]}`, formatDuration(run.fetchedMs)])
    facts.push(['Task', run.taskId])
    const go = (step: 1 | -1): void => {
      const seq = runs.beside(picked.seq, step)
      if (seq !== undefined) pick({ kind: 'run', seq })
    }
    beside = (
      <>
        <button type="button" class="small" onClick={() => go(-1)}>
          ← Before it
        </button>
        <button type="button" class="small" onClick={() => go(1)}>
          After it →
        </button>
      </>
    )
  } else if (picked?.kind === 'open') {
    const { run } = picked
    const lane = runs.lanes[run.lane]
    name = runs.names[run.name] ?? ''
    facts.push(['Outcome', 'it runs'])
    if (lane !== undefined) facts.push(['Where', <Where nodeId={lane.nodeId} worker={lane.worker} />])
    facts.push(['For', formatDuration(Date.now() - run.startMs)])
    facts.push(['Task', `${run.owner}/${run.number}`])
  }
  if (picked === undefined)
    return <p class="dash-details soft">Pick a task in the stream to see what it waited for, and why.</p>
  if (told === 'unknown') facts.push(['Its owner', 'does not remember it any more'])
  else if (told !== 'asking' && told !== undefined) {
    const waitMs = (told.startTimeMs ?? told.endTimeMs ?? Date.now()) - told.creationTimeMs
    facts.push(['Waited at its owner', formatDuration(Math.max(0, waitMs))])
    if (told.pendingReason !== undefined) facts.push(['Why', told.pendingReason])
    if (told.errorMessage !== undefined) facts.push(['Error', `${told.errorType ?? ''}: ${told.errorMessage}`])
  }
  return (
    <div class="dash-details" aria-live="polite">
      <div class="dash-bar">
        <h3>{name}</h3>
        <span class="dash-controls">
          {beside}
          <button type="button" class="small" onClick={() => pick(undefined)}>
            Close
          </button>
        </span>
      </div>
      <dl>
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

export function Where({
  nodeId,
  worker,
}: {
  readonly nodeId: string
  readonly worker?: number | undefined
}): JSX.Element {
  const { model } = useDashboard()
  void model.nodes.value
  return (
    <span class="dash-where">
      <TabChip nodeId={nodeId} /> {model.nameOf(nodeId)}
      {worker !== undefined && `, worker ${worker}`}
    </span>
  )
}

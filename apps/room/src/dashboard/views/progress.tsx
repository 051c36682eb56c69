import type { TaskSummary } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatCount, plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { FAILED, faint, functionColor } from '../model/function-colors.ts'

export interface Progress {
  readonly name: string
  readonly type: TaskSummary['type']
  readonly waiting: number
  readonly running: number
  readonly finished: number
  readonly failed: number
}

export function toProgress({ name, type, stateCounts }: TaskSummary): Progress {
  const of = (...states: (keyof typeof stateCounts)[]): number =>
    states.reduce((sum, state) => sum + (stateCounts[state] ?? 0), 0)
  return {
    name,
    type,
    waiting: of('PENDING_ARGS_AVAIL', 'PENDING_NODE_ASSIGNMENT', 'PENDING_ARGS_FETCH', 'SUBMITTED_TO_WORKER', 'NIL'),
    running: of('RUNNING', 'RUNNING_IN_RAY_GET'),
    finished: of('FINISHED'),
    failed: of('FAILED'),
  }
}

/** A bar a function: what has finished, runs, waits and failed, of all its attempts since their owners began. */
export function ProgressView(): JSX.Element {
  const { model } = useDashboard()
  const { rows, total, warnings } = model.summary.value
  const all = rows
    .map(toProgress)
    .sort((a, b) => b.running + b.waiting - (a.running + a.waiting) || b.finished - a.finished)
  const color = (name: string): string => functionColor(model.runs.placeOfName(name))
  return (
    <section class="card" aria-labelledby="progress-title">
      <div class="dash-bar">
        <h2 id="progress-title">Progress</h2>
        <span class="soft">
          {rows.length} of {plural(total, 'function')}
        </span>
      </div>
      {all.length === 0 && <p class="soft">Nothing was submitted yet.</p>}
      <ul class="dash-progress">
        {all.map((each) => (
          <Bar key={`${each.type} ${each.name}`} {...each} color={color(each.name)} />
        ))}
      </ul>
      {all.length > 0 && (
        <p class="dash-note">
          Solid: finished. Striped: running. Pale: waiting. Black: failed. Attempts are counted, each retry too.
        </p>
      )}
      {warnings.map((text) => (
        <p key={text} class="dash-note">
          {text}
        </p>
      ))}
    </section>
  )
}

function Bar({ name, waiting, running, finished, failed, color }: Progress & { readonly color: string }): JSX.Element {
  const total = Math.max(1, waiting + running + finished + failed)
  const parts = [
    [finished, color],
    [running, `repeating-linear-gradient(120deg, ${color} 0 5px, ${faint(color)} 5px 10px)`],
    [failed, FAILED],
    [waiting, faint(color)],
  ] as const
  const words = [
    `${formatCount(finished)} finished`,
    running > 0 && `${formatCount(running)} running`,
    waiting > 0 && `${formatCount(waiting)} waiting`,
    failed > 0 && `${formatCount(failed)} failed`,
  ].filter((text) => text !== false)
  return (
    <li>
      <span class="dash-name">{name === '' ? '(no name)' : name}</span>
      <span class="dash-counts">{words.join(', ')}</span>
      <span class="dash-fill" aria-hidden="true">
        {parts.map(([count, background]) =>
          count === 0 ? null : <i key={background} style={{ flexGrow: count / total, background }} />,
        )}
      </span>
    </li>
  )
}

/**
 * The dashboard: what a room does, as far as its tabs tell. Loaded when somebody first looks; whatever runs in the page goes on
 * beside it. Made for one source: a session, or a replay.
 */
import { useSignal } from '@preact/signals'
import type { Room } from '@shoal/sdk'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { usePage } from '../model/page-context.ts'
import { DashboardContext } from './dashboard-context.ts'
import { download } from './export/download.ts'
import { toPerfettoTrace } from './export/perfetto-trace.ts'
import { reportTables } from './export/report-tables.ts'
import { toReport } from './export/report.ts'
import './dashboard.css'
import { DashboardModel } from './model/dashboard-model.ts'
import type { LineLog } from './model/line-log.ts'
import { createReplay } from './model/replay.ts'
import { ActorsView } from './views/actors.tsx'
import { Counters } from './views/counters.tsx'
import { FailuresView } from './views/failures.tsx'
import { GraphPanel } from './views/graph.tsx'
import { LinksView } from './views/links.tsx'
import { LogsView } from './views/logs.tsx'
import { ObjectsView } from './views/objects.tsx'
import { ProgressView } from './views/progress.tsx'
import { TaskStream } from './views/task-stream.tsx'
import { WaitingView } from './views/waiting.tsx'

const VIEWS = [
  ['stream', 'Stream', () => <Overview />],
  ['graph', 'Graph', () => <GraphPanel />],
  ['objects', 'Objects', () => <ObjectsView />],
  ['tabs', 'Tabs', () => <LinksView />],
  ['actors', 'Actors', () => <ActorsView />],
  ['failures', 'Failures', () => <FailuresView />],
  ['waiting', 'Waiting', () => <WaitingView />],
  ['logs', 'Logs', () => <LogsView />],
] as const

export interface DashboardProps {
  readonly lines: LineLog
  readonly replay: { readonly tabs: number; readonly perSecond: number } | undefined
  readonly room: Room | undefined
}

export function Dashboard({ lines, replay, room }: DashboardProps): JSX.Element {
  const page = usePage()
  const shown = useSignal<(typeof VIEWS)[number][0]>('stream')
  const model = useMemo(
    () =>
      new DashboardModel(
        replay === undefined ? page.model.session() : createReplay({ ...replay, now: () => Date.now() }),
      ),
    [page, replay?.tabs, replay?.perSecond],
  )
  useEffect(() => {
    model.start()
    return () => model.stop()
  }, [model])
  const words = replay && `a replay of ${replay.tabs} tabs and ${replay.perSecond} tasks a second`
  const parts = useMemo(() => ({ model, lines, marks: page.marks, replay: words }), [model, lines, page, words])
  const view = VIEWS.find(([name]) => name === shown.value)?.[2]
  return (
    <DashboardContext.Provider value={parts}>
      <main class="dash">
        <div class="dash-head">
          <h2>Dashboard</h2>
          <Exports
            room={words ?? (room === undefined ? 'this tab alone' : `the room ${room.fingerprint}`)}
            model={model}
            lines={lines}
          />
        </div>
        {words !== undefined && <p class="dash-note">This is {words}: made up, to measure the dashboard with.</p>}
        {model.problem.value !== undefined && (
          <p class="dash-problem" role="alert">
            The last question was not answered: {model.problem.value}
          </p>
        )}
        <Counters />
        <nav class="demos dash-views" aria-label="Views">
          {VIEWS.map(([name, title]) => (
            <button key={name} type="button" aria-pressed={name === shown.value} onClick={() => (shown.value = name)}>
              {title}
              {name === 'failures' && <FailureCount model={model} />}
            </button>
          ))}
        </nav>
        {view?.()}
        {model.warnings.value.map((text) => (
          <p key={text} class="dash-note">
            {text}
          </p>
        ))}
      </main>
    </DashboardContext.Provider>
  )
}

function Overview(): JSX.Element {
  return (
    <div class="dash-overview">
      <TaskStream />
      <ProgressView />
    </div>
  )
}

function FailureCount({ model }: { readonly model: DashboardModel }): JSX.Element | null {
  void model.tick.value
  const { failures } = model.failures
  return failures === 0 ? null : <span class="dash-badge">{failures > 999 ? '999+' : failures}</span>
}

interface ExportsProps {
  readonly room: string
  readonly model: DashboardModel
  readonly lines: LineLog
}

function Exports({ room, model, lines }: ExportsProps): JSX.Element {
  const { marks } = usePage()
  const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  const notes = (): string[] => {
    const { runs } = model
    return [
      `${runs.next - runs.first} of ${runs.next + runs.dropped + runs.unseen} runs are here: ${runs.unseen} ended before the dashboard was opened, ${runs.dropped} were overwritten before they were read, ${runs.first} are older than what is kept`,
      ...model.warnings.peek(),
    ]
  }
  return (
    <span class="dash-controls">
      <button
        type="button"
        class="small"
        onClick={() => {
          const trace = toPerfettoTrace(model.runs, (node) => model.nameOf(node), notes())
          download(`shoal-trace-${stamp()}.json`, 'application/json', JSON.stringify(trace))
        }}
      >
        Perfetto trace
      </button>
      <button
        type="button"
        class="small"
        onClick={() => {
          const html = toReport({
            madeAt: new Date(),
            room,
            runs: model.runs,
            tables: reportTables(model, lines),
            missing: notes().slice(1),
            nameOf: (node) => model.nameOf(node),
            markOf: (node) => marks.of(node),
          })
          download(`shoal-report-${stamp()}.html`, 'text/html', html)
        }}
      >
        Report
      </button>
    </span>
  )
}

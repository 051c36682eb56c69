import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { formatBytes, formatCount } from '../../model/format.ts'
import { Rate } from '../../model/rate.ts'
import { useDashboard } from '../dashboard-context.ts'
import { toProgress } from './progress.tsx'

/** The room in a few numbers. */
export function Counters(): JSX.Element {
  const { model } = useDashboard()
  const rate = useRef(new Rate(3_000))
  void model.tick.value
  const nodes = model.nodes.value.rows
  const all = model.summary.value.rows.map(toProgress)
  const sum = (of: (row: (typeof all)[number]) => number): number => all.reduce((total, row) => total + of(row), 0)
  const live = nodes.filter(({ state }) => state === 'ALIVE')
  const cpus = (of: 'used' | 'resources'): number => live.reduce((total, node) => total + (node[of]['CPU'] ?? 0), 0)
  const bytes = live.reduce((total, { objectStore }) => total + (objectStore?.bytes ?? 0), 0)
  rate.current.add(performance.now(), model.runs.next)
  const perSecond = rate.current.value * 1000
  const facts = [
    ['Tabs', formatCount(live.length)],
    ['CPUs in use', `${formatCount(cpus('used'))} of ${formatCount(cpus('resources'))}`],
    ['Tasks a second', formatCount(perSecond)],
    ['Finished', formatCount(sum(({ finished }) => finished))],
    ['Running', formatCount(sum(({ running }) => running))],
    ['Waiting', formatCount(sum(({ waiting }) => waiting))],
    ['Failed', formatCount(sum(({ failed }) => failed))],
    ['Objects', formatBytes(bytes)],
  ] as const
  return (
    <dl class="dash-counters">
      {facts.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

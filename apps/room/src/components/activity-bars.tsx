import type { SessionStatus } from '@shoal/sdk'
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Activity } from '../model/activity.ts'
import { formatCount } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'

const SECONDS = 40
const HEIGHT = 36

/** Tasks that this tab ran in each of the last seconds. */
export function ActivityBars({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model, marks } = usePage()
  const activity = useRef(new Activity(SECONDS, 1000))
  const bars = useSignal<readonly number[]>(activity.current.values)
  useEffect(() => {
    // By itself the session is silent while nothing happens, and the bars should still move on.
    const timer = setInterval(() => {
      activity.current.add(performance.now(), model.currentStatus()?.tasksRun ?? 0)
      bars.value = [...activity.current.values]
    }, 500)
    return () => clearInterval(timer)
  }, [model, bars])
  const most = Math.max(1, ...bars.value)
  const color = status.nodeId === undefined ? 'currentColor' : marks.of(status.nodeId).color
  const recent = bars.value.at(-2) ?? 0
  return (
    <svg
      class="activity"
      viewBox={`0 0 ${SECONDS} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${formatCount(recent)} tasks in the last second`}
    >
      {bars.value.map((count, i) => {
        const height = count === 0 ? 1 : Math.max(2, (count / most) * HEIGHT)
        return (
          <rect
            key={i}
            x={i + 0.1}
            y={HEIGHT - height}
            width={0.8}
            height={height}
            fill={count === 0 ? undefined : color}
          />
        )
      })}
    </svg>
  )
}

import type { TaskState } from '@shoal/sdk'
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { formatCount, formatDuration, plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { DISK, FAILED, faint, TRANSFER } from '../model/function-colors.ts'
import { StreamCanvas } from './stream-canvas.ts'
import type { Picked, StreamFacts } from './stream-canvas.ts'
import { TaskDetails } from './task-details.tsx'

/** Rows: tab by worker. Time goes to the right. */
export function TaskStream(): JSX.Element {
  const { model, marks } = useDashboard()
  const [box, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const stream = useRef<StreamCanvas | undefined>(undefined)
  const facts = useSignal<StreamFacts>({ isFollowing: true, spanMs: 12_000, rows: 0, hidden: 0 })
  const picked = useSignal<Picked | undefined>(undefined)
  const told = useSignal<TaskState | 'asking' | 'unknown' | undefined>(undefined)

  useEffect(() => {
    const element = canvas.current
    if (element === null) return undefined
    const made = new StreamCanvas({
      canvas: element,
      store: model.runs,
      labelOf: (nodeId) => marks.of(nodeId),
      now: () => Date.now(),
      changed: (next) => (facts.value = next),
    })
    stream.current = made
    return () => made.close()
  }, [model, marks, facts])
  useEffect(() => stream.current?.resize(width, Math.max(240, Math.min(640, innerHeight * 0.6))), [width])
  useEffect(() => {
    // Wheels that are listened to passively cannot be kept from scrolling the page.
    const element = canvas.current
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && Math.abs(event.deltaX) < Math.abs(event.deltaY)) return
      event.preventDefault()
      if (event.ctrlKey || event.metaKey) stream.current?.zoom(Math.exp(event.deltaY / 200), event.offsetX)
      else stream.current?.pan(event.deltaX)
    }
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [])

  function pick(next: Picked | undefined): void {
    picked.value = next
    stream.current?.select(next)
    told.value = undefined
    if (next === undefined) return
    const id = next.kind === 'run' ? model.runs.idOf(next.seq) : `${next.run.owner}/${next.run.number}`
    told.value = 'asking'
    model.source.getTaskState(id).then(
      (state) => picked.value === next && (told.value = state ?? 'unknown'),
      () => picked.value === next && (told.value = 'unknown'),
    )
  }

  const drag = useRef<{ x: number; y: number; hasMoved: boolean; pinch: number } | undefined>(undefined)
  const pointers = useRef(new Map<number, number>())
  const { isFollowing, spanMs, rows, hidden } = facts.value
  return (
    <section class="card dash-stream" aria-labelledby="stream-title">
      <div class="dash-bar">
        <h2 id="stream-title">Task stream</h2>
        <span class="soft">
          {plural(rows, 'worker')}, {formatDuration(spanMs)} wide
        </span>
        <span class="dash-controls">
          <button type="button" class="small" onClick={() => stream.current?.zoom(0.5)} aria-label="Show less time">
            +
          </button>
          <button type="button" class="small" onClick={() => stream.current?.zoom(2)} aria-label="Show more time">
            −
          </button>
          <button
            type="button"
            class="small"
            aria-pressed={isFollowing}
            onClick={() => stream.current?.follow(!isFollowing)}
          >
            {isFollowing ? 'Following' : 'Follow'}
          </button>
        </span>
      </div>
      <div ref={box} class="dash-paper">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label="Task stream. Arrow keys move through time, plus and minus zoom, F follows, N selects the newest task."
          onPointerDown={(event) => {
            pointers.current.set(event.pointerId, event.offsetX)
            event.currentTarget.setPointerCapture(event.pointerId)
            drag.current = { x: event.offsetX, y: event.offsetY, hasMoved: false, pinch: pinchOf(pointers.current) }
          }}
          onPointerMove={(event) => {
            const { current } = drag
            if (current === undefined || !pointers.current.has(event.pointerId)) return
            pointers.current.set(event.pointerId, event.offsetX)
            if (pointers.current.size > 1) {
              const pinch = pinchOf(pointers.current)
              if (current.pinch > 0 && pinch > 0) stream.current?.zoom(current.pinch / pinch, event.offsetX)
              current.pinch = pinch
              current.hasMoved = true
              return
            }
            if (!current.hasMoved && Math.abs(event.offsetX - current.x) < 4) return
            current.hasMoved = true
            stream.current?.pan(current.x - event.offsetX)
            current.x = event.offsetX
          }}
          onPointerUp={(event) => {
            pointers.current.delete(event.pointerId)
            const { current } = drag
            if (pointers.current.size > 0) return
            drag.current = undefined
            if (current?.hasMoved === false) pick(stream.current?.at(event.offsetX, event.offsetY))
          }}
          onPointerCancel={(event) => {
            pointers.current.delete(event.pointerId)
            drag.current = undefined
          }}
          onKeyDown={(event) => {
            const { current } = stream
            if (event.key === 'ArrowLeft') current?.pan(-80)
            else if (event.key === 'ArrowRight') current?.pan(80)
            else if (event.key === '+' || event.key === '=') current?.zoom(0.5)
            else if (event.key === '-') current?.zoom(2)
            else if (event.key === 'f') current?.follow(!facts.peek().isFollowing)
            else if (event.key === 'n' && model.runs.next > 0) pick({ kind: 'run', seq: model.runs.next - 1 })
            else if (event.key === 'Escape') pick(undefined)
            else return
            event.preventDefault()
          }}
        />
      </div>
      <Silence rows={rows} />
      <Legend />
      <Unshown hidden={hidden} />
      <TaskDetails picked={picked.value} told={told.value} pick={pick} />
    </section>
  )
}

function pinchOf(pointers: ReadonlyMap<number, number>): number {
  const [a, b] = [...pointers.values()]
  return a === undefined || b === undefined ? 0 : Math.abs(a - b)
}

function Legend(): JSX.Element {
  return (
    <ul class="dash-legend" aria-label="What the marks mean">
      <li>
        <i style={{ background: '#3b82c4' }} /> ran, a colour a function
      </li>
      <li>
        <i style={{ background: `linear-gradient(${faint('#3b82c4')} 60%, #3b82c4 60%)` }} /> waited for others
      </li>
      <li>
        <i class="thin" style={{ background: TRANSFER }} /> transfer before it
      </li>
      <li>
        <i class="thin" style={{ background: DISK }} /> from disk
      </li>
      <li>
        <i style={{ background: FAILED }} /> failed
      </li>
    </ul>
  )
}

function Silence({ rows }: { readonly rows: number }): JSX.Element | null {
  const { model } = useDashboard()
  void model.tick.value
  if (rows > 0 && model.runs.next > 0) return null
  return <p class="soft">Nothing has run since this was opened. What runs from now on is drawn here.</p>
}

/** What is not in the picture, and why. */
function Unshown({ hidden }: { readonly hidden: number }): JSX.Element {
  const { model } = useDashboard()
  void model.tick.value
  const { runs } = model
  const words = [
    `${formatCount(runs.next - runs.first)} of ${formatCount(runs.next + runs.dropped + runs.unseen)} runs are here`,
    runs.unseen > 0 && `${formatCount(runs.unseen)} ended before this was opened`,
    runs.dropped > 0 && `${formatCount(runs.dropped)} were overwritten in their tab before they were read`,
    runs.first > 0 && `${formatCount(runs.first)} are older than what is kept`,
    hidden > 0 && `${plural(hidden, 'worker')} ran nothing in this time and ${hidden === 1 ? 'has' : 'have'} no row`,
    runs.clockErrorMs > 0.5 && `the tabs’ clocks are known to ±${formatDuration(runs.clockErrorMs)}`,
  ].filter((text) => text !== false)
  return <p class="dash-note">{words.join('; ')}.</p>
}

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { formatCount, plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { drawGraph, newestView, nodeAt, zoomed } from './graph-canvas.ts'
import type { GraphView } from './graph-canvas.ts'

const HEIGHT = 460

/** Tasks and what ties them together, growing to the right. */
export function GraphPanel(): JSX.Element {
  const { model } = useDashboard()
  const { graph, runs } = model
  const tick = model.tick.value
  const [box, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  /** Undefined: the newest end of it. */
  const view = useSignal<GraphView | undefined>(undefined)
  const picked = useSignal<string | undefined>(undefined)
  const drag = useRef<{ x: number; y: number; hasMoved: boolean } | undefined>(undefined)
  const current = (): GraphView => view.peek() ?? newestView(graph, width, HEIGHT)

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (canvas.current === null || context === null || context === undefined || width === 0) return undefined
    const scale = Math.min(2, devicePixelRatio)
    const element = canvas.current
    // Once a frame at most, however often it changed.
    const frame = requestAnimationFrame(() => {
      element.width = width * scale
      element.height = HEIGHT * scale
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawGraph(context, graph, current(), (name) => runs.placeOfName(name), picked.peek())
    })
    return () => cancelAnimationFrame(frame)
  }, [graph.version, width, view.value, picked.value, tick])

  const node = picked.value === undefined ? undefined : graph.node(picked.value)
  const ties = node === undefined ? [] : graph.edges.filter(({ from, to }) => from === node || to === node)
  const by = (kind: string): number => graph.edges.filter((edge) => edge.kind === kind).length
  return (
    <section class="card" aria-labelledby="graph-title">
      <div class="dash-bar">
        <h2 id="graph-title">Task graph</h2>
        <span class="soft">
          {formatCount(graph.size)} of {formatCount(graph.size + graph.removed)} tasks and objects
        </span>
        <span class="dash-controls">
          <button type="button" class="small" aria-label="Larger" onClick={() => (view.value = zoomed(current(), 1.4))}>
            +
          </button>
          <button
            type="button"
            class="small"
            aria-label="Smaller"
            onClick={() => (view.value = zoomed(current(), 1 / 1.4))}
          >
            −
          </button>
          <button
            type="button"
            class="small"
            aria-pressed={view.value === undefined}
            onClick={() => (view.value = view.value === undefined ? current() : undefined)}
          >
            {view.value === undefined ? 'Following' : 'Follow'}
          </button>
        </span>
      </div>
      <div ref={box} class="dash-paper">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          style={{ height: `${HEIGHT}px` }}
          aria-label={`${graph.size} tasks, ${by('data')} data, ${by('control')} control and ${by('stateful')} stateful edges. Arrow keys move, plus and minus zoom, F follows.`}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            drag.current = { x: event.offsetX, y: event.offsetY, hasMoved: false }
          }}
          onPointerMove={(event) => {
            const { current: from } = drag
            if (from === undefined) return
            const [dx, dy] = [event.offsetX - from.x, event.offsetY - from.y]
            if (!from.hasMoved && Math.hypot(dx, dy) < 4) return
            const now = current()
            view.value = { ...now, x: now.x - dx / now.zoom, y: now.y - dy / now.zoom }
            drag.current = { x: event.offsetX, y: event.offsetY, hasMoved: true }
          }}
          onPointerUp={(event) => {
            if (drag.current?.hasMoved === false)
              picked.value = nodeAt(graph, current(), event.offsetX, event.offsetY)?.id
            drag.current = undefined
          }}
          onPointerCancel={() => (drag.current = undefined)}
          onKeyDown={(event) => {
            const step = 60 / current().zoom
            const to = (x: number, y: number): void =>
              void (view.value = { ...current(), x: current().x + x, y: current().y + y })
            if (event.key === 'ArrowLeft') to(-step, 0)
            else if (event.key === 'ArrowRight') to(step, 0)
            else if (event.key === 'ArrowUp') to(0, -step)
            else if (event.key === 'ArrowDown') to(0, step)
            else if (event.key === '+' || event.key === '=') view.value = zoomed(current(), 1.4)
            else if (event.key === '-') view.value = zoomed(current(), 1 / 1.4)
            else if (event.key === 'f') view.value = undefined
            else return
            event.preventDefault()
          }}
        />
      </div>
      <ul class="dash-legend" aria-label="What the lines mean">
        <li>
          <i class="line solid" /> data: {formatCount(by('data'))}
        </li>
        <li>
          <i class="line dashed" /> control, a task submitted it: {formatCount(by('control'))}
        </li>
        <li>
          <i class="line dotted" /> stateful, an actor’s order of calls: {formatCount(by('stateful'))}
        </li>
        <li>
          <i class="ring" /> an object that was put, or whose task was not told of
        </li>
      </ul>
      {node !== undefined && (
        <p class="dash-details" aria-live="polite">
          <b>{node.name === '' ? 'an object' : node.name}</b>, {node.state};{' '}
          {plural(ties.filter(({ to }) => to === node).length, 'edge')} in,{' '}
          {plural(ties.filter(({ from }) => from === node).length, 'edge')} out <small class="dash-id">{node.id}</small>
        </p>
      )}
      <p class="dash-note">
        Tasks without arguments of other tasks, without a parent and of no actor stand alone and are not drawn: the
        stream has them.
        {graph.removed > 0 && ` ${plural(graph.removed, 'older one')} made room for newer ones.`}
        {model.droppedEnds > 0 &&
          ` ${plural(model.droppedEnds, 'end')} of tasks were overwritten in their tab before they were read.`}
      </p>
    </section>
  )
}

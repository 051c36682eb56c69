import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useElementWidth } from '../components/use-element-width.ts'
import type { Curve } from './curve.ts'

export interface CurveViewProps {
  readonly curve: Curve
  /** How much of it there is: says when to draw. */
  readonly length: number
  readonly goal: number
  /** What the first line is, and the second where there is one. */
  readonly keys: readonly [mean: string, test?: string]
  /** The range of returns to show at least. */
  readonly bounds: readonly [number, number]
}

const HEIGHT = 168

/** The learning curve: mean return and, where it is measured, test return of the policy, by iteration. */
export function CurveView({ curve, length, goal, keys, bounds }: CurveViewProps): JSX.Element {
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const plot = useRef<uPlot | undefined>(undefined)
  const [low, high] = bounds
  const [mean, test] = keys

  useEffect(() => {
    const target = frame.current
    if (target === null || width === 0) return undefined
    const made = new uPlot(plotOptions(width, low, high, goal, curve), dataOf(curve), target)
    plot.current = made
    // Colours are read from the page's style while drawing, so a change of theme only needs to draw again.
    const theme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = (): void => made.redraw(false)
    theme.addEventListener('change', redraw)
    return () => {
      theme.removeEventListener('change', redraw)
      made.destroy()
      plot.current = undefined
    }
  }, [frame, curve, width, low, high, goal])

  useEffect(() => {
    // Results may come many times a frame; one drawing is enough.
    const request = requestAnimationFrame(() => plot.current?.setData(dataOf(curve)))
    return () => cancelAnimationFrame(request)
  }, [curve, length])

  return (
    <figure class="curve">
      <figcaption>
        <span class="key population">{mean}</span>
        {test !== undefined && <span class="key test">{test}</span>}
        <span class="key goal">solved at {String(goal).replace('-', '−')}</span>
      </figcaption>
      <div ref={frame} class="plot" style={{ height: `${HEIGHT}px` }} />
    </figure>
  )
}

function dataOf({ iterations, meanReturns, evalReturns }: Curve): uPlot.AlignedData {
  return [iterations, meanReturns, evalReturns]
}

function plotOptions(width: number, low: number, high: number, goal: number, curve: Curve): uPlot.Options {
  const axis = (): uPlot.Axis => ({
    stroke: () => css('--soft'),
    grid: { stroke: () => css('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  })
  return {
    width,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: (_plot, _min, max) => [1, Math.max(20, max)] },
      y: { range: (_plot, min, max) => [Math.min(low, finite(min, low)), Math.max(high, finite(max, high))] },
    },
    axes: [
      { ...axis(), size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
      { ...axis(), size: 52 },
    ],
    series: [
      {},
      { stroke: () => css('--accent'), width: 2, points: { show: false } },
      { stroke: () => css('--second'), width: 2, spanGaps: true, points: { show: false } },
    ],
    hooks: { drawClear: [(plot) => drawGoal(plot, goal), (plot) => drawTurnouts(plot, curve)] },
  }
}

/** A dashed line where the environment counts as solved. */
function drawGoal(plot: uPlot, goal: number): void {
  const { ctx, bbox } = plot
  const y = Math.round(plot.valToPos(goal, 'y', true))
  ctx.save()
  ctx.strokeStyle = css('--good')
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}

/** A line where tabs came or went, and how many. */
function drawTurnouts(plot: uPlot, { turnouts }: Curve): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.strokeStyle = css('--soft')
  ctx.fillStyle = css('--soft')
  ctx.font = `600 ${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.textBaseline = 'bottom'
  ctx.textAlign = 'left'
  for (const { iteration, change } of turnouts) {
    const x = Math.round(plot.valToPos(iteration, 'x', true))
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    const text = `${change > 0 ? '+' : '−'}${Math.abs(change)} ${Math.abs(change) === 1 ? 'tab' : 'tabs'}`
    ctx.fillText(text, x + 4 * devicePixelRatio, bbox.top + bbox.height - 4 * devicePixelRatio)
  }
  ctx.restore()
}

function finite(value: number | null, fallback: number): number {
  return value !== null && Number.isFinite(value) ? value : fallback
}

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

import type { JSX } from 'preact'
import type uPlot from 'uplot'
import type { Curve } from './curve.ts'
import { cssValue, PLOT_HEIGHT, plotAxis, usePlot } from './use-plot.ts'

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

/** The learning curve: mean return and, where it is measured, test return of the policy, by iteration. */
export function CurveView({ curve, length, goal, keys, bounds }: CurveViewProps): JSX.Element {
  const [low, high] = bounds
  const [mean, test] = keys
  const frame = usePlot(
    () => plotOptions(low, high, goal, curve),
    () => dataOf(curve),
    [curve, low, high, goal],
    length,
  )

  return (
    <figure class="curve">
      <figcaption>
        <span class="key population">{mean}</span>
        {test !== undefined && <span class="key test">{test}</span>}
        <span class="key goal">solved at {String(goal).replace('-', '−')}</span>
      </figcaption>
      <div ref={frame} class="plot" style={{ height: `${PLOT_HEIGHT}px` }} />
    </figure>
  )
}

function dataOf({ iterations, meanReturns, evalReturns }: Curve): uPlot.AlignedData {
  return [iterations, meanReturns, evalReturns]
}

function plotOptions(low: number, high: number, goal: number, curve: Curve): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    scales: {
      x: { time: false, range: (_plot, _min, max) => [1, Math.max(20, max)] },
      y: { range: (_plot, min, max) => [Math.min(low, finite(min, low)), Math.max(high, finite(max, high))] },
    },
    axes: [
      { ...plotAxis(), size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
      { ...plotAxis(), size: 52 },
    ],
    series: [
      {},
      { stroke: () => cssValue('--accent'), width: 2, points: { show: false } },
      { stroke: () => cssValue('--second'), width: 2, spanGaps: true, points: { show: false } },
    ],
    hooks: { drawClear: [(plot) => drawGoal(plot, goal), (plot) => drawTurnouts(plot, curve)] },
  }
}

/** A dashed line where the environment counts as solved. */
function drawGoal(plot: uPlot, goal: number): void {
  const { ctx, bbox } = plot
  const y = Math.round(plot.valToPos(goal, 'y', true))
  ctx.save()
  ctx.strokeStyle = cssValue('--good')
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
  ctx.strokeStyle = cssValue('--soft')
  ctx.fillStyle = cssValue('--soft')
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

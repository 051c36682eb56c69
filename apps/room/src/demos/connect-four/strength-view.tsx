import type { JSX } from 'preact'
import type { MatchResult } from '@shoal/rl'
import type uPlot from 'uplot'
import { cssValue, PLOT_HEIGHT, plotAxis, usePlot } from '../use-plot.ts'
import type { Curve, FourRun } from './four-run.ts'
import { scoreOf } from './strength-test.ts'

/** How strong the network is by the games it learned from, and the loss of its policy. */
export function StrengthView({ run }: { readonly run: FourRun }): JSX.Element {
  const { curve } = run
  const length = run.curveLength.value
  const { strength, losses } = run.progress.value
  const { randomGames, searchGames, simulations, rollouts } = run.settings.test

  const frame = usePlot(plotOptions, () => dataOf(curve), [curve], length)

  return (
    <figure class="curve">
      <figcaption>
        <span class="key population">
          without search, against chance: <strong>{percent(strength?.againstRandom)}</strong> of {randomGames} games
        </span>
        <span class="key test">
          {simulations} positions a move, against {rollouts} random playouts:{' '}
          <strong>{percent(strength?.againstSearch)}</strong> of {searchGames}
        </span>
        <span class="key loss">
          loss of its policy: <strong>{losses === undefined ? '–' : losses.policyLoss.toFixed(2)}</strong>
        </span>
      </figcaption>
      <div ref={frame} class="plot" style={{ height: `${PLOT_HEIGHT}px` }} />
      <p class="soft axis-name">Points in % by games learned from, a draw being half a point; on the right the loss</p>
    </figure>
  )
}

function percent(match: MatchResult | undefined): string {
  return match === undefined ? '–' : `${Math.round(100 * scoreOf(match))} %`
}

function dataOf({ games, againstRandom, againstSearch, policyLoss }: Curve): uPlot.AlignedData {
  return [games, againstRandom, againstSearch, policyLoss]
}

function plotOptions(): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    scales: {
      x: { time: false, range: (_plot, _min, max) => [0, Math.max(1000, max)] },
      y: { range: () => [0, 100] },
      loss: { range: () => [1, 2] },
    },
    axes: [
      { ...plotAxis(), size: 28 },
      { ...plotAxis(), size: 40, incrs: [25] },
      { ...plotAxis(), size: 40, incrs: [0.5], scale: 'loss', side: 1, grid: { show: false } },
    ],
    series: [
      {},
      { stroke: () => cssValue('--accent'), width: 2, spanGaps: true, points: { show: true, size: 5 } },
      { stroke: () => cssValue('--second'), width: 2, spanGaps: true, dash: [6, 3], points: { show: true, size: 5 } },
      { stroke: () => cssValue('--soft'), width: 1, spanGaps: true, scale: 'loss', points: { show: false } },
    ],
  }
}

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { MatchResult } from '@shoal/rl'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useElementWidth } from '../../components/use-element-width.ts'
import type { Curve, FourRun } from './four-run.ts'
import { scoreOf } from './strength-test.ts'

const HEIGHT = 168

/** How strong the network is by the games it learned from, and the loss of its policy. */
export function StrengthView({ run }: { readonly run: FourRun }): JSX.Element {
  const { curve } = run
  const length = run.curveLength.value
  const { strength, losses } = run.progress.value
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const plot = useRef<uPlot | undefined>(undefined)
  const { randomGames, searchGames, simulations, rollouts } = run.settings.test

  useEffect(() => {
    const target = frame.current
    if (target === null || width === 0) return undefined
    const made = new uPlot(plotOptions(width), dataOf(curve), target)
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
  }, [frame, curve, width])

  useEffect(() => {
    // Results may come many times a frame; one drawing is enough.
    const request = requestAnimationFrame(() => plot.current?.setData(dataOf(curve)))
    return () => cancelAnimationFrame(request)
  }, [curve, length])

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
      <div ref={frame} class="plot" style={{ height: `${HEIGHT}px` }} />
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

function plotOptions(width: number): uPlot.Options {
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
      x: { time: false, range: (_plot, _min, max) => [0, Math.max(1000, max)] },
      y: { range: () => [0, 100] },
      loss: { range: () => [1, 2] },
    },
    axes: [
      { ...axis(), size: 28 },
      { ...axis(), size: 40, incrs: [25] },
      { ...axis(), size: 40, incrs: [0.5], scale: 'loss', side: 1, grid: { show: false } },
    ],
    series: [
      {},
      { stroke: () => css('--accent'), width: 2, spanGaps: true, points: { show: true, size: 5 } },
      { stroke: () => css('--second'), width: 2, spanGaps: true, dash: [6, 3], points: { show: true, size: 5 } },
      { stroke: () => css('--soft'), width: 1, spanGaps: true, scale: 'loss', points: { show: false } },
    ],
  }
}

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useElementWidth } from '../components/use-element-width.ts'

export const PLOT_HEIGHT = 168

/**
 * A plot in the element that the ref is given to, as wide as that: made anew when `made` changes, drawn when `length` does,
 * since the columns of its data grow in place. `options` without width, height and what all plots share.
 */
export function usePlot(
  options: () => Omit<uPlot.Options, 'width' | 'height'>,
  data: () => uPlot.AlignedData,
  made: readonly unknown[],
  length: number,
): RefObject<HTMLDivElement> {
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const plot = useRef<uPlot | undefined>(undefined)

  useEffect(() => {
    const target = frame.current
    if (target === null || width === 0) return undefined
    const size = { width, height: PLOT_HEIGHT }
    const drawn = new uPlot({ ...size, cursor: { show: false }, legend: { show: false }, ...options() }, data(), target)
    plot.current = drawn
    // Colours are read from the page's style while drawing, so a change of theme only needs to draw again.
    const theme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = (): void => drawn.redraw(false)
    theme.addEventListener('change', redraw)
    return () => {
      theme.removeEventListener('change', redraw)
      drawn.destroy()
      plot.current = undefined
    }
  }, [frame, width, ...made])

  useEffect(() => {
    // Results may come many times a frame; one drawing is enough.
    const request = requestAnimationFrame(() => plot.current?.setData(data()))
    return () => cancelAnimationFrame(request)
  }, [length, ...made])

  return frame
}

export function plotAxis(): uPlot.Axis {
  return {
    stroke: () => cssValue('--soft'),
    grid: { stroke: () => cssValue('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
}

/** Of one of the page's own properties, such as `--accent`. */
export function cssValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

import { useSignal, useSignalEffect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { TabChip } from '../../components/tab-chip.tsx'
import { useElementWidth } from '../../components/use-element-width.ts'
import { formatCount, formatDuration } from '../../model/format.ts'
import { usePage } from '../../model/page-context.ts'
import type { ViewAt } from '../../model/page-url.ts'
import type { RunReport } from '../../model/run-report.ts'
import { Readouts } from '../readouts.tsx'
import { roomTotals } from '../room-totals.ts'
import type { TileResult } from './mandelbrot.remote.ts'
import { MandelbrotRun } from './mandelbrot-run.ts'
import type { Progress } from './mandelbrot-run.ts'
import { paintTile } from './tile-painter.ts'
import { useZoomControls } from './use-zoom-controls.ts'
import { HOME, zoom } from './view.ts'
import type { Tile } from './view.ts'

/** The Mandelbrot set, a tile a task, painted as tiles arrive. */
export function MandelbrotPanel(): JSX.Element {
  const { model, marks, runs, address } = usePage()
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const isMarked = useSignal(true)
  // It draws as soon as it is shown, but for a program that asked for a run: that one waits for its tabs.
  const mayDraw = useSignal(address.url.peek().run !== 'mandelbrot')
  const painted = useRef<{ tile: Tile; result: TileResult }[]>([])
  const run = useMemo(() => {
    return new MandelbrotRun({
      slots: () => roomTotals(model.currentStatus()).slots,
      onTile: (tile, result) => {
        painted.current.push({ tile, result })
        const context = canvas.current?.getContext('2d')
        if (context) paintTile(context, tile, result, marks, isMarked.peek())
      },
      onReport: (report) => runs.publish(report),
      nowMs: () => performance.now(),
    })
  }, [model, marks, isMarked, runs])
  useEffect(() => () => run.stop(), [run])

  const view = address.url.value.at ?? HOME
  const picture = pictureSize(width)
  const aspect = picture.width / picture.height
  useEffect(() => {
    if (width === 0 || !mayDraw.value) return
    painted.current = []
    void run.start(view, picture)
    // The picture's two numbers follow from the width.
  }, [run, width, view.x, view.y, view.width, mayDraw.value])

  useSignalEffect(() => {
    if (runs.wish.value === 'mandelbrot' && runs.take('mandelbrot')) mayDraw.value = true
  })
  const repaint = (): void => {
    const context = canvas.current?.getContext('2d')
    if (context)
      for (const { tile, result } of painted.current) paintTile(context, tile, result, marks, isMarked.peek())
  }

  const go = (next: ViewAt): void =>
    address.change({ at: next.width === HOME.width && next.x === HOME.x ? undefined : next })
  const controls = useZoomControls(canvas, view, aspect, go)
  const step = (factor: number) => (): void => controls.show(zoom(view, factor, 0.5, 0.5, aspect))
  const report = run.report.value
  return (
    <section class="card demo" aria-labelledby="demo-title">
      <div class="head">
        <h2 id="demo-title">The Mandelbrot set</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={isMarked.value}
            onChange={(event) => {
              isMarked.value = event.currentTarget.checked
              repaint()
            }}
          />
          mark tabs
        </label>
        <div class="group" role="group" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={step(0.5)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={step(2)}>
            −
          </button>
          <button type="button" onClick={() => controls.show(HOME)}>
            Reset
          </button>
        </div>
      </div>
      <div class="stage" ref={frame} style={{ height: `${Math.round(width / aspect)}px` }}>
        <canvas
          ref={canvas}
          width={picture.width}
          height={picture.height}
          class="zoomable"
          tabIndex={0}
          role="application"
          aria-label="The Mandelbrot set. Plus and minus zoom, arrow keys move, 0 resets."
          {...controls.handlers}
        />
      </div>
      <Readouts items={figures(run.progress.value, view)} />
      <Caption report={report} />
    </section>
  )
}

/** Two points a CSS pixel and more, so that the browser smooths the edges; at most a million and a half or so. */
function pictureSize(width: number): { width: number; height: number } {
  const across = Math.max(320, Math.min(1680, width * 2))
  return { width: across, height: Math.round(across * (width < 560 ? 1 : 0.62)) }
}

function figures(progress: Progress | undefined, view: ViewAt): { term: string; value: string }[] {
  const { tiles, done, elapsedMs } = progress ?? { tiles: 0, done: 0, elapsedMs: 0 }
  return [
    { term: 'Tiles', value: `${done} / ${tiles}` },
    { term: 'Time', value: formatDuration(elapsedMs) },
    { term: 'Tiles a second', value: formatCount(elapsedMs === 0 ? 0 : (done * 1000) / elapsedMs) },
    { term: 'Zoom', value: `${formatCount(HOME.width / view.width)} ×` },
  ]
}

function Caption({ report }: { readonly report: RunReport | undefined }): JSX.Element {
  if (report?.state === 'failed') {
    return (
      <p class="outcome failed" role="alert">
        The picture ended with an error: {report.error}
      </p>
    )
  }
  const work = Object.entries(report?.byNode ?? {})
  return (
    <p class="outcome soft">
      {matchMedia('(pointer: coarse)').matches
        ? 'Tap to zoom in.'
        : 'Click to zoom in, drag to move, Shift+click to zoom out.'}{' '}
      Each tile is one task
      {work.length === 0 ? '.' : ': '}
      {work.map(([nodeId, { tasks }]) => (
        <span key={nodeId} class="share">
          <TabChip nodeId={nodeId} /> {tasks}{' '}
        </span>
      ))}
    </p>
  )
}

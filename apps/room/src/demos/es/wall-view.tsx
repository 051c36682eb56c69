import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { usePage } from '../../model/page-context.ts'
import type { Wall } from '../wall.ts'
import { drawWall } from './draw-wall.ts'
import type { Sketch } from './draw-wall.ts'

const STILL_EVERY_MS = 1000

/**
 * The wall's canvas. Drawn at most once a frame, whatever rate results come at, and not at all while the page is hidden.
 * For people who asked for less motion: still pictures of the newest ends, once a second.
 */
export function WallView({
  wall,
  sketch,
  label,
  children,
}: {
  readonly wall: Wall
  readonly sketch: Sketch
  readonly label: string
  /** Over the canvas. */
  readonly children?: ComponentChildren
}): JSX.Element {
  const { marks } = usePage()
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  // Square on a phone; on a desktop it leaves room for the curve below.
  const height = width < 560 ? width : Math.round(width * 0.34)

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined || width === 0) return undefined
    const scale = Math.min(2, devicePixelRatio)
    context.canvas.width = Math.round(width * scale)
    context.canvas.height = Math.round(height * scale)
    const isStill = matchMedia('(prefers-reduced-motion: reduce)')
    let lastStillMs = Number.NEGATIVE_INFINITY
    const draw = (nowMs: number): void => {
      request = requestAnimationFrame(draw)
      if (isStill.matches) {
        if (nowMs - lastStillMs < STILL_EVERY_MS) return
        lastStillMs = nowMs
        wall.showNewest(nowMs)
      } else {
        wall.advance(nowMs)
      }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawWall(context, { width, height }, wall, sketch, marks, nowMs)
    }
    let request = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(request)
  }, [wall, sketch, marks, width, height])

  return (
    <div class="stage" ref={frame} style={{ height: `${height}px` }}>
      <canvas ref={canvas} role="img" aria-label={label} style={{ width: `${width}px`, height: `${height}px` }} />
      {children}
    </div>
  )
}

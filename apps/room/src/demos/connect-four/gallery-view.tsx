import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { usePage } from '../../model/page-context.ts'
import { drawGallery, galleryGrid } from './draw-gallery.ts'
import type { Gallery } from './gallery.ts'

/** Often enough to look alive; drawing is no reason for training to wait. */
const EVERY_MS = 250

/** The last games of self-play, in a place that does not change its size. Nothing is drawn while the page is hidden. */
export function GalleryView({ gallery }: { readonly gallery: Gallery }): JSX.Element {
  const { marks } = usePage()
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [label, setLabel] = useState('')
  const height = Math.round(galleryGrid(width).height)

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined || width === 0) return undefined
    const scale = Math.min(2, devicePixelRatio)
    context.canvas.width = Math.round(width * scale)
    context.canvas.height = Math.round(height * scale)
    const draw = (): void => {
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawGallery(context, width, gallery, marks)
      const counts = [...gallery.countByNode()].map(([nodeId, count]) => `${count} by tab ${marks.of(nodeId).label}`)
      setLabel(counts.length === 0 ? 'No game has ended yet.' : `The last games: ${counts.join(', ')}.`)
    }
    draw()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && gallery.advance(performance.now())) draw()
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [gallery, marks, width, height])

  return (
    <div ref={frame} class="four-gallery" style={{ height: `${height}px` }}>
      <canvas ref={canvas} role="img" aria-label={label} style={{ width: `${width}px`, height: `${height}px` }} />
    </div>
  )
}

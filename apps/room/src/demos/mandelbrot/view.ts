/** Where in the plane the picture is, and how it is cut into tiles. Pure. */
import type { ViewAt } from '../../model/page-url.ts'
import type { TileRequest } from './mandelbrot.remote.ts'

export interface Tile {
  /** In picture points. */
  readonly left: number
  readonly top: number
  readonly columns: number
  readonly rows: number
}

export const HOME: ViewAt = { x: -0.65, y: 0, width: 3.4 }
const WIDEST = 6
/** Below it, neighbouring points of a float64 picture run into each other. */
const NARROWEST = 2e-12

/** Zooms by `factor` (below 1: in) around a place given as shares of the picture, 0 to 1; the place stays where it is. */
export function zoom(view: ViewAt, factor: number, shareX: number, shareY: number, aspect: number): ViewAt {
  const width = Math.min(WIDEST, Math.max(NARROWEST, view.width * factor))
  return kept({
    x: view.x + (shareX - 0.5) * (view.width - width),
    y: view.y + ((shareY - 0.5) * (view.width - width)) / aspect,
    width,
  })
}

/** Moves the picture's window by shares of its own size. */
export function pan(view: ViewAt, shareX: number, shareY: number, aspect: number): ViewAt {
  return kept({ x: view.x + shareX * view.width, y: view.y + (shareY * view.width) / aspect, width: view.width })
}

function kept({ x, y, width }: ViewAt): ViewAt {
  return { x: Math.min(2, Math.max(-2.5, x)), y: Math.min(2, Math.max(-2, y)), width }
}

/** All tiles of a picture, the middle first, outwards from there: people look at the middle. */
export function tilesOf(width: number, height: number, size: number): Tile[] {
  const tiles: Tile[] = []
  for (let top = 0; top < height; top += size)
    for (let left = 0; left < width; left += size)
      tiles.push({ left, top, columns: Math.min(size, width - left), rows: Math.min(size, height - top) })
  const distance = ({ left, top, columns, rows }: Tile): number =>
    Math.hypot(left + columns / 2 - width / 2, top + rows / 2 - height / 2)
  return tiles.sort((a, b) => distance(a) - distance(b))
}

/** More where it is narrow: details there take longer to escape. */
export function iterationsFor(view: ViewAt): number {
  return Math.min(4000, Math.round(1000 + 180 * Math.max(0, Math.log2(HOME.width / view.width))))
}

export function requestOf(tile: Tile, view: ViewAt, width: number, height: number): TileRequest {
  const step = view.width / width
  return {
    x: view.x + (tile.left + 0.5 - width / 2) * step,
    y: view.y + (tile.top + 0.5 - height / 2) * step,
    step,
    columns: tile.columns,
    rows: tile.rows,
    maxIterations: iterationsFor(view),
  }
}

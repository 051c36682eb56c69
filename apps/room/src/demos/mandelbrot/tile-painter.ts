/** Paints tiles onto the picture's canvas as they arrive, with a mark for the tab that computed each. */
import type { TabMarks } from '../../model/tab-marks.ts'
import type { TileResult } from './mandelbrot.remote.ts'
import { TILE_SIZE } from './mandelbrot-run.ts'
import type { Tile } from './view.ts'

/** Packed little-endian RGBA, like all colours here. */
const INSIDE = (255 << 24) | (0x14 << 16) | (0x0a << 8) | 0x06
const SHADES = 2048
/** Doublings of the escape time after which the colours come round again. */
const DOUBLINGS = 5

/** Deep blue, teal, cream, amber, and back: one turn of the colour wheel, as packed little-endian RGBA. */
const PALETTE = createPalette()

function createPalette(): Uint32Array {
  const stops: readonly (readonly [number, number, number])[] = [
    [9, 22, 45],
    [16, 84, 120],
    [72, 170, 178],
    [240, 236, 214],
    [236, 168, 62],
    [120, 56, 40],
  ]
  return Uint32Array.from({ length: SHADES }, (_, i) => {
    const at = (i / SHADES) * stops.length
    const from = stops[Math.floor(at) % stops.length] ?? [0, 0, 0]
    const to = stops[(Math.floor(at) + 1) % stops.length] ?? [0, 0, 0]
    const share = (1 - Math.cos((at % 1) * Math.PI)) / 2
    const [r, g, b] = [0, 1, 2].map((c) => Math.round((from[c] ?? 0) + ((to[c] ?? 0) - (from[c] ?? 0)) * share))
    return (255 << 24) | ((b ?? 0) << 16) | ((g ?? 0) << 8) | (r ?? 0)
  })
}

/** The colour of every escape time there can be. */
const COLOR_OF = Uint32Array.from({ length: 65536 }, (_, time) => {
  if (time === 0) return INSIDE
  const turn = Math.max(0, Math.log2(1 + time / 16) - 1) / DOUBLINGS
  return PALETTE[Math.floor((turn % 1) * SHADES)] ?? INSIDE
})

export function paintTile(
  canvas: CanvasRenderingContext2D,
  tile: Tile,
  { times, nodeId }: TileResult,
  marks: TabMarks,
  isMarked: boolean,
): void {
  const image = canvas.createImageData(tile.columns, tile.rows)
  const points = new Uint32Array(image.data.buffer)
  for (let i = 0; i < points.length; i += 1) {
    points[i] = COLOR_OF[times[i] ?? 0] ?? INSIDE
  }
  canvas.putImageData(image, tile.left, tile.top)
  if (!isMarked) return
  const { color } = marks.of(nodeId)
  canvas.globalAlpha = 0.06
  canvas.fillStyle = color
  canvas.fillRect(tile.left, tile.top, tile.columns, tile.rows)
  canvas.globalAlpha = 1
  const corner = TILE_SIZE * 0.22
  canvas.beginPath()
  canvas.moveTo(tile.left, tile.top)
  canvas.lineTo(tile.left + corner, tile.top)
  canvas.lineTo(tile.left, tile.top + corner)
  canvas.fill()
}

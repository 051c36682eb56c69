/** One tile of the Mandelbrot set: escape times of a square of points. */
import { context, remote } from '@shoal/sdk'

export interface TileRequest {
  /** The plane's coordinates of the first point's centre. */
  readonly x: number
  readonly y: number
  /** Between two points, in both directions; y grows downwards. */
  readonly step: number
  readonly columns: number
  readonly rows: number
  readonly maxIterations: number
}

export interface TileResult {
  /** Row by row: 0 inside the set, else the smooth escape time times 16, capped at 65535. */
  readonly times: Uint16Array
  readonly nodeId: string
  readonly cpuMs: number
}

/** Far out, so that the smooth escape time is smooth. */
const ESCAPE_RADIUS_SQUARED = 1 << 16

/** Smooth escape time (Inigo Quilez): n + 1 - log2(log2 |z|), 0 for points that do not escape. */
function escapeTime(cx: number, cy: number, maxIterations: number): number {
  // The main cardioid and the disk to its left never escape, and are most of the black.
  const q = (cx - 0.25) ** 2 + cy * cy
  if (q * (q + (cx - 0.25)) <= 0.25 * cy * cy || (cx + 1) ** 2 + cy * cy <= 0.0625) return 0
  let x = 0
  let y = 0
  for (let n = 0; n < maxIterations; n += 1) {
    const xx = x * x
    const yy = y * y
    if (xx + yy > ESCAPE_RADIUS_SQUARED) return Math.max(0.0625, n + 1 - Math.log2(Math.log2(xx + yy) / 2))
    y = 2 * x * y + cy
    x = xx - yy + cx
  }
  return 0
}

export const renderTile = remote((request: TileRequest): TileResult => {
  const { nodeId } = context()
  const start = performance.now()
  const times = new Uint16Array(request.columns * request.rows)
  for (let row = 0; row < request.rows; row += 1) {
    for (let column = 0; column < request.columns; column += 1) {
      const time = escapeTime(request.x + column * request.step, request.y + row * request.step, request.maxIterations)
      times[row * request.columns + column] = Math.min(65535, Math.round(time * 16))
    }
  }
  return { times, nodeId, cpuMs: performance.now() - start }
})

/** Draws the gallery: small boards, each framed in the colour of the tab that played it and marked with its letter. */
import type { TabMarks } from '../../model/tab-marks.ts'
import { COLUMNS, ROWS, winningCells } from './board.ts'
import type { Gallery, Shown } from './gallery.ts'

export const GALLERY_SIZE = 24
const GAP = 6
const FRAME = 3
const LABEL_HEIGHT = 14
export const DISCS = { first: '#f6ead0', second: '#e2552b', plate: '#12485a', hole: '#0a222c' } as const

export interface GalleryGrid {
  readonly columns: number
  readonly cellWidth: number
  readonly cellHeight: number
  readonly height: number
}

/** As many columns as make whole rows: 12, 8 or 6. */
export function galleryGrid(width: number): GalleryGrid {
  const columns = width >= 720 ? 12 : width >= 460 ? 8 : 6
  const cellWidth = (width + GAP) / columns
  const boardWidth = cellWidth - GAP - 2 * FRAME
  const cellHeight = Math.round((boardWidth / COLUMNS) * ROWS) + 2 * FRAME + LABEL_HEIGHT + GAP
  return { columns, cellWidth, cellHeight, height: (GALLERY_SIZE / columns) * cellHeight - GAP }
}

/** @param width of the canvas in CSS pixels. */
export function drawGallery(canvas: CanvasRenderingContext2D, width: number, gallery: Gallery, marks: TabMarks): void {
  const { columns, cellWidth, cellHeight, height } = galleryGrid(width)
  canvas.clearRect(0, 0, width, height)
  for (let i = 0; i < gallery.size; i += 1) {
    const shown = gallery.at(i)
    canvas.save()
    canvas.translate((i % columns) * cellWidth, Math.floor(i / columns) * cellHeight)
    drawGame(canvas, shown, marks, cellWidth - GAP, cellHeight - GAP)
    canvas.restore()
  }
}

function drawGame(
  canvas: CanvasRenderingContext2D,
  shown: Shown | undefined,
  marks: TabMarks,
  width: number,
  height: number,
): void {
  const mark = shown === undefined ? undefined : marks.of(shown.nodeId)
  canvas.beginPath()
  canvas.roundRect(0, 0, width, height, 5)
  canvas.fillStyle = mark?.color ?? DISCS.plate
  canvas.globalAlpha = mark === undefined ? 0.25 : 1
  canvas.fill()
  if (shown === undefined || mark === undefined) {
    canvas.globalAlpha = 1
    return
  }
  canvas.fillStyle = mark.ink
  canvas.font = '700 11px system-ui, sans-serif'
  canvas.textBaseline = 'middle'
  canvas.textAlign = 'center'
  canvas.fillText(mark.label, width / 2, height - LABEL_HEIGHT / 2 - 1)
  canvas.translate(FRAME, FRAME)
  drawBoard(canvas, shown, (width - 2 * FRAME) / COLUMNS)
}

function drawBoard(canvas: CanvasRenderingContext2D, { board }: Shown, cell: number): void {
  const four = winningCells(board)
  canvas.fillStyle = DISCS.plate
  canvas.fillRect(0, 0, cell * COLUMNS, cell * ROWS)
  const centre = (i: number): readonly [number, number] => [
    ((i % COLUMNS) + 0.5) * cell,
    (ROWS - 0.5 - Math.floor(i / COLUMNS)) * cell,
  ]
  board.forEach((disc, i) => {
    const [x, y] = centre(i)
    canvas.globalAlpha = disc === 0 || four.length === 0 || four.includes(i) ? 1 : 0.65
    canvas.fillStyle = disc === 0 ? DISCS.hole : disc === 1 ? DISCS.first : DISCS.second
    canvas.beginPath()
    canvas.arc(x, y, cell * 0.4, 0, 2 * Math.PI)
    canvas.fill()
  })
  canvas.globalAlpha = 1
  if (four.length === 0) return
  canvas.beginPath()
  canvas.moveTo(...centre(four[0] ?? 0))
  canvas.lineTo(...centre(four.at(-1) ?? 0))
  canvas.lineCap = 'round'
  for (const [color, width] of [
    ['#06222a', cell * 0.34],
    ['#ffffff', cell * 0.18],
  ] as const) {
    canvas.strokeStyle = color
    canvas.lineWidth = width
    canvas.stroke()
  }
}

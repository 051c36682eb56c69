/** Draws the wall: small multiples of CartPole or Pendulum, each in the colour of the tab that ran it. */
import type { TabMarks } from '../../model/tab-marks.ts'
import { episodeLength, stateAt } from '../episode.ts'
import type { Episode } from '../episode.ts'
import type { Wall } from '../wall.ts'
import { chooseGrid } from './wall-layout.ts'

/** How one environment is drawn, in a cell whose corner is the origin. */
export interface Sketch {
  /** Width / height of a picture. */
  readonly aspect: number
  /** Draw how far the episode came, of this many steps; undefined where all episodes are equally long. */
  readonly maxSteps: number | undefined
  /** How much of the tab's colour the ground takes, 0 to 1. */
  glow(state: Float32Array): number
  draw(canvas: CanvasRenderingContext2D, state: Float32Array, width: number, height: number, color: string): void
}

const STAGE = '#0c141b'
const CELL = '#131f29'
const INK = '#e8eef2'
const GROUND = '#3b4d5c'

export const CART_POLE_SKETCH: Sketch = {
  aspect: 1.35,
  maxSteps: 500,
  glow: () => 0.2,
  draw(canvas, state, width, height, color) {
    const ground = height * 0.76
    const unit = width / 5.4 // the cart may go to +-2.4
    const x = width / 2 + (state[0] ?? 0) * unit
    const angle = state[2] ?? 0
    canvas.fillStyle = GROUND
    canvas.fillRect(width * 0.05, ground, width * 0.9, 1)
    const cartWidth = Math.max(8, width * 0.22)
    const cartHeight = Math.max(4, height * 0.12)
    const pole = height * 0.5
    canvas.strokeStyle = INK
    canvas.lineCap = 'round'
    canvas.lineWidth = Math.max(1.5, width * 0.03)
    canvas.beginPath()
    canvas.moveTo(x, ground - cartHeight)
    canvas.lineTo(x + Math.sin(angle) * pole, ground - cartHeight - Math.cos(angle) * pole)
    canvas.stroke()
    canvas.fillStyle = color
    canvas.beginPath()
    canvas.roundRect(x - cartWidth / 2, ground - cartHeight, cartWidth, cartHeight, 2)
    canvas.fill()
  },
}

export const PENDULUM_SKETCH: Sketch = {
  aspect: 1,
  maxSteps: undefined,
  // Brighter the higher the weight is: what it is rewarded for.
  glow: (state) => 0.1 + 0.35 * ((1 + Math.cos(state[0] ?? 0)) / 2) ** 4,
  draw(canvas, state, width, height, color) {
    const x = width / 2
    const y = height * 0.52
    const length = Math.min(width, height) * 0.36
    const angle = state[0] ?? 0
    canvas.strokeStyle = GROUND
    canvas.lineWidth = 1
    canvas.beginPath()
    canvas.arc(x, y, length, 0, 2 * Math.PI)
    canvas.stroke()
    const tipX = x + Math.sin(angle) * length
    const tipY = y - Math.cos(angle) * length
    canvas.strokeStyle = INK
    canvas.lineCap = 'round'
    canvas.lineWidth = Math.max(1.5, width * 0.03)
    canvas.beginPath()
    canvas.moveTo(x, y)
    canvas.lineTo(tipX, tipY)
    canvas.stroke()
    canvas.fillStyle = color
    canvas.beginPath()
    canvas.arc(tipX, tipY, Math.max(3, length * 0.24), 0, 2 * Math.PI)
    canvas.fill()
  },
}

const GAP = 2
/** The wall shows this many cells, or a few more to fill its rows. */
export const LEAST_CELLS = 64
export const MOST_CELLS = 72
const scratch = new Float32Array(8)

/** @param size of the canvas in CSS pixels. */
export function drawWall(
  canvas: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number },
  wall: Wall,
  sketch: Sketch,
  marks: TabMarks,
  nowMs: number,
): void {
  canvas.fillStyle = STAGE
  canvas.fillRect(0, 0, size.width, size.height)
  // Its place is for the words that say what will come.
  if (wall.isEmpty) return
  const grid = chooseGrid(LEAST_CELLS, MOST_CELLS, size.width - GAP, size.height - GAP, sketch.aspect)
  for (let i = 0; i < grid.columns * grid.rows; i += 1) {
    canvas.save()
    canvas.translate(GAP + (i % grid.columns) * grid.cellWidth, GAP + Math.floor(i / grid.columns) * grid.cellHeight)
    const width = grid.cellWidth - GAP
    const height = grid.cellHeight - GAP
    canvas.fillStyle = CELL
    canvas.fillRect(0, 0, width, height)
    const cell = wall.at(i)
    if (cell !== undefined) drawCell(canvas, cell.episode, wall.stepOf(cell, nowMs), sketch, marks, width, height)
    canvas.restore()
  }
}

function drawCell(
  canvas: CanvasRenderingContext2D,
  episode: Episode,
  step: number,
  sketch: Sketch,
  marks: TabMarks,
  width: number,
  height: number,
): void {
  const { color, label } = marks.of(episode.nodeId)
  const hasFallen = sketch.maxSteps !== undefined && step >= episodeLength(episode) && step < sketch.maxSteps
  stateAt(episode, step, scratch)
  canvas.globalAlpha = sketch.glow(scratch)
  canvas.fillStyle = color
  canvas.fillRect(0, 0, width, height)
  canvas.globalAlpha = hasFallen ? 0.4 : 1
  canvas.save()
  canvas.beginPath()
  canvas.rect(0, 0, width, height)
  canvas.clip()
  sketch.draw(canvas, scratch, width, height, color)
  canvas.restore()
  canvas.fillStyle = color
  if (sketch.maxSteps !== undefined) canvas.fillRect(0, height - 3, (width * step) / sketch.maxSteps, 3)
  if (width >= 34) {
    canvas.globalAlpha = 0.8
    canvas.fillStyle = INK
    canvas.font = '600 9px system-ui, sans-serif'
    canvas.textBaseline = 'top'
    canvas.fillText(label, 3, 3)
  }
  canvas.globalAlpha = 1
}

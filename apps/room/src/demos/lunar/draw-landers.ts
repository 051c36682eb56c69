/** Draws the ground, the ghosts of flights in their tabs' colours, and a person's own lander. Lengths in metres, y upwards. */
import { HEIGHT, LEG_DOWN, SCALE, WIDTH } from '@shoal/rl/lunar-lander'
import type { TabMark, TabMarks } from '../../model/tab-marks.ts'
import { episodeLength, stateAt } from '../episode.ts'
import type { Wall } from '../wall.ts'
import { STATE_SIZE } from './flight.ts'
import type { Flight, Outcome } from './flight.ts'
import type { Control, Pilot, Pose } from './pilot.ts'

export interface Scene {
  readonly wall: Wall<Flight>
  readonly pilot: Pilot
  readonly ground: readonly { readonly x: number; readonly y: number }[]
  readonly marks: TabMarks
  /** How fast ghosts play. */
  readonly stepsPerSecond: number
  readonly holdMs: number
}

const SKY = '#0c141b'
const GROUND = '#22313d'
const EDGE = '#587083'
const INK = '#e8eef2'
const FLAME = '#ffd08a'
/** Above the place where landers start. */
const HEADROOM = 0.9
/** Steps of a ghost's trail, one point every few. */
const TRAIL_STEPS = 90
const TRAIL_EVERY = 5
const HULL = [
  [-14, 17],
  [-17, 0],
  [-17, -10],
  [17, -10],
  [17, 0],
  [14, 17],
] as const
const GLYPHS: Readonly<Record<Outcome, string>> = { landed: '✓', crashed: '×', 'out of time': '–' }
const scratch = new Float32Array(STATE_SIZE)

/** World to canvas: the world's width in the middle, the ground's line at the bottom. */
interface View {
  readonly scale: number
  readonly left: number
  /** Of the world's bottom, from the top. */
  readonly height: number
}

/** @param size of the canvas in CSS pixels, with so much ground `below` the world's own bottom. */
export function drawLanders(
  canvas: CanvasRenderingContext2D,
  size: { readonly width: number; readonly height: number; readonly below: number },
  scene: Scene,
  nowMs: number,
): void {
  const height = size.height - size.below
  const scale = Math.min(height / (HEIGHT + HEADROOM), size.width / WIDTH)
  const view: View = { scale, left: (size.width - WIDTH * scale) / 2, height }
  canvas.fillStyle = SKY
  canvas.fillRect(0, 0, size.width, size.height)
  drawStars(canvas, size)
  drawGround(canvas, size, view, scene.ground)
  const isFlown = scene.pilot.state.peek().kind !== 'off'
  for (let i = 0; i < scene.wall.size; i += 1) {
    const cell = scene.wall.at(i)
    if (cell === undefined) continue
    const flight = cell.episode
    const endedMs = nowMs - cell.startMs - (episodeLength(flight) / scene.stepsPerSecond) * 1000
    drawGhost(canvas, view, flight, scene.wall.stepOf(cell, nowMs), scene.marks.of(flight.nodeId), {
      alpha: isFlown ? 0.4 : 0.85,
      // How far through its last moment, below 0 while it flies.
      ended: endedMs < 0 ? -1 : Math.min(1, endedMs / scene.holdMs),
    })
  }
  if (isFlown) drawPilot(canvas, view, scene.pilot)
}

function drawStars(canvas: CanvasRenderingContext2D, { width, height }: { width: number; height: number }): void {
  canvas.fillStyle = '#31424f'
  for (let i = 1; i <= 70; i += 1) {
    // Golden-ratio steps lie evenly without looking like a grid.
    const size = 1 + (i % 3) * 0.4
    canvas.fillRect(((i * 0.6180339887) % 1) * width, ((i * 0.7548776662) % 1) * height * 0.8, size, size)
  }
}

function drawGround(
  canvas: CanvasRenderingContext2D,
  { width, height }: { readonly width: number; readonly height: number },
  view: View,
  ground: Scene['ground'],
): void {
  const line = (): void => {
    canvas.beginPath()
    canvas.moveTo(0, yOf(view, ground[0]?.y ?? 0))
    for (const { x, y } of ground) canvas.lineTo(xOf(view, x), yOf(view, y))
    canvas.lineTo(width, yOf(view, ground.at(-1)?.y ?? 0))
  }
  line()
  canvas.lineTo(width, height)
  canvas.lineTo(0, height)
  canvas.fillStyle = GROUND
  canvas.fill()
  line()
  canvas.strokeStyle = EDGE
  canvas.lineWidth = 1.5
  canvas.stroke()
  if (view.left > 1) {
    // Who leaves the middle is lost.
    canvas.fillStyle = 'rgb(4 8 12 / 45%)'
    canvas.fillRect(0, 0, view.left, height)
    canvas.fillRect(width - view.left, 0, view.left, height)
  }
  drawPad(canvas, view, ground)
}

function drawPad(canvas: CanvasRenderingContext2D, view: View, ground: Scene['ground']): void {
  const middle = (ground.length - 1) / 2
  const [from, to] = [ground[middle - 1], ground[middle + 1]]
  if (from === undefined || to === undefined) return
  canvas.strokeStyle = INK
  canvas.lineWidth = 3
  canvas.beginPath()
  canvas.moveTo(xOf(view, from.x), yOf(view, from.y))
  canvas.lineTo(xOf(view, to.x), yOf(view, to.y))
  canvas.stroke()
  canvas.lineWidth = 1.5
  const pole = 1.4 * view.scale
  for (const { x, y } of [from, to]) {
    const [left, bottom] = [xOf(view, x), yOf(view, y)]
    canvas.beginPath()
    canvas.moveTo(left, bottom)
    canvas.lineTo(left, bottom - pole)
    canvas.stroke()
    canvas.fillStyle = '#f0e442'
    canvas.beginPath()
    canvas.moveTo(left, bottom - pole)
    canvas.lineTo(left + pole * 0.55, bottom - pole * 0.8)
    canvas.lineTo(left, bottom - pole * 0.6)
    canvas.fill()
  }
}

function drawGhost(
  canvas: CanvasRenderingContext2D,
  view: View,
  flight: Flight,
  step: number,
  mark: TabMark,
  { alpha, ended }: { readonly alpha: number; readonly ended: number },
): void {
  const { states, stateSize } = flight
  canvas.strokeStyle = mark.color
  canvas.lineWidth = 1
  canvas.globalAlpha = alpha * 0.35
  canvas.beginPath()
  const last = Math.floor(step)
  for (let at = Math.max(0, last - TRAIL_STEPS); at <= last; at += TRAIL_EVERY) {
    canvas.lineTo(xOf(view, states[at * stateSize] ?? 0), yOf(view, states[at * stateSize + 1] ?? 0))
  }
  stateAt(flight, step, scratch)
  const [x = 0, y = 0, angle = 0] = scratch
  canvas.lineTo(xOf(view, x), yOf(view, y))
  canvas.stroke()

  const hull = { x, y, angle }
  const row = Math.min(last + 1, episodeLength(flight)) * stateSize
  canvas.globalAlpha = alpha
  if (ended < 0) {
    const side = states[row + 4] ?? 0
    const fired = states[row + 3] === 1 ? 'main' : side < 0 ? 'left' : side > 0 ? 'right' : undefined
    drawPlume(canvas, view, hull, fired, step)
  }
  const fade = ended < 0 ? 1 : 1 - 0.7 * ended
  canvas.globalAlpha = alpha * fade
  drawLander(canvas, view, hull, restingLegs(hull), mark.color, '#0b1117')
  if (view.scale >= 20) drawLabel(canvas, view, hull, mark)
  if (ended >= 0) drawOutcome(canvas, view, hull, flight.outcome, ended)
  canvas.globalAlpha = 1
}

function drawPilot(canvas: CanvasRenderingContext2D, view: View, pilot: Pilot): void {
  const [hull, ...legs] = pilot.poses()
  drawPlume(canvas, view, hull, pilot.fired, performance.now() / 20)
  drawLander(canvas, view, hull, legs, '#ffffff', '#000000')
  canvas.fillStyle = INK
  canvas.font = '700 12px system-ui, sans-serif'
  canvas.textAlign = 'center'
  canvas.textBaseline = 'bottom'
  const top = Math.max(16, yOf(view, hull.y) - 0.95 * view.scale - 4)
  canvas.fillText(`you ${Math.round(pilot.score)}`.replace('-', '−'), xOf(view, hull.x), top)
}

/** Where legs stand that nobody recorded. */
function restingLegs(hull: Pose): Pose[] {
  return [-1, 1].map((side) => {
    const [x, y] = turned(hull, (-side * 20) / SCALE, -LEG_DOWN)
    return { x, y, angle: hull.angle - side * 0.35 }
  })
}

function drawLander(
  canvas: CanvasRenderingContext2D,
  view: View,
  hull: Pose,
  legs: readonly Pose[],
  fill: string,
  line: string,
): void {
  canvas.lineCap = 'round'
  for (const leg of legs) {
    canvas.strokeStyle = fill
    canvas.lineWidth = Math.max(1.5, (4 / SCALE) * view.scale)
    canvas.beginPath()
    for (const end of [8, -8]) {
      const [x, y] = turned(leg, 0, end / SCALE)
      canvas.lineTo(xOf(view, x), yOf(view, y))
    }
    canvas.stroke()
  }
  canvas.beginPath()
  for (const [dx, dy] of HULL) {
    const [x, y] = turned(hull, dx / SCALE, dy / SCALE)
    canvas.lineTo(xOf(view, x), yOf(view, y))
  }
  canvas.closePath()
  canvas.fillStyle = fill
  canvas.fill()
  canvas.strokeStyle = line
  canvas.lineWidth = 1
  canvas.stroke()
}

function drawPlume(
  canvas: CanvasRenderingContext2D,
  view: View,
  hull: Pose,
  fired: Control | undefined,
  step: number,
): void {
  if (fired === undefined) return
  const length = (fired === 'main' ? 22 : 12) * (0.8 + 0.2 * Math.sin(step * 2.1))
  // What turns it left blows to the right.
  const side = fired === 'left' ? 1 : -1
  const corners: readonly (readonly [number, number])[] =
    fired === 'main'
      ? [
          [-7, -10],
          [0, -10 - length],
          [7, -10],
        ]
      : [
          [side * 17, 8],
          [side * (17 + length), 5],
          [side * 17, 2],
        ]
  canvas.beginPath()
  for (const [dx, dy] of corners) {
    const [x, y] = turned(hull, dx / SCALE, dy / SCALE)
    canvas.lineTo(xOf(view, x), yOf(view, y))
  }
  canvas.fillStyle = FLAME
  canvas.fill()
}

function drawLabel(canvas: CanvasRenderingContext2D, view: View, hull: Pose, mark: TabMark): void {
  canvas.fillStyle = mark.ink
  canvas.font = `700 ${Math.round(0.42 * view.scale)}px system-ui, sans-serif`
  canvas.textAlign = 'center'
  canvas.textBaseline = 'middle'
  canvas.fillText(mark.label, xOf(view, hull.x), yOf(view, hull.y + 0.08))
}

/** A ring that widens, and a sign that tells the three ends apart without colours. */
function drawOutcome(canvas: CanvasRenderingContext2D, view: View, hull: Pose, outcome: Outcome, ended: number): void {
  const [x, y] = [xOf(view, hull.x), yOf(view, hull.y)]
  canvas.globalAlpha = 1 - 0.8 * ended
  canvas.strokeStyle = outcome === 'landed' ? '#6fd3a0' : outcome === 'crashed' ? '#ff8a5c' : '#9db0bd'
  canvas.lineWidth = 2
  canvas.beginPath()
  canvas.arc(x, y, (0.5 + 0.7 * ended) * view.scale, 0, 2 * Math.PI)
  canvas.stroke()
  canvas.fillStyle = canvas.strokeStyle
  canvas.font = `700 ${Math.max(14, Math.round(0.7 * view.scale))}px system-ui, sans-serif`
  canvas.textAlign = 'center'
  canvas.textBaseline = 'bottom'
  canvas.fillText(GLYPHS[outcome], x, y - 0.7 * view.scale)
}

/** A point of a body, given in the body's own directions. */
function turned({ x, y, angle }: Pose, dx: number, dy: number): [number, number] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return [x + dx * cos - dy * sin, y + dx * sin + dy * cos]
}

function xOf(view: View, x: number): number {
  return view.left + x * view.scale
}

function yOf(view: View, y: number): number {
  return view.height - y * view.scale
}

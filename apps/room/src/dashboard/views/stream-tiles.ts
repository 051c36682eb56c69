import { DISK, FAILED, faint, functionColor, PAPER, TRANSFER } from '../model/function-colors.ts'
import type { RunStore } from '../model/run-store.ts'
import type { StreamLayout } from '../model/stream-layout.ts'

/** CSS pixels of time that one tile covers. */
const TILE_WIDTH = 512
const MOST_TILES = 12
/** Runs drawn between two looks at the clock. */
const CHUNK = 256

interface Tile {
  readonly canvas: HTMLCanvasElement
  readonly context: CanvasRenderingContext2D
  readonly fromMs: number
  readonly toMs: number
  /** The number of the next run to be looked at. */
  next: number
  usedAt: number
}

/**
 * The runs that have ended, drawn once each on pieces of a long strip of paper; a frame only pushes the pieces along. What is
 * drawn in a frame is bounded by time, so that many runs, or another zoom, take several frames and hold up none.
 */
export class StreamTiles {
  readonly #store: RunStore
  #tiles = new Map<number, Tile>()
  #key = ''
  #uses = 0

  constructor(store: RunStore) {
    this.#store = store
  }

  /** Draws what is between the two times; false: some of it is not drawn yet. */
  draw(
    target: CanvasRenderingContext2D,
    layout: StreamLayout,
    { fromMs, msPerPx, width, left, scale }: StreamView,
    budgetMs: number,
  ): boolean {
    const key = `${layout.key} ${msPerPx} ${scale}`
    if (key !== this.#key) {
      this.#tiles.clear()
      this.#key = key
    }
    const tileMs = TILE_WIDTH * msPerPx
    const deadline = performance.now() + budgetMs
    let isDone = true
    const last = Math.floor((fromMs + width * msPerPx) / tileMs)
    // The newest first: that is where people look.
    for (let place = last; place >= Math.floor(fromMs / tileMs); place--) {
      const tile = this.#tile(place, tileMs, layout, scale)
      if (!this.#fill(tile, layout, msPerPx, deadline)) isDone = false
      const x = left + (tile.fromMs - fromMs) / msPerPx
      target.drawImage(tile.canvas, x, 0, TILE_WIDTH, layout.height)
    }
    this.#drop()
    return isDone
  }

  clear(): void {
    this.#tiles.clear()
    this.#key = ''
  }

  #tile(place: number, tileMs: number, layout: StreamLayout, scale: number): Tile {
    let tile = this.#tiles.get(place)
    if (tile === undefined) {
      const canvas = document.createElement('canvas')
      canvas.width = TILE_WIDTH * scale
      canvas.height = Math.max(1, layout.height * scale)
      const context = canvas.getContext('2d', { alpha: false })
      if (context === null) throw new Error('this browser draws no canvas')
      context.scale(scale, scale)
      context.fillStyle = PAPER
      context.fillRect(0, 0, TILE_WIDTH, layout.height)
      tile = { canvas, context, fromMs: place * tileMs, toMs: (place + 1) * tileMs, next: this.#store.first, usedAt: 0 }
      this.#tiles.set(place, tile)
    }
    tile.usedAt = ++this.#uses
    return tile
  }

  #fill(tile: Tile, layout: StreamLayout, msPerPx: number, deadline: number): boolean {
    const store = this.#store
    tile.next = Math.max(tile.next, store.first)
    while (tile.next < store.next) {
      if (performance.now() > deadline) return false
      let drawn = 0
      // Looking costs little, drawing more.
      for (let looked = 0; looked < CHUNK * 16 && drawn < CHUNK && tile.next < store.next; looked++) {
        const seq = tile.next++
        if (store.endOf(seq) < tile.fromMs || store.startOf(seq) - store.fetchedOf(seq) > tile.toMs) continue
        drawRun(tile.context, store, seq, layout, (ms) => (ms - tile.fromMs) / msPerPx)
        drawn++
      }
    }
    return true
  }

  #drop(): void {
    if (this.#tiles.size <= MOST_TILES) return
    const oldest = [...this.#tiles].sort(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [place] of oldest.slice(0, this.#tiles.size - MOST_TILES)) this.#tiles.delete(place)
  }
}

/** What of the stream is seen: times in milliseconds, the rest in CSS pixels. */
export interface StreamView {
  readonly fromMs: number
  readonly msPerPx: number
  readonly width: number
  readonly left: number
  readonly scale: number
}

const LABEL_WIDTH = 46

function drawRun(
  context: CanvasRenderingContext2D,
  store: RunStore,
  seq: number,
  { yOf, rowHeight }: StreamLayout,
  xOf: (ms: number) => number,
): void {
  const y = yOf[store.laneOf(seq)] ?? -1
  if (y < 0) return
  const name = store.nameOf(seq)
  const waited = store.waitedOf(seq)
  drawBar(context, y, rowHeight, xOf(store.startOf(seq)), xOf(store.endOf(seq)), {
    color: functionColor(name),
    label: store.names[name] ?? '',
    hasFailed: store.outcomeOf(seq) !== 1,
    blockedShare: store.blockedOf(seq) / Math.max(0.001, store.endOf(seq) - store.startOf(seq)),
    fetched:
      waited === 0
        ? undefined
        : { color: waited === 1 ? TRANSFER : DISK, x: xOf(store.startOf(seq) - store.fetchedOf(seq)) },
  })
}

export interface Bar {
  readonly color: string
  readonly label: string
  readonly hasFailed: boolean
  /** Of its time, what it waited for others: the upper part of the bar is faint over so much of its height. */
  readonly blockedShare: number
  readonly fetched: { readonly color: string; readonly x: number } | undefined
}

/** A run: filled while it ran; its wait for bytes a thin line before it; black with a cross where it failed. */
export function drawBar(
  context: CanvasRenderingContext2D,
  y: number,
  height: number,
  x0: number,
  x1: number,
  bar: Bar,
): void {
  const inner = height > 5 ? height - 1 : height
  const width = Math.max(1, x1 - x0 - (x1 - x0 > 3 ? 0.5 : 0))
  if (bar.fetched !== undefined && bar.fetched.x < x0) {
    context.fillStyle = bar.fetched.color
    const thick = Math.max(1, Math.round(inner / 3))
    context.fillRect(bar.fetched.x, y + inner - thick, Math.max(1, x0 - bar.fetched.x), thick)
  }
  context.fillStyle = bar.hasFailed ? FAILED : bar.color
  if (!bar.hasFailed && bar.blockedShare > 0.05) {
    const solid = Math.max(1, Math.round(inner * (1 - Math.min(1, bar.blockedShare))))
    context.fillRect(x0, y + inner - solid, width, solid)
    context.fillStyle = faint(bar.color)
    context.fillRect(x0, y, width, inner - solid)
  } else context.fillRect(x0, y, width, inner)
  if (bar.hasFailed && inner >= 8 && width >= 8) {
    context.strokeStyle = '#ffffff'
    context.lineWidth = 1.5
    context.beginPath()
    context.moveTo(x0 + 2, y + 2)
    context.lineTo(x0 + 6, y + 6)
    context.moveTo(x0 + 6, y + 2)
    context.lineTo(x0 + 2, y + 6)
    context.stroke()
  }
  if (inner < 11 || width < LABEL_WIDTH) return
  context.save()
  context.beginPath()
  context.rect(x0, y, width, inner)
  context.clip()
  context.fillStyle = '#ffffff'
  context.font = '11px system-ui, sans-serif'
  context.textBaseline = 'middle'
  context.fillText(bar.label, x0 + (bar.hasFailed ? 11 : 4), y + inner / 2 + 0.5)
  context.restore()
}

/**
 * The task stream on its canvas: what is seen of time, and one drawing a frame while something moves. It is told of pointers and
 * keys and knows no component. States: following (the right edge is now) <-> standing (a span that people chose) -> closed.
 */
import { functionColor, PAPER } from '../model/function-colors.ts'
import type { OpenRun, RunStore } from '../model/run-store.ts'
import { layOut } from '../model/stream-layout.ts'
import type { StreamLayout } from '../model/stream-layout.ts'
import { drawBar, StreamTiles } from './stream-tiles.ts'

export type Picked = { readonly kind: 'run'; readonly seq: number } | { readonly kind: 'open'; readonly run: OpenRun }

export interface StreamCanvasOptions {
  readonly canvas: HTMLCanvasElement
  readonly store: RunStore
  labelOf(nodeId: string): { readonly label: string; readonly color: string; readonly ink: string }
  now(): number
  /** What there is to say beside the picture; a few times a second. */
  changed(facts: StreamFacts): void
}

export interface StreamFacts {
  readonly isFollowing: boolean
  readonly spanMs: number
  readonly rows: number
  readonly hidden: number
}

const LEFT = 34
const AXIS = 20
const LEAST_SPAN_MS = 20
const MOST_SPAN_MS = 300_000
/** A worker keeps its row so long after its last run. */
const KEEPS_ROW_MS = 20_000
/** Of a frame, for drawing runs. */
const BUDGET_MS = 3

export class StreamCanvas {
  readonly #options: StreamCanvasOptions
  readonly #context: CanvasRenderingContext2D
  readonly #tiles: StreamTiles
  #layout: StreamLayout | undefined
  #laidOutAt = 0
  #lanes = 0
  #width = 0
  #wantedHeight = 360
  #spanMs = 12_000
  /** The right edge; undefined while it follows. */
  #endMs: number | undefined
  #selected: Picked | undefined
  #frame = 0
  #toldAt = 0

  constructor(options: StreamCanvasOptions) {
    this.#options = options
    const context = options.canvas.getContext('2d')
    if (context === null) throw new Error('this browser draws no canvas')
    this.#context = context
    this.#tiles = new StreamTiles(options.store)
    this.#frame = requestAnimationFrame(this.#draw)
  }

  close(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    this.#tiles.clear()
  }

  resize(width: number, wantedHeight: number): void {
    this.#width = width
    this.#wantedHeight = wantedHeight
    this.#laidOutAt = 0
  }

  follow(isOn: boolean): void {
    this.#endMs = isOn ? undefined : this.#end()
  }

  select(picked: Picked | undefined): void {
    this.#selected = picked
    if (picked?.kind !== 'run') return
    const { store } = this.#options
    const [start, end] = [store.startOf(picked.seq), store.endOf(picked.seq)]
    const from = this.#end() - this.#spanMs
    if (start < from || end > this.#end()) this.#endMs = (start + end) / 2 + this.#spanMs / 2
  }

  /** `factor` below 1 shows less time; `atX` stays where it is. */
  zoom(factor: number, atX = this.#width): void {
    const end = this.#end()
    const share = Math.min(1, Math.max(0, (atX - LEFT) / Math.max(1, this.#width - LEFT)))
    const at = end - this.#spanMs * (1 - share)
    const span = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, this.#spanMs * factor))
    if (this.#endMs !== undefined || share < 0.98) this.#endMs = at + span * (1 - share)
    this.#spanMs = span
  }

  /** To later times with a positive number of pixels. */
  pan(pixels: number): void {
    const end = this.#end() + (pixels * this.#spanMs) / Math.max(1, this.#width - LEFT)
    this.#endMs = end >= this.#options.now() ? undefined : end
  }

  at(x: number, y: number): Picked | undefined {
    const layout = this.#layout
    if (layout === undefined || x < LEFT) return undefined
    const row = layout.rows.find((each) => y >= each.y && y < each.y + layout.rowHeight)
    if (row === undefined) return undefined
    const msPerPx = this.#spanMs / Math.max(1, this.#width - LEFT)
    const atMs = this.#end() - (this.#width - x) * msPerPx
    const { store } = this.#options
    for (const open of store.open.values())
      for (const run of open) if (run.lane === row.lane.index && atMs >= run.startMs) return { kind: 'open', run }
    const seq = store.find(row.lane.index, atMs, msPerPx * 4)
    return seq === undefined ? undefined : { kind: 'run', seq }
  }

  #end(): number {
    return this.#endMs ?? this.#options.now()
  }

  readonly #draw = (): void => {
    this.#frame = requestAnimationFrame(this.#draw)
    const { canvas, store, now } = this.#options
    if (this.#width <= LEFT || document.hidden) return
    const time = performance.now()
    const layout = this.#layOut(time)
    const scale = Math.min(2, devicePixelRatio)
    const height = layout.height + AXIS
    const [pixelWidth, pixelHeight] = [Math.round(this.#width * scale), Math.round(height * scale)]
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
      canvas.width = pixelWidth
      canvas.height = pixelHeight
      canvas.style.height = `${height}px`
    }
    const context = this.#context
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.fillStyle = PAPER
    context.fillRect(0, 0, this.#width, height)
    const endMs = this.#end()
    const plot = this.#width - LEFT
    const view = { fromMs: endMs - this.#spanMs, msPerPx: this.#spanMs / plot, width: plot, left: LEFT, scale }
    this.#tiles.draw(context, layout, view, BUDGET_MS)
    const xOf = (ms: number): number => LEFT + (ms - view.fromMs) / view.msPerPx
    for (const open of store.open.values())
      for (const run of open) {
        const y = layout.yOf[run.lane] ?? -1
        if (y < 0 || run.startMs > endMs) continue
        const lasted = Math.max(1, now() - run.startMs)
        const [x0, x1] = [Math.max(LEFT, xOf(run.startMs)), xOf(Math.min(endMs, now()))]
        if (x1 <= LEFT) continue
        const blockedShare = run.blockedMs / lasted
        const label = store.names[run.name] ?? ''
        drawBar(context, y, layout.rowHeight, x0, x1, {
          color: functionColor(run.name),
          label,
          hasFailed: false,
          blockedShare,
          fetched: undefined,
        })
        // Its right edge is open: it has not ended.
        context.fillStyle = PAPER
        context.fillRect(x1 - 2, y + 1, 1, layout.rowHeight - 2)
      }
    this.#drawSelected(layout, xOf)
    this.#drawFrame(layout, view.fromMs, endMs, xOf)
    if (time - this.#toldAt < 250) return
    this.#toldAt = time
    const { rows, hidden } = layout
    this.#options.changed({ isFollowing: this.#endMs === undefined, spanMs: this.#spanMs, rows: rows.length, hidden })
  }

  /** Anew when there is another worker, and now and then, since some fall silent. */
  #layOut(time: number): StreamLayout {
    const { store } = this.#options
    if (this.#layout !== undefined && this.#lanes === store.lanes.length && time - this.#laidOutAt < 2_000)
      return this.#layout
    const fresh = layOut(store, this.#end() - Math.max(this.#spanMs, KEEPS_ROW_MS), this.#wantedHeight)
    this.#lanes = store.lanes.length
    this.#laidOutAt = time
    this.#layout = fresh
    return fresh
  }

  #drawSelected(layout: StreamLayout, xOf: (ms: number) => number): void {
    const picked = this.#selected
    if (picked === undefined) return
    const { store } = this.#options
    const lane = picked.kind === 'run' ? store.laneOf(picked.seq) : picked.run.lane
    const y = layout.yOf[lane] ?? -1
    if (y < 0) return
    const x0 = xOf(picked.kind === 'run' ? store.startOf(picked.seq) : picked.run.startMs)
    const x1 = picked.kind === 'run' ? xOf(store.endOf(picked.seq)) : this.#width
    this.#context.strokeStyle = '#000000'
    this.#context.lineWidth = 2
    this.#context.strokeRect(
      Math.max(LEFT, x0) - 1,
      y - 1,
      Math.max(3, x1 - Math.max(LEFT, x0)) + 2,
      layout.rowHeight + 2,
    )
  }

  #drawFrame(layout: StreamLayout, fromMs: number, endMs: number, xOf: (ms: number) => number): void {
    const context = this.#context
    const { labelOf } = this.#options
    context.fillStyle = PAPER
    context.fillRect(0, 0, LEFT - 2, layout.height + AXIS)
    context.textBaseline = 'middle'
    context.textAlign = 'center'
    context.font = '600 11px system-ui, sans-serif'
    for (const { nodeId, y, height } of layout.bands) {
      const { label, color, ink } = labelOf(nodeId)
      context.fillStyle = color
      context.fillRect(2, y, LEFT - 6, Math.max(2, height - 1))
      if (height < 11) continue
      context.fillStyle = ink
      context.fillText(label, LEFT / 2 - 1, y + height / 2)
    }
    context.textAlign = 'left'
    context.font = '11px system-ui, sans-serif'
    context.fillStyle = '#4a5862'
    const step = niceStep((endMs - fromMs) / Math.max(2, (this.#width - LEFT) / 110))
    for (let ms = Math.ceil(fromMs / step) * step; ms <= endMs; ms += step) {
      const x = xOf(ms)
      context.fillRect(x, layout.height, 1, 4)
      if (x > this.#width - 60) continue
      context.fillText(timeText(ms, step), x + 3, layout.height + 11)
    }
  }
}

function niceStep(roughMs: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, roughMs)))
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= roughMs) ?? power * 10
}

function timeText(ms: number, step: number): string {
  const date = new Date(ms)
  const text = date.toTimeString().slice(0, 8)
  return step >= 1000 ? text : `${text.slice(6)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/**
 * Computes the tiles of one view at a time over the room, the middle first, and hands each to `onTile` as it arrives. Only a
 * few tasks a slot are out at a time: a new view drops what was not submitted yet instead of waiting for it.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { get } from '@shoal/sdk'
import { messageOf } from '../../model/message-of.ts'
import type { ViewAt } from '../../model/page-url.ts'
import { newReport, withWork } from '../../model/run-report.ts'
import type { RunReport } from '../../model/run-report.ts'
import { renderTile } from './mandelbrot.remote.ts'
import type { TileResult } from './mandelbrot.remote.ts'
import { requestOf, tilesOf } from './view.ts'
import type { Tile } from './view.ts'

export interface Picture {
  /** In points. */
  readonly width: number
  readonly height: number
}

export interface Progress {
  readonly tiles: number
  readonly done: number
  readonly elapsedMs: number
}

export interface MandelbrotRunOptions {
  /** Slots of the room, this tab's included. */
  readonly slots: () => number
  readonly onTile: (tile: Tile, result: TileResult) => void
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
}

export const TILE_SIZE = 96
const IN_FLIGHT_PER_SLOT = 3

export class MandelbrotRun {
  readonly #options: MandelbrotRunOptions
  readonly #report = signal<RunReport | undefined>(undefined)
  readonly #progress = signal<Progress | undefined>(undefined)
  #abort: AbortController | undefined

  readonly report: ReadonlySignal<RunReport | undefined> = this.#report
  readonly progress: ReadonlySignal<Progress | undefined> = this.#progress

  constructor(options: MandelbrotRunOptions) {
    this.#options = options
  }

  /** Never rejects: the report says how it ended. */
  async start(view: ViewAt, picture: Picture): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    const queue = tilesOf(picture.width, picture.height, TILE_SIZE)
    const startMs = this.#options.nowMs()
    this.#publish(newReport('mandelbrot', 'running'))
    this.#progress.value = { tiles: queue.length, done: 0, elapsedMs: 0 }

    const waiting = queue.values()
    const pull = async (): Promise<void> => {
      for (const tile of waiting) {
        const result = await this.#compute(tile, view, picture, abort.signal)
        this.#take(tile, result, startMs)
      }
    }
    // Workers share one iterator: whoever is free takes the next tile.
    const count = Math.max(2, IN_FLIGHT_PER_SLOT * this.#options.slots())
    let end: Partial<RunReport> = { state: 'done', solved: true }
    try {
      await Promise.all(Array.from({ length: Math.min(count, queue.length) }, pull))
    } catch (error) {
      end = abort.signal.aborted ? { state: 'stopped' } : { state: 'failed', error: messageOf(error) }
      abort.abort()
    }
    if (this.#abort === abort) {
      this.#abort = undefined
      this.#change(end)
    }
  }

  stop(): void {
    this.#abort?.abort()
  }

  async #compute(tile: Tile, view: ViewAt, picture: Picture, stop: AbortSignal): Promise<TileResult> {
    stop.throwIfAborted()
    const ref = renderTile.remote(requestOf(tile, view, picture.width, picture.height))
    try {
      const result = await get(ref, { signal: stop })
      stop.throwIfAborted()
      return result
    } finally {
      ref.release()
    }
  }

  #take(tile: Tile, result: TileResult, startMs: number): void {
    // Another tab's answer: what does not fit the tile is a fault of that tab, not a picture.
    if (result.times.length !== tile.columns * tile.rows)
      throw new Error(`node ${result.nodeId} answered with ${result.times.length} points for a tile`)
    this.#options.onTile(tile, result)
    const report = this.#report.peek()
    const progress = this.#progress.peek()
    if (report === undefined || progress === undefined) return
    const elapsedMs = Math.max(1, this.#options.nowMs() - startMs)
    const done = progress.done + 1
    this.#progress.value = { ...progress, done, elapsedMs }
    this.#change({
      iteration: done,
      stepsPerSecond: (done * TILE_SIZE * TILE_SIZE * 1000) / elapsedMs,
      byNode: withWork(report.byNode, result.nodeId, { tasks: 1, cpuMs: result.cpuMs }),
    })
  }

  #publish(report: RunReport): void {
    this.#report.value = report
    this.#options.onReport(report)
  }

  #change(part: Partial<RunReport>): void {
    const report = this.#report.peek()
    if (report !== undefined) this.#publish({ ...report, ...part })
  }
}

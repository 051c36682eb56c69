/**
 * One training run after another, and what the page shows of them: the report, the learning curve, who works, bytes an
 * iteration. Whoever trains writes into it. It does not know what is trained, and it does not draw.
 * States: idle -> running -> idle; a run that begins while another is under way stops that one.
 */
import { batch, signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { messageOf } from '../model/message-of.ts'
import type { RunName } from '../model/page-url.ts'
import { Rate } from '../model/rate.ts'
import { newReport, withWork } from '../model/run-report.ts'
import type { NodeWork, RunReport } from '../model/run-report.ts'
import { emptyCurve } from './curve.ts'
import type { Curve } from './curve.ts'
import type { RoomTotals } from './room-totals.ts'

export interface TrainingBookOptions {
  readonly name: RunName
  readonly totals: () => RoomTotals
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
}

/** One iteration, as it is told to people. */
export interface IterationNote {
  /** From 0. */
  readonly iteration: number
  readonly meanReturn: number
  /** Undefined where it was not measured. */
  readonly evalReturn?: number | undefined
  /** Environment steps since the run began. */
  readonly steps: number
  readonly solved: boolean
}

const RATE_WINDOW_MS = 1000
/** Byte counts of links arrive a few times a second: the last ones, after a run has ended. */
const LATE_COUNTS_MS = 700

export class TrainingBook {
  readonly curve: Curve = emptyCurve()
  readonly #options: TrainingBookOptions
  readonly #report = signal<RunReport | undefined>(undefined)
  readonly #curveLength = signal(0)
  readonly #tabsAtWork = signal(0)
  readonly #bytesPerIteration = signal<number | undefined>(undefined)
  readonly #lastSeen = new Map<string, number>()
  #work: Readonly<Record<string, NodeWork>> = {}
  #rate = new Rate(RATE_WINDOW_MS)
  #tabs = 0
  #iterations = 0
  #lastMs = 0
  #bytes = { counted: 0, reading: 0 }
  #lateCounts: ReturnType<typeof setTimeout> | undefined
  #abort: AbortController | undefined

  readonly report: ReadonlySignal<RunReport | undefined> = this.#report
  /** How far the curve's arrays have grown. */
  readonly curveLength: ReadonlySignal<number> = this.#curveLength
  /** Tabs that gave results for the last iteration, or within a second before its end. */
  readonly tabsAtWork: ReadonlySignal<number> = this.#tabsAtWork
  readonly bytesPerIteration: ReadonlySignal<number | undefined> = this.#bytesPerIteration

  constructor(options: TrainingBookOptions) {
    this.#options = options
  }

  /** Trains until it is over or stopped. Never rejects: the report says how it ended. */
  async run(train: (stop: AbortSignal) => Promise<void>): Promise<void> {
    this.stop()
    const abort = new AbortController()
    this.#abort = abort
    this.#begin()
    let end: Pick<RunReport, 'state'> & Partial<Pick<RunReport, 'error'>> = { state: 'done' }
    try {
      await train(abort.signal)
    } catch (error) {
      end = abort.signal.aborted ? { state: 'stopped' } : { state: 'failed', error: messageOf(error) }
    }
    if (this.#abort !== abort) return
    this.#abort = undefined
    this.#change(end)
    this.#lateCounts = setTimeout(() => this.#countBytes(), LATE_COUNTS_MS)
  }

  stop(): void {
    this.#abort?.abort()
  }

  /** Of the run before nothing is left. */
  #begin(): void {
    clearTimeout(this.#lateCounts)
    const { iterations, meanReturns, evalReturns, turnouts } = this.curve
    for (const column of [iterations, meanReturns, evalReturns, turnouts]) column.length = 0
    const { bytes, tabs } = this.#options.totals()
    this.#bytes = { counted: 0, reading: bytes }
    this.#tabs = tabs
    this.#iterations = 0
    this.#work = {}
    this.#lastSeen.clear()
    this.#rate = new Rate(RATE_WINDOW_MS)
    this.#lastMs = this.#options.nowMs()
    this.#rate.add(this.#lastMs, 0)
    batch(() => {
      this.#curveLength.value = 0
      this.#tabsAtWork.value = 0
      this.#bytesPerIteration.value = undefined
      this.#publish(newReport(this.#options.name, 'running'))
    })
  }

  /** A tab gave results; shown with the next iteration. */
  addWork(nodeId: string, work: NodeWork): void {
    this.#lastSeen.set(nodeId, this.#options.nowMs())
    this.#work = withWork(this.#work, nodeId, work)
  }

  addIteration({ iteration, meanReturn, evalReturn, steps, solved }: IterationNote): void {
    const now = this.#options.nowMs()
    this.#rate.add(now, steps)
    const recentMs = Math.max(RATE_WINDOW_MS, now - this.#lastMs)
    this.#lastMs = now
    const change = this.#options.totals().tabs - this.#tabs
    this.#tabs += change
    this.#iterations += 1
    const { iterations, meanReturns, evalReturns, turnouts } = this.curve
    if (change !== 0) turnouts.push({ iteration: iteration + 1, change })
    iterations.push(iteration + 1)
    meanReturns.push(meanReturn)
    evalReturns.push(evalReturn ?? null)
    batch(() => {
      this.#curveLength.value = iterations.length
      this.#tabsAtWork.value = [...this.#lastSeen.values()].filter((at) => now - at <= recentMs).length
      this.#change({
        iteration: iteration + 1,
        meanReturn,
        ...(evalReturn === undefined ? {} : { evalReturn }),
        stepsPerSecond: this.#rate.value * 1000,
        solved,
        byNode: this.#work,
      })
      this.#countBytes()
    })
  }

  /** Averaged over the whole run. A link that is gone takes its count with it: only what is added counts. */
  #countBytes(): void {
    const reading = this.#options.totals().bytes
    this.#bytes = { counted: this.#bytes.counted + Math.max(0, reading - this.#bytes.reading), reading }
    if (this.#iterations > 0) this.#bytesPerIteration.value = this.#bytes.counted / this.#iterations
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

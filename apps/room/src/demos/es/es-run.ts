/**
 * One training run after another, over whatever tabs are in the room: drives the library's loop and keeps what the page shows
 * of it. The curve's arrays grow in place and `curveLength` says how far; episodes go to `onEpisode` as they come.
 * It does not draw.
 */
import { batch, signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { ES_SETTINGS, envSpec, trainEs } from '@shoal/rl'
import type { EsIteration, EsSettings, EsSettingsName, RolloutResult } from '@shoal/rl'
import { messageOf } from '../../model/message-of.ts'
import { Rate } from '../../model/rate.ts'
import { newReport, withWork } from '../../model/run-report.ts'
import type { RunReport } from '../../model/run-report.ts'
import type { Episode } from './wall-layout.ts'

export interface Curve {
  readonly iterations: number[]
  readonly meanReturns: number[]
  /** null where it was not measured. */
  readonly evalReturns: (number | null)[]
  readonly turnouts: Turnout[]
}

/** Tabs that came or went between two iterations. */
export interface Turnout {
  readonly iteration: number
  /** Positive: more than before. */
  readonly change: number
}

export interface RoomTotals {
  /** Tabs that work for this one, itself included. */
  readonly tabs: number
  /** Slots lent to this tab's work, its own included. */
  readonly slots: number
  /** Sent and received by this tab. */
  readonly bytes: number
}

export interface EsRunOptions {
  readonly name: EsSettingsName
  readonly totals: () => RoomTotals
  readonly onEpisode: (episode: Episode) => void
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
}

const RATE_WINDOW_MS = 1000
/** Byte counts of links arrive a few times a second: the last ones, after a run has ended. */
const LATE_COUNTS_MS = 700
/** So that a slow tab holds up an iteration by a fraction of its share only. */
const TASKS_PER_SLOT = 4
/** Each task brings one episode to draw. */
const LEAST_TASKS = 16

export class EsRun {
  readonly settings: EsSettings
  readonly curve: Curve = { iterations: [], meanReturns: [], evalReturns: [], turnouts: [] }
  readonly #options: EsRunOptions
  readonly #report = signal<RunReport | undefined>(undefined)
  readonly #curveLength = signal(0)
  readonly #tabsAtWork = signal(0)
  readonly #bytesPerIteration = signal<number | undefined>(undefined)
  #abort: AbortController | undefined
  #bytes = { counted: 0, reading: 0 }

  readonly report: ReadonlySignal<RunReport | undefined> = this.#report
  readonly curveLength: ReadonlySignal<number> = this.#curveLength
  /** Tabs that ran rollouts within the last second. */
  readonly tabsAtWork: ReadonlySignal<number> = this.#tabsAtWork
  readonly bytesPerIteration: ReadonlySignal<number | undefined> = this.#bytesPerIteration

  constructor(options: EsRunOptions) {
    this.#options = options
    this.settings = ES_SETTINGS[options.name]
  }

  /** Trains from scratch until solved, stopped or out of iterations. Never rejects: the report says how it ended. */
  async start(seed: number): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    const { iterations, meanReturns, evalReturns, turnouts } = this.curve
    for (const column of [iterations, meanReturns, evalReturns, turnouts]) column.length = 0
    batch(() => {
      this.#curveLength.value = 0
      this.#bytesPerIteration.value = undefined
      this.#publish(newReport(`es-${this.#options.name}`, 'running'))
    })
    this.#bytes = { counted: 0, reading: this.#options.totals().bytes }
    let end: Partial<RunReport> = { state: 'done' }
    try {
      await this.#train(seed, abort.signal)
    } catch (error) {
      end = abort.signal.aborted ? { state: 'stopped' } : { state: 'failed', error: messageOf(error) }
    }
    if (this.#abort === abort) {
      this.#abort = undefined
      this.#change(end)
      setTimeout(() => {
        if (this.#abort === undefined) this.#countBytes()
      }, LATE_COUNTS_MS)
    }
  }

  stop(): void {
    this.#abort?.abort()
  }

  async #train(seed: number, stop: AbortSignal): Promise<void> {
    const { nowMs, totals } = this.#options
    const steps = new Rate(RATE_WINDOW_MS)
    const lastSeen = new Map<string, number>()
    let tabs = totals().tabs
    steps.add(nowMs(), 0)
    const loop = trainEs({
      settings: this.settings,
      seed,
      tasks: () => Math.max(LEAST_TASKS, TASKS_PER_SLOT * totals().slots),
      trace: true,
      onRollouts: (result) => this.#show(result),
      signal: stop,
    })
    for await (const done of loop) {
      stop.throwIfAborted()
      const now = nowMs()
      steps.add(now, done.steps)
      for (const nodeId of done.byNode.keys()) lastSeen.set(nodeId, now)
      const change = totals().tabs - tabs
      tabs += change
      if (change !== 0) this.curve.turnouts.push({ iteration: done.iteration + 1, change })
      batch(() => {
        this.#tabsAtWork.value = [...lastSeen.values()].filter((at) => now - at < RATE_WINDOW_MS).length
        this.#note(done, steps.value * 1000)
        this.#countBytes()
      })
    }
  }

  #note(done: EsIteration, stepsPerSecond: number): void {
    this.curve.iterations.push(done.iteration + 1)
    this.curve.meanReturns.push(done.meanReturn)
    this.curve.evalReturns.push(done.evalReturn ?? null)
    this.#curveLength.value = this.curve.iterations.length
    let byNode = this.#report.peek()?.byNode ?? {}
    for (const [nodeId, work] of done.byNode) byNode = withWork(byNode, nodeId, work)
    this.#change({
      iteration: done.iteration + 1,
      meanReturn: done.meanReturn,
      ...(done.evalReturn === undefined ? {} : { evalReturn: done.evalReturn }),
      stepsPerSecond,
      solved: done.solved,
      byNode,
    })
  }

  /** Averaged over the whole run. A link that is gone takes its count with it: only what is added counts. */
  #countBytes(): void {
    const reading = this.#options.totals().bytes
    this.#bytes = { counted: this.#bytes.counted + Math.max(0, reading - this.#bytes.reading), reading }
    const iterations = this.#report.peek()?.iteration ?? 0
    if (iterations > 0) this.#bytesPerIteration.value = this.#bytes.counted / iterations
  }

  #show(result: RolloutResult): void {
    if (result.trace === undefined) return
    const { stateSize } = envSpec(this.settings.policy.env)
    this.#options.onEpisode({ nodeId: result.nodeId, states: result.trace, stateSize })
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

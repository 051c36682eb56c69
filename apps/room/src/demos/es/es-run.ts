/**
 * One training run after another, over whatever tabs are in the room: drives the library's loop and writes down what the
 * page shows of it. Episodes go to `onEpisode` as they come. It does not draw.
 */
import { ES_SETTINGS, envSpec, trainEs } from '@shoal/rl'
import type { EsSettings, EsSettingsName, RolloutResult } from '@shoal/rl'
import type { RunReport } from '../../model/run-report.ts'
import type { Episode } from '../episode.ts'
import type { RoomTotals } from '../room-totals.ts'
import { TrainingBook } from '../training-book.ts'

export interface EsRunOptions {
  readonly name: EsSettingsName
  readonly totals: () => RoomTotals
  readonly onEpisode: (episode: Episode) => void
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
}

/** So that a slow tab holds up an iteration by a fraction of its share only. */
const TASKS_PER_SLOT = 4
/** Each task brings one episode to draw. */
const LEAST_TASKS = 16

export class EsRun {
  readonly settings: EsSettings
  readonly book: TrainingBook
  readonly #options: EsRunOptions

  constructor(options: EsRunOptions) {
    this.#options = options
    this.settings = ES_SETTINGS[options.name]
    this.book = new TrainingBook({ ...options, name: `es-${options.name}` })
  }

  /** Trains from scratch until solved, stopped or out of iterations. Never rejects: the report says how it ended. */
  async start(seed: number): Promise<void> {
    await this.book.run((stop) => this.#train(seed, stop))
  }

  stop(): void {
    this.book.stop()
  }

  async #train(seed: number, stop: AbortSignal): Promise<void> {
    const { totals } = this.#options
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
      for (const [nodeId, work] of done.byNode) this.book.addWork(nodeId, work)
      this.book.addIteration(done)
    }
  }

  #show(result: RolloutResult): void {
    if (result.trace === undefined) return
    const { stateSize } = envSpec(this.settings.policy.env)
    this.#options.onEpisode({ nodeId: result.nodeId, states: result.trace, stateSize })
  }
}

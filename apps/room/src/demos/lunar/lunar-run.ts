/**
 * One training run of LunarLander after another, over whatever tabs are in the room: drives the library's PPO and writes down
 * what the page shows of it. Flights go to `onFlight` as they end. It does not draw.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { PPO_SETTINGS, trainPpo } from '@shoal/rl'
import type { PpoSettings, PpoState, RecordedSample } from '@shoal/rl'
import type { RunReport } from '../../model/run-report.ts'
import type { RoomTotals } from '../room-totals.ts'
import { TrainingBook } from '../training-book.ts'
import { FlightLog } from './flight.ts'
import type { Flight } from './flight.ts'
import { LanderLearner, LanderRunner } from './lander.remote.ts'

export interface LunarRunOptions {
  /** Decides the terrain, and what chance there is. */
  readonly seed: number
  readonly totals: () => RoomTotals
  readonly onFlight: (flight: Flight) => void
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
  /** Default: those that solve it. */
  readonly settings?: PpoSettings
}

/** As many slots as a room may have for it; those that are not there are waited for. */
const MOST_RUNNERS = 32
/** Few and long: each environment's part is then 256 steps, five seconds of flight, as with one sample of each of four runners. */
const SAMPLES_PER_ITERATION = 4

/** Terrain and all: one terrain for all flights, so that people see what is flown over. */
export function lunarSettings(seed: number): PpoSettings {
  const { lunarLander } = PPO_SETTINGS
  const module = { ...lunarLander.module, envConfig: { terrainSeed: seed } }
  return { ...lunarLander, module, runners: MOST_RUNNERS }
}

export class LunarRun {
  readonly settings: PpoSettings
  readonly book: TrainingBook
  readonly #options: LunarRunOptions
  readonly #policy = signal<PpoState | undefined>(undefined)

  /** What has been learned so far. */
  readonly policy: ReadonlySignal<PpoState | undefined> = this.#policy

  constructor(options: LunarRunOptions) {
    this.#options = options
    this.settings = options.settings ?? lunarSettings(options.seed)
    this.book = new TrainingBook({ ...options, name: 'ppo-lunar-lander' })
  }

  /** Trains, from scratch or from a state, until solved, stopped or out of iterations. Never rejects: the report says how it ended. */
  async start(resumeFrom?: PpoState): Promise<void> {
    this.#policy.value = resumeFrom
    await this.book.run((stop) => this.#train(resumeFrom, stop))
  }

  stop(): void {
    this.book.stop()
  }

  async #train(resumeFrom: PpoState | undefined, stop: AbortSignal): Promise<void> {
    const log = new FlightLog()
    const loop = trainPpo({
      settings: this.settings,
      seed: this.#options.seed,
      gather: 'wait',
      sampleSteps: this.settings.stepsPerIteration / SAMPLES_PER_ITERATION,
      runnerActor: LanderRunner,
      learnerActor: LanderLearner,
      signal: stop,
      onSample: (sample) => this.#take(log, sample),
      ...(resumeFrom === undefined ? {} : { resumeFrom }),
    })
    for await (const done of loop) {
      stop.throwIfAborted()
      this.book.addIteration(done)
      // The learner is in this tab: what this costs is a copy of some 30 kB.
      this.#policy.value = await done.state()
    }
  }

  #take(log: FlightLog, sample: RecordedSample): void {
    this.book.addWork(sample.nodeId, { tasks: 1, cpuMs: sample.cpuMs })
    for (const flight of log.add(sample)) this.#options.onFlight(flight)
  }
}

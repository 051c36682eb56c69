/**
 * One run of learning connect four after another, over whatever tabs are in the room, and answers for a person meanwhile. It keeps
 * what the page shows of it, with arrays of the curve that grow in place; it does not draw.
 *
 *   idle -> running -> stopped | done | failed     `start` begins anew from each
 *
 * Stopping ends the training alone: learner and server stay, so that people can go on playing, until the next start or `close`.
 */
import { batch, signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { get } from '@shoal/sdk'
import { decodeLearner, encodeLearner } from '@shoal/rl'
import type { AlphaZeroMetrics, AlphaZeroState } from '@shoal/rl'
import { messageOf } from '../../model/message-of.ts'
import { Rate } from '../../model/rate.ts'
import { newReport, withWork } from '../../model/run-report.ts'
import type { RunReport } from '../../model/run-report.ts'
import type { RoomTotals } from '../room-totals.ts'
import { isBoard } from './board.ts'
import type { Done, LiveAnswer, PlayedGames } from './connect-four.remote.ts'
import { Crew } from './crew.ts'
import type { FourSettings } from './four-settings.ts'
import { scoreOf } from './strength-test.ts'
import type { Strength } from './strength-test.ts'
import { Training } from './training.ts'
import type { Learned } from './training.ts'

export interface Curve {
  /** Games learned from, and beside each what was measured then: null where nothing was. */
  readonly games: number[]
  /** Shares of the points, 0 to 100. */
  readonly againstRandom: (number | null)[]
  readonly againstSearch: (number | null)[]
  readonly policyLoss: (number | null)[]
}

export interface FourProgress {
  readonly iteration: number
  /** Played since the run began. */
  readonly played: number
  /** Learned from, and the positions of those, each with its mirror image. */
  readonly games: number
  readonly positions: number
  readonly gamesPerSecond: number
  readonly losses: AlphaZeroMetrics | undefined
  readonly strength: Strength | undefined
  readonly tabsAtWork: number
  readonly bytesPerIteration: number | undefined
}

export interface FourRunOptions {
  readonly settings: FourSettings
  readonly totals: () => RoomTotals
  readonly onGames: (games: PlayedGames) => void
  /** Every report, the last one too when nobody looks any more. */
  readonly onReport: (report: RunReport) => void
  readonly nowMs: () => number
}

export interface StartOptions {
  readonly seed: number
  readonly resumeFrom?: AlphaZeroState
  /** The run is over at the settings' goal; without, it goes on. */
  readonly isUntilGoal?: boolean
}

const KIND = 'alpha-zero-connect-four'
const RATE_WINDOW_MS = 5000
/** Tabs that did something within this time are at work. */
const AT_WORK_MS = 2000
const NOTHING: FourProgress = {
  iteration: 0,
  played: 0,
  games: 0,
  positions: 0,
  gamesPerSecond: 0,
  losses: undefined,
  strength: undefined,
  tabsAtWork: 0,
  bytesPerIteration: undefined,
}

export class FourRun {
  readonly settings: FourSettings
  readonly curve: Curve = { games: [], againstRandom: [], againstSearch: [], policyLoss: [] }
  readonly #options: FourRunOptions
  readonly #report = signal<RunReport | undefined>(undefined)
  readonly #progress = signal<FourProgress>(NOTHING)
  readonly #curveLength = signal(0)
  readonly #lastSeen = new Map<string, number>()
  #rate = new Rate(RATE_WINDOW_MS)
  #played = 0
  #crew: Crew | undefined
  #abort: AbortController | undefined
  #bytes = { counted: 0, reading: 0 }

  readonly report: ReadonlySignal<RunReport | undefined> = this.#report
  readonly progress: ReadonlySignal<FourProgress> = this.#progress
  readonly curveLength: ReadonlySignal<number> = this.#curveLength

  constructor(options: FourRunOptions) {
    this.#options = options
    this.settings = options.settings
  }

  /** Trains from scratch, or goes on from a state. Never rejects: the report says how it ended. */
  async start({ seed, resumeFrom, isUntilGoal = false }: StartOptions): Promise<void> {
    this.close()
    const abort = new AbortController()
    this.#abort = abort
    for (const column of Object.values(this.curve) as unknown[][]) column.length = 0
    this.#lastSeen.clear()
    this.#played = 0
    this.#rate = new Rate(RATE_WINDOW_MS)
    this.#rate.add(this.#options.nowMs(), 0)
    this.#bytes = { counted: 0, reading: this.#options.totals().bytes }
    batch(() => {
      this.#curveLength.value = 0
      this.#progress.value = NOTHING
      this.#publish(newReport('alphazero-connect-four', 'running'))
    })
    let end: Partial<RunReport> = { state: 'done' }
    try {
      this.#crew = new Crew(this.settings, seed, resumeFrom)
      await this.#train(this.#crew, seed, isUntilGoal, abort.signal)
    } catch (error) {
      end = abort.signal.aborted ? { state: 'stopped' } : { state: 'failed', error: messageOf(error) }
    }
    // A later start has its own.
    if (this.#abort === abort) {
      this.#abort = undefined
      this.#change(end)
    }
  }

  stop(): void {
    this.#abort?.abort()
  }

  /** Ends the actors too. */
  close(): void {
    this.stop()
    this.#crew?.[Symbol.dispose]()
    this.#crew = undefined
  }

  /** A search of the position after `moves`, by the server, wherever it is. Before any training: by a network that knows nothing. */
  async answer(moves: readonly number[], simulations: number, stop: AbortSignal): Promise<LiveAnswer> {
    this.#crew ??= new Crew(this.settings, 0)
    using found = this.#crew.server.answer.remote(moves, simulations)
    return await get(found, { signal: stop })
  }

  /** What was learned so far, as a file. */
  async save(stop: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#crew === undefined) throw new Error('nothing was learned yet')
    using state = this.#crew.learner.getState.remote()
    return encodeLearner(KIND, await get(state, { signal: stop }), { hidden: this.settings.network.hidden })
  }

  /** @throws RangeError for what is no such file, or of another network. */
  read(bytes: Uint8Array): AlphaZeroState {
    const state = decodeLearner<AlphaZeroState>(KIND, bytes)
    const { inputSize, actions, hidden } = this.settings.network
    const sizes = [inputSize, ...hidden, actions + 1]
    const count = sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i]! + 1), 0)
    if (state.parameters.length !== count || !Number.isSafeInteger(state.iteration) || state.iteration < 0)
      throw new RangeError('a checkpoint of another network')
    return state
  }

  async #train(crew: Crew, seed: number, isUntilGoal: boolean, stop: AbortSignal): Promise<void> {
    const { settings } = this
    const goal = new AbortController()
    const training = new Training({
      settings,
      seed,
      crew,
      slots: () => this.#options.totals().slots,
      stop: AbortSignal.any([stop, goal.signal]),
      onGames: (games) => this.#sawGames(games),
      onLearned: (learned) => this.#sawLearned(learned),
      onTest: (done) => this.#sawWork(done),
      onStrength: (strength) => {
        this.#sawStrength(strength)
        if (isUntilGoal && scoreOf(strength.againstRandom) >= settings.goal) goal.abort()
      },
    })
    try {
      await training.run()
    } catch (error) {
      // Its goal is no failure.
      if (!goal.signal.aborted || stop.aborted) throw error
    }
  }

  #sawGames(played: PlayedGames): void {
    // Another tab's answer: what is no board is a fault of that tab, not a picture.
    if (!Array.isArray(played.boards) || !played.boards.every((board) => isBoard(board)))
      throw new Error(`node ${played.nodeId} answered with something that is no board`)
    this.#played += played.boards.length
    this.#rate.add(this.#options.nowMs(), this.#played)
    this.#options.onGames(played)
    this.#sawWork(played)
  }

  #sawWork({ nodeId, cpuMs }: Done): void {
    const now = this.#options.nowMs()
    this.#lastSeen.set(nodeId, now)
    const report = this.#report.peek()
    if (report === undefined) return
    const tabsAtWork = [...this.#lastSeen.values()].filter((at) => now - at < AT_WORK_MS).length
    batch(() => {
      this.#note({ tabsAtWork, gamesPerSecond: this.#rate.value * 1000, played: this.#played })
      this.#change({ byNode: withWork(report.byNode, nodeId, { tasks: 1, cpuMs }) })
    })
  }

  #sawLearned({ games, metrics }: Learned): void {
    const before = this.#progress.peek()
    const iteration = before.iteration + 1
    const bytes = this.#options.totals().bytes
    // A link that is gone takes its count with it: only what is added counts.
    this.#bytes = { counted: this.#bytes.counted + Math.max(0, bytes - this.#bytes.reading), reading: bytes }
    const positions = before.positions + metrics.positions
    batch(() => {
      this.#note({
        iteration,
        games: before.games + games,
        positions,
        losses: metrics,
        bytesPerIteration: this.#bytes.counted / iteration,
      })
      this.#addToCurve({ policyLoss: metrics.policyLoss })
      const perGame = positions / (before.games + games)
      this.#change({ iteration, stepsPerSecond: before.gamesPerSecond * perGame })
    })
  }

  #sawStrength(strength: Strength): void {
    const [random, search] = [100 * scoreOf(strength.againstRandom), 100 * scoreOf(strength.againstSearch)]
    batch(() => {
      this.#note({ strength })
      this.#addToCurve({ games: strength.games, againstRandom: random, againstSearch: search })
      this.#change({ evalReturn: random, solved: random >= 100 * this.settings.goal })
    })
  }

  /** Rows stay in order: a test that took some iterations belongs to where it began. */
  #addToCurve(row: Partial<Record<keyof Curve, number>>): void {
    const { games, againstRandom, againstSearch, policyLoss } = this.curve
    const at = row.games ?? this.#progress.peek().games
    let place = games.findIndex((each) => each >= at)
    if (place < 0) place = games.length
    if (games[place] !== at) {
      games.splice(place, 0, at)
      for (const column of [againstRandom, againstSearch, policyLoss]) column.splice(place, 0, null)
    }
    againstRandom[place] = row.againstRandom ?? againstRandom[place] ?? null
    againstSearch[place] = row.againstSearch ?? againstSearch[place] ?? null
    policyLoss[place] = row.policyLoss ?? policyLoss[place] ?? null
    this.#curveLength.value += 1
  }

  #note(part: Partial<FourProgress>): void {
    this.#progress.value = { ...this.#progress.peek(), ...part }
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

import type { BarReport } from './bar-report.ts'

/** A progress bar, as the driver's page sees it. */
export interface Progress {
  /** The same for each attempt of its task. */
  readonly id: string
  readonly description: string
  /** Steps until it is full; undefined where that is not known. */
  readonly total: number | undefined
  /** Steps done. */
  readonly count: number
  /** From when the bar was made to its last report, by the clock of the tab where it is. */
  readonly elapsedMs: number
  /** closed: by its task. lost: its task or actor has ended, or runs again, and did not close it. */
  readonly state: 'running' | 'closed' | 'lost'
  /** Undefined for a bar of the page itself. */
  readonly taskId: string | undefined
  readonly taskName: string | undefined
  readonly attempt: number
  /** Of a bar that was made in an actor. */
  readonly actorId: string | undefined
  /** The tab where it is, 32 hex digits, and the worker within that. */
  readonly nodeId: string
  readonly workerId: number
}

interface Entry {
  readonly progress: Progress
  readonly order: number
}

/** Past it the oldest that are over go. */
const MOST_OVER = 100
/** Past it, over ones being gone, new bars are not taken. */
const MOST_BARS = 1_000

/**
 * A driver's bars, in the order in which they first came. Pure: it is told what was reported and what was found out. A bar is
 * running -> closed, or -> lost, from which it comes back when it reports again, in the same attempt or a later one. What an
 * earlier attempt says once a later one has been heard of counts for nothing.
 */
export class ProgressList {
  readonly #entries = new Map<string, Entry>()

  /** @returns those that changed */
  add(reports: readonly BarReport[]): Set<string> {
    const changed = new Set<string>()
    for (const report of reports) {
      const { id } = report
      if (this.#isStale(report)) continue
      if (!this.#entries.has(id)) {
        this.#attemptsBefore(report, changed)
        if (this.#entries.size >= MOST_BARS && !this.#dropOver(0)) continue
      }
      this.#entries.set(id, { progress: toProgress(report), order: report.order })
      changed.add(id)
    }
    this.#dropOver(MOST_OVER)
    return changed
  }

  /** Its task or actor is found to have ended. False when that is no news. */
  lost(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry?.progress.state !== 'running') return false
    this.#entries.set(id, { ...entry, progress: { ...entry.progress, state: 'lost' } })
    return true
  }

  get(id: string): Progress | undefined {
    return this.#entries.get(id)?.progress
  }

  all(): Progress[] {
    return [...this.#entries.values()].map(({ progress }) => progress)
  }

  #isStale({ id, taskId, actorId, attempt, order }: BarReport): boolean {
    const known = this.#entries.get(id)
    if (known !== undefined) {
      const { progress } = known
      if (attempt !== progress.attempt) return attempt < progress.attempt
      return progress.state === 'closed' || order <= known.order
    }
    if (taskId === undefined || actorId !== undefined) return false
    for (const { progress } of this.#entries.values())
      if (progress.taskId === taskId && progress.attempt > attempt) return true
    return false
  }

  /** Another attempt of a task has made its first bar: those of the ones before are left as they were. */
  #attemptsBefore({ taskId, actorId, attempt }: BarReport, changed: Set<string>): void {
    if (attempt === 0 || actorId !== undefined) return
    for (const [id, { progress }] of this.#entries)
      if (progress.taskId === taskId && progress.attempt < attempt && this.lost(id)) changed.add(id)
  }

  /** Leaves so many at most that are over. True when one went. */
  #dropOver(most: number): boolean {
    const over = [...this.#entries].filter(([, { progress }]) => progress.state !== 'running')
    const gone = over.slice(0, Math.max(0, over.length - most))
    for (const [id] of gone) this.#entries.delete(id)
    return gone.length > 0
  }
}

function toProgress(report: BarReport): Progress {
  const { order: _, isClosed, ...rest } = report
  return { ...rest, state: isClosed ? 'closed' : 'running' }
}

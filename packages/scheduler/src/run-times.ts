import { RecentMap } from '@shoal/base'

/** Kinds of work whose times are remembered. */
const MOST_KINDS = 2_000

/** Mean run time of each kind of task, by exponential averaging; a longer run counts at once, a shorter one slowly. */
export class RunTimes {
  readonly #meanMs = new RecentMap<string, number>(MOST_KINDS)

  record(kind: string, ms: number): void {
    const mean = this.#meanMs.get(kind)
    if (mean === undefined || ms > mean) this.#meanMs.set(kind, mean === undefined ? ms : (mean + ms) / 2)
    else this.#meanMs.set(kind, mean + (ms - mean) / 32)
  }

  /** Undefined when no task of the kind has ended yet. */
  meanMs(kind: string): number | undefined {
    return this.#meanMs.get(kind)
  }

  /** How many tasks of the kind fit into `budgetMs`; `unknown` when nothing was measured yet. */
  fitting(kind: string, budgetMs: number, unknown: number, most: number): number {
    const mean = this.#meanMs.get(kind)
    if (mean === undefined) return unknown
    return Math.max(unknown, Math.min(most, Math.floor(budgetMs / Math.max(mean, 1e-3))))
  }
}

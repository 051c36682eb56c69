import type { BarReport, BoardNews } from './bar-report.ts'

/** Bars of which the driver has not heard the newest; past it those that are closed go first, and then what is new. */
const MOST_BARS = 10_000
/** Reports in one answer. */
const MOST_REPORTS = 500

interface Entry {
  readonly report: BarReport
  readonly version: number
}

/**
 * Where a driver's bars come together: keeps the newest report of each until the driver has it, and lets the driver wait for the
 * next. What is older than what else is for the driver to say.
 */
export class BoardState {
  readonly #life = [...crypto.getRandomValues(new Uint32Array(2))].join('-')
  /** The one that was reported last is the last. */
  readonly #entries = new Map<string, Entry>()
  #version = 0
  #waiting: (() => void) | undefined

  report(reports: readonly BarReport[]): void {
    for (const report of reports) {
      if (!this.#entries.delete(report.id) && this.#entries.size >= MOST_BARS && !this.#dropClosed()) continue
      this.#entries.set(report.id, { report, version: ++this.#version })
    }
    this.#wake()
  }

  /** What was reported past `since` of that life, as soon as there is anything. What came before is no longer needed. */
  async news(since: number, life: string): Promise<BoardNews> {
    const from = life === this.#life ? since : 0
    for (const [id, { report, version }] of this.#entries)
      if (version <= from && report.isClosed) this.#entries.delete(id)
    // One that asked before, and was lost on its way, is answered with what there is.
    this.#wake()
    if (this.#version <= from) await new Promise<void>((resolve) => (this.#waiting = resolve))
    const fresh = [...this.#entries.values()].filter(({ version }) => version > from).slice(0, MOST_REPORTS)
    const version = fresh.at(-1)?.version ?? from
    return { life: this.#life, version, reports: fresh.map(({ report }) => report) }
  }

  #wake(): void {
    const wake = this.#waiting
    this.#waiting = undefined
    wake?.()
  }

  #dropClosed(): boolean {
    for (const [id, { report }] of this.#entries) if (report.isClosed) return this.#entries.delete(id)
    return false
  }
}

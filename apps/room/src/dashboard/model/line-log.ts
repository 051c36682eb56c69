import type { Session, TaskLine } from '@shoal/sdk'

export interface LogEntry extends TaskLine {
  readonly atMs: number
}

const MOST_LINES = 2_000

/** What this tab's tasks have printed since the page was opened: the newest lines, all counted. */
export class LineLog {
  readonly #lines: LogEntry[] = []
  total = 0

  get lines(): readonly LogEntry[] {
    return this.#lines
  }

  add(line: TaskLine, atMs: number): void {
    this.total++
    this.#lines.push({ ...line, atMs })
    if (this.#lines.length > MOST_LINES) this.#lines.splice(0, this.#lines.length - MOST_LINES)
  }

  /** Gives back what ends it. */
  listen(session: Pick<Session, 'onTaskLine'>): () => void {
    return session.onTaskLine((line) => this.add(line, Date.now()))
  }
}

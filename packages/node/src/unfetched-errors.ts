import { LIMITS, messageOf } from '@shoal/protocol'
import type { JobId, LogLine, NodeId, ObjectId, WireError } from '@shoal/protocol'

export interface UnfetchedErrorsOptions {
  readonly self: NodeId
  /** Brings a line to the driver of its job. */
  log(line: LogLine): void
}

/** Lines for one function; what comes past them is counted. A loop of failing calls must not flood the console. */
const MOST_LINES = 5
const MOST_NAMES = 200

/**
 * Tells drivers of errors that nobody fetched, as Ray does: otherwise a task whose ref was dropped, or never looked at,
 * would fail in silence. Ends that the user asked for are no news.
 */
export class UnfetchedErrors {
  readonly #options: UnfetchedErrorsOptions
  readonly #counts = new Map<string, { readonly line: LogLine; count: number }>()

  constructor(options: UnfetchedErrorsOptions) {
    this.#options = options
  }

  add(id: ObjectId, error: WireError, job: JobId | undefined): void {
    if (job === undefined || error.code === 'shutdown' || error.code === 'task-cancelled') return
    const name = (error.taskName ?? 'a task').slice(0, 80)
    const stack = error.stack === undefined ? '' : `\n${error.stack}`
    const text = `nobody fetched this error: ${messageOf(error)}${stack}`.slice(0, LIMITS.logLineBytes / 4)
    const line: LogLine = { job, task: id, node: this.#options.self, name, level: 'error', text }
    const known = this.#counts.get(name)
    if (known !== undefined) known.count++
    else if (this.#counts.size < MOST_NAMES) this.#counts.set(name, { line, count: 1 })
    else return
    if ((known?.count ?? 1) <= MOST_LINES) this.#options.log(line)
  }

  /** Says how many were left out. */
  close(): void {
    for (const { line, count } of this.#counts.values())
      if (count > MOST_LINES)
        this.#options.log({ ...line, text: `nobody fetched ${count - MOST_LINES} more errors of ${line.name}` })
    this.#counts.clear()
  }
}

/** What a bar says of itself: all of it each time, so that one report more or less, or one twice, changes nothing. */
export interface BarReport {
  /** The same for each attempt of a task. */
  readonly id: string
  /** Of the task that made the bar: a later one takes the place of an earlier one. */
  readonly attempt: number
  /** Counts the reports of a bar. */
  readonly order: number
  readonly description: string
  readonly total: number | undefined
  readonly count: number
  readonly elapsedMs: number
  readonly isClosed: boolean
  /** Undefined for a bar of a page. */
  readonly taskId: string | undefined
  readonly taskName: string | undefined
  /** Of a bar that an actor made, which may outlive the call that made it. */
  readonly actorId: string | undefined
  readonly nodeId: string
  readonly workerId: number
}

/** What the board has that is new. */
export interface BoardNews {
  /** Of this life of the board: one that was made again has forgotten everything. */
  readonly life: string
  readonly version: number
  readonly reports: readonly BarReport[]
}

/** Where a driver's board is found by name. */
export const BOARD_NAMESPACE = '@shoal/util'

export function boardName(driver: string): string {
  return `progress of ${driver}`
}

/** Bars send, and a driver asks, so much apart: ten times a second. */
export const REPORT_EVERY_MS = 100

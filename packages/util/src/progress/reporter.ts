import { currentSession, getActor } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import { BOARD_NAMESPACE, boardName, REPORT_EVERY_MS } from './bar-report.ts'
import type { BarReport } from './bar-report.ts'
import type { BoardState } from './board-state.ts'

/** A bar, as who reports it sees it. */
export interface ReportedBar {
  report(): BarReport
}

type Board = ActorHandle<BoardState>

/** How long it is believed that the board is where it was, or that nobody looks. */
const LOOK_AGAIN_MS = 5_000
/** Bars that wait to be reported, and that are open; past it the oldest is left out until it changes. */
const MOST_BARS = 1_000

/**
 * Brings the bars of one worker, or page, to its driver's board: those that changed, together, ten times a second at most. It
 * never waits in `get`, which would give a task's slot away, and no failure of it reaches who counts. Where nobody looks there
 * is no board, and nothing is sent. States: idle -> looking for the board -> resting after a report -> idle.
 */
export class Reporter {
  readonly #driver: string
  readonly #dirty = new Set<ReportedBar>()
  /** Open ones: a new board has to hear of them. */
  readonly #open = new Set<ReportedBar>()
  #board: Board | undefined
  #lookedAtMs = -Infinity
  #mustLook = false
  #isLooking = false
  #isResting = false

  /** @param driver whose board it is: a node id, empty where there is none yet */
  constructor(driver: string) {
    this.#driver = driver
  }

  /** @param isFirst of its run: who looks now need not be who looked when the worker's last task ran */
  opened(bar: ReportedBar, isFirst: boolean): void {
    this.#mustLook ||= isFirst
    addLast(this.#open, bar)
    this.changed(bar)
  }

  changed(bar: ReportedBar): void {
    addLast(this.#dirty, bar)
    if (!this.#isResting) this.#send()
  }

  /** At once: the task may be over before the next report would go. */
  closed(bar: ReportedBar): void {
    this.#open.delete(bar)
    addLast(this.#dirty, bar)
    this.#send()
  }

  #send(): void {
    if (this.#dirty.size === 0 || this.#isLooking) return
    if (this.#mustLook || performance.now() - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#look()
      return
    }
    const reports = [...this.#dirty].map((bar) => bar.report())
    this.#dirty.clear()
    try {
      this.#board?.report.options({ numReturns: 0 }).remote(reports)
    } catch {
      // The task was cancelled, or the session has ended: who looks finds that out by itself.
    }
    this.#rest()
  }

  /** No call that somebody waits for: a task that is counted goes on meanwhile. */
  #look(): void {
    this.#isLooking = true
    this.#mustLook = false
    void find(this.#driver).then((board) => {
      this.#board = board
      this.#isLooking = false
      this.#lookedAtMs = performance.now()
      // It may be another one, or have been made again.
      if (board !== undefined) for (const bar of this.#open) this.#dirty.add(bar)
      this.#send()
    })
  }

  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    setTimeout(() => {
      this.#isResting = false
      this.#send()
    }, REPORT_EVERY_MS)
  }
}

async function find(driver: string): Promise<Board | undefined> {
  // On a page without a session nobody is asked: that would start one.
  if (driver === '' || (typeof currentSession === 'function' && currentSession() === undefined)) return undefined
  try {
    return (await getActor<BoardState>(boardName(driver), { namespace: BOARD_NAMESPACE })) as Board
  } catch {
    return undefined
  }
}

function addLast(bars: Set<ReportedBar>, bar: ReportedBar): void {
  bars.delete(bar)
  bars.add(bar)
  if (bars.size <= MOST_BARS) return
  for (const first of bars) {
    bars.delete(first)
    return
  }
}

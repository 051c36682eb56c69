import type { Browser, Page } from 'playwright-core'
import { countRuns } from './chain-need.ts'
import type { ChainRuns } from './chain-need.ts'
import type { ChainFacts } from './page/chains.ts'

const TABS = 6
const CLOSED = 2
const SLOTS = 2
const TASK_MS = 100
/** Twice as many chains as slots: while one's next task travels, another's runs. */
const CHAINS = 2 * TABS * SLOTS
const AHEAD = 3
const SETTLE_MS = 2_500
const BEFORE_MS = 4_000
const AFTER_MS = 7_000
/** Asked for: so long after the loss is known the living tabs are busy again. */
export const RECOVERY_MS = 3_000
export const RECOVERED = 0.9
const WINDOW_MS = 1_000
/** Above the size up to which a result goes to its owner: it stays where it was made. */
const KEPT_BYTES = 110 * 1024

export interface ChainFigures extends ChainRuns {
  /** Tasks a second before, of the slots' most. */
  readonly before: number
  readonly most: number
  /** Milliseconds from the closing until the driver's status shows it. */
  readonly knownMs: number
  /** From then to the end of the first second at 0.9 of the live capacity: the rate before, by the slots left. */
  readonly recoveredMs: number
  /** Of the live capacity, from 3 s after the loss was known. */
  readonly after: number
  /** Tasks in each half second from the closing. */
  readonly halves: readonly number[]
  /** Results whose bytes lie in the living tabs at the end, and how many the driver has refs to then. */
  readonly kept: number
  readonly held: number
}

/**
 * Two of six tabs are closed while every slot of all of them is taken by chains of tasks that sleep. `isKept`: fewer chains,
 * whose results stay where they were made, in tabs other than the driver's.
 */
export async function measureChains(chrome: Browser, url: string, isKept: boolean): Promise<ChainFigures> {
  const pages: Page[] = []
  const open = async (): Promise<Page> => {
    const page = await (await chrome.newContext()).newPage()
    pages.push(page)
    await page.goto(url)
    return page
  }
  try {
    const driver = await open()
    const link = await driver.evaluate((slots) => bench.createRoom(slots), isKept ? 0 : SLOTS)
    const room = link.replace(/^https?:\/\/[^/]+\//, url)
    while (pages.length < TABS) {
      const helper = await open()
      await helper.evaluate(([to, slots]) => bench.initHelper(to, slots), [room, SLOTS] as const)
    }
    await driver.waitForFunction((tabs) => bench.members() === tabs, TABS)
    const chains = isKept ? CHAINS / 4 : CHAINS
    const bytes = isKept ? KEPT_BYTES : 0
    await driver.evaluate((options) => bench.chains.start(options), {
      chains,
      ahead: AHEAD,
      taskMs: TASK_MS,
      bytes,
      isSpread: isKept,
    })
    await driver.waitForTimeout(SETTLE_MS + BEFORE_MS)
    const closedAt = await driver.evaluate(() => Date.now())
    await Promise.all(pages.slice(-CLOSED).map((page) => page.close({ runBeforeUnload: true })))
    await driver.waitForTimeout(AFTER_MS)
    let kept = 0
    for (const page of pages.slice(0, -CLOSED)) kept += (await page.evaluate(() => bench.status()))?.objects ?? 0
    const facts = await driver.evaluate(() => bench.chains.stop())
    return { ...figuresOf(facts, closedAt), ...countRuns(facts, isKept), kept, held: chains * (AHEAD + 1) }
  } finally {
    await Promise.all(pages.map((page) => page.context().close()))
  }
}

function figuresOf(
  { done, lost }: ChainFacts,
  closedAt: number,
): Omit<ChainFigures, keyof ChainRuns | 'kept' | 'held'> {
  if (lost.length !== CLOSED) throw new Error(`${lost.length} tabs were lost, not ${CLOSED}`)
  const rate = (from: number, to: number): number =>
    (done.filter(({ at }) => at >= from && at < to).length * 1000) / (to - from)
  const before = rate(closedAt - BEFORE_MS, closedAt)
  // What the machine gave before, by the slots left: others may use its cores.
  const capacity = (before * (TABS - CLOSED)) / TABS
  const knownAt = Math.max(...lost.map(({ at }) => at))
  let start = knownAt
  const last = closedAt + AFTER_MS - WINDOW_MS
  while (start < last && rate(start, start + WINDOW_MS) < RECOVERED * capacity) start += 50
  return {
    before,
    most: (TABS * SLOTS * 1000) / TASK_MS,
    knownMs: knownAt - closedAt,
    recoveredMs: start < last ? start + WINDOW_MS - knownAt : Infinity,
    after: rate(knownAt + RECOVERY_MS, closedAt + AFTER_MS) / capacity,
    halves: Array.from({ length: AFTER_MS / 500 }, (_, i) => rate(closedAt + i * 500, closedAt + (i + 1) * 500) / 2),
  }
}

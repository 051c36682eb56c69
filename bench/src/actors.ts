import type { Browser, Page } from 'playwright-core'
import { probeOf } from './probe-of.ts'

/** Asked of calls in bulk, in one tab. */
const CALLS_PER_SECOND = 50_000
const LIGHT_ACTORS = 2_000
const LIGHT_SECONDS = 2
const TASKS = 100_000
const SETTLED_MS = 20_000

type Row = (what: string, figure: string, limit: string, share: string) => void

/** Calls of one actor, many light actors in two tabs, and what 100,000 tasks leave in memory. */
export async function measureActors(chrome: Browser, url: string, row: Row): Promise<void> {
  const open = async (): Promise<Page> => {
    const page = await (await chrome.newContext()).newPage()
    await page.goto(url)
    return page
  }
  const page = await open()
  const link = await page.evaluate(() => bench.createRoom())
  await page.evaluate(() => bench.actorRoundTrips(20, 100))
  const { all, quietest } = await page.evaluate(() => bench.actorRoundTrips(60, 30))
  for (const [what, { taskMs, limitMs }, note] of [
    ['actor call, round trip', all, ''],
    ['  in the quietest turns', quietest, ', 2 x asked'],
  ] as const)
    row(
      what,
      `${taskMs.toFixed(3)} ms`,
      `${limitMs.toFixed(3)} ms, 4 bare hops${note}`,
      `${(taskMs / limitMs).toFixed(2)} x`,
    )
  await page.evaluate(() => bench.actorCallsPerSecond(5_000))
  const rates: number[] = []
  for (let i = 0; i < 5; i++) rates.push(await page.evaluate(() => bench.actorCallsPerSecond(20_000)))
  const rate = rates.sort((a, b) => a - b)[2] ?? 0
  row(
    'actor calls in bulk',
    `${Math.round(rate).toLocaleString('en')}/s`,
    `${CALLS_PER_SECOND.toLocaleString('en')}/s asked`,
    '',
  )
  const helper = await open()
  await helper.evaluate((room) => bench.init(room), link.replace(/^https?:\/\/[^/]+\//, url))
  await page.waitForFunction(() => bench.members() === 1)
  // Until code and leave are there.
  await page.evaluate(() => bench.makeActors(4))
  await page.evaluate(() => bench.endActors())
  const seconds = await page.evaluate((count) => bench.makeActors(count), LIGHT_ACTORS)
  row(
    `${LIGHT_ACTORS.toLocaleString('en')} light actors in two tabs, each called once`,
    `${seconds.toFixed(2)} s`,
    `${LIGHT_SECONDS} s asked`,
    '',
  )
  await page.evaluate(() => bench.endActors())
  await measureMemory(page, row)
  await page.context().close()
  await helper.context().close()
}

/** The node worker's heap before and after many tasks, once all their refs are released. */
async function measureMemory(page: Page, row: Row): Promise<void> {
  const probe = await probeOf(page)
  const run = (): Promise<number> => page.evaluate((count) => bench.bulkTasksPerSecond(count), TASKS)
  await run()
  const settled = async (): Promise<number> => {
    const until = performance.now() + SETTLED_MS
    for (let last = await probe.heapBytes(); ;) {
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const now = await probe.heapBytes()
      if (Math.abs(now - last) < last * 0.002 || performance.now() > until) return now
      last = now
    }
  }
  const before = await settled()
  await run()
  const after = await settled()
  const change = after / before - 1
  row(
    `${TASKS.toLocaleString('en')} tasks: heap of the node worker after`,
    `${(after / 1e6).toFixed(1)} MB`,
    `${(before / 1e6).toFixed(1)} MB before, 5 % more at most asked`,
    `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)} %`,
  )
}

import type { Browser } from 'playwright-core'
import { open, openRoom } from './bench-room.ts'

type Row = (what: string, figure: string, limit: string, share: string) => void

/** What a rollout of a slow simulator takes. */
const PADDED_MS = 200
/** How much faster twice as many tabs have to be. */
const DOUBLING = 1.8
const TABS = [1, 2, 4, 8]
/** Of what gathering as results come would bring over a barrier on a machine without any overhead. */
const GATHER_SHARE = 0.93
const LEARNING_VISIBLE_MS = 2_000

/** Evolution strategies on more and more tabs, and gathering with `wait` beside a barrier. */
export async function measureLearning(chrome: Browser, url: string, row: Row): Promise<void> {
  const page = await open(chrome, url)
  const firstMs = await page.evaluate(() => bench.firstIterationMs())
  row('page opened to the first iteration of ES', `${firstMs.toFixed(0)} ms`, `${LEARNING_VISIBLE_MS} ms asked`, '')
  await page.context().close()
  await measureTabs(chrome, url, row)
  await measureComputing(chrome, url, row)
}

async function measureTabs(chrome: Browser, url: string, row: Row): Promise<void> {
  const room = await openRoom(chrome, url, 1, 0)
  let open = 1
  let before = 0
  for (const tabs of TABS) {
    for (; open < tabs; open++) await room.add()
    const ms = await room.driver.evaluate((least) => bench.paddedIterationMs(4, least), PADDED_MS)
    row(
      tabs === 1 ? `iteration of ES, Pendulum, tasks of ${PADDED_MS} ms, one tab` : `  ${tabs} tabs`,
      `${ms.toFixed(0)} ms`,
      `${(16 / tabs) * PADDED_MS} ms without overhead${tabs === 1 ? '' : `; ${DOUBLING} x a doubling asked`}`,
      tabs === 1 ? '' : `${(before / ms).toFixed(2)} x`,
    )
    before = ms
    if (tabs === 1) continue
    const times = await room.driver.evaluate((slots) => bench.gatherTimes(slots, 4, 10, 1_000), tabs)
    const [ours, ideal] = [times.barrier / times.asReady, times.idealBarrier / times.idealAsReady]
    row(
      `  3 x ${tabs} rollouts of 10 to 1,000 ms: wait beside a barrier`,
      `${ours.toFixed(2)} x as fast`,
      `${ideal.toFixed(2)} x without overhead; ${(100 * GATHER_SHARE).toFixed(0)} % asked`,
      `${((100 * ours) / ideal).toFixed(0)} %`,
    )
    // A barrier of ours that is slow makes the ratio better: this says whether it was that.
    row(
      '    the time of each',
      `${times.asReady.toFixed(0)} and ${times.barrier.toFixed(0)} ms`,
      `${times.idealAsReady.toFixed(0)} and ${times.idealBarrier.toFixed(0)} ms without overhead`,
      `${((100 * times.idealAsReady) / times.asReady).toFixed(0)} and ${((100 * times.idealBarrier) / times.barrier).toFixed(0)} %`,
    )
  }
  await room.close()
}

async function measureComputing(chrome: Browser, url: string, row: Row): Promise<void> {
  const room = await openRoom(chrome, url, 1, 1)
  await room.driver.evaluate(() => bench.esRate(2, 64, 16))
  const limit = await room.driver.evaluate(() => bench.rawEsStepsPerSecond(2, 2_000))
  // An iteration of 64 pairs is 17 ms of two workers: there the way to the other tab and back is most of it.
  for (const [pairs, tasks] of [
    [1_024, 32],
    [64, 16],
  ] as const) {
    const { stepsPerSecond, bytesPerIteration } = await room.driver.evaluate(
      ([p, t]) => bench.esRate(p > 100 ? 10 : 20, p, t),
      [pairs, tasks] as const,
    )
    row(
      `ES that computes, two tabs, ${pairs} pairs in ${tasks} tasks`,
      `${(stepsPerSecond / 1e6).toFixed(2)} M steps/s`,
      `${(limit / 1e6).toFixed(2)} M steps/s, two bare workers; 85 % asked`,
      `${((100 * stepsPerSecond) / limit).toFixed(0)} %`,
    )
    row('  bytes an iteration', `${bytesPerIteration.toFixed(0)}`, '', '')
  }
  await room.close()
}

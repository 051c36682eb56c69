import type { Browser } from 'playwright-core'
import { open, openRoom } from './bench-room.ts'
import { MEMORY_BYTES } from './page/memory.ts'

type Row = (what: string, figure: string, limit: string, share: string) => void

const MB = 1_000_000
const PUT_BYTES = 16 * MB
/** Of `put` of what a copy takes; of IndexedDB itself. */
const PUT_SHARE = 0.8
const DISK_SHARE = 0.9
/** How much longer a task in a tab chosen by chance takes than one where its input is; see `localityTimes`. */
const LOCALITY = 10
const INPUTS = [10_000, MB, 8 * MB]

/** `put`, the disk, and tasks where their inputs are. */
export async function measureObjects(chrome: Browser, url: string, row: Row): Promise<void> {
  const page = await open(chrome, url)
  await page.evaluate(() => bench.init())
  await page.evaluate((bytes) => bench.putBytesPerSecond(bytes, 3), PUT_BYTES)
  const put = await page.evaluate((bytes) => bench.putBytesPerSecond(bytes, 15), PUT_BYTES)
  row(
    `put of ${PUT_BYTES / MB} MB`,
    `${gigabytes(put.ours)} GB/s`,
    `${gigabytes(put.limit)} GB/s, allocate and copy; ${percent(PUT_SHARE)} asked`,
    percent(put.ours / put.limit),
  )
  await page.context().close()
  const small = await open(chrome, url)
  await small.evaluate((bytes) => bench.initSpilling(bytes), MEMORY_BYTES)
  for (const [what, count, bytes] of [
    ['objects of 4 MB to disk', 160, 4 * MB],
    ['objects of 10 kB to disk', 30_000, 10_000],
  ] as const) {
    const disk = await small.evaluate(([n, size]) => bench.spillBytesPerSecond(n, size), [count, bytes] as const)
    row(
      what,
      `${(disk.ours / MB).toFixed(0)} MB/s`,
      `${(disk.limit / MB).toFixed(0)} MB/s, bare IndexedDB; ${percent(DISK_SHARE)} asked`,
      percent(disk.ours / disk.limit),
    )
  }
  await small.context().close()
  await measureLocality(chrome, url, row)
}

async function measureLocality(chrome: Browser, url: string, row: Row): Promise<void> {
  const { driver, close } = await openRoom(chrome, url, 0, 2)
  for (const bytes of INPUTS) {
    const { none, aware, random } = await driver.evaluate((size) => bench.localityTimes(24, size), bytes)
    row(
      `task with an input of ${bytes >= MB ? `${bytes / MB} MB` : `${bytes / 1000} kB`} in another tab`,
      `${aware.toFixed(2)} ms`,
      `${none.toFixed(2)} ms without one; ${random.toFixed(1)} ms in a tab chosen by chance${bytes === 8 * MB ? `, ${LOCALITY} x asked` : ''}`,
      `${(random / aware).toFixed(1)} x`,
    )
  }
  await close()
}

/** Tasks that sleep on more and more tabs, and tasks that compute on two. */
export async function measureScaling(chrome: Browser, url: string, row: Row): Promise<void> {
  const { driver, close, add } = await openRoom(chrome, url, 1, 0)
  let open = 1
  let alone = 0
  for (let tabs = 1; tabs <= 8; tabs *= 2) {
    for (; open < tabs; open++) await add()
    await driver.evaluate((count) => bench.sleepsPerSecond(count, 5), 100 * tabs)
    const rate = await driver.evaluate((count) => bench.sleepsPerSecond(count, 5), 400 * tabs)
    if (tabs === 1) alone = rate
    row(
      tabs === 1 ? 'tasks that sleep 5 ms, one tab' : `  ${tabs} tabs`,
      `${rate.toFixed(0)}/s`,
      tabs === 1 ? '' : `${(alone * tabs).toFixed(0)}/s, ${tabs} times one tab's; 95 % asked`,
      tabs === 1 ? '' : percent(rate / alone / tabs),
    )
  }
  await close()
  const pair = await openRoom(chrome, url, 1, 1)
  await pair.driver.evaluate(() => bench.turnsPerSecond(20, 20))
  const limit = await pair.driver.evaluate(() => bench.rawTurnsPerSecond(2, 2_000))
  const turns = await pair.driver.evaluate(() => bench.turnsPerSecond(200, 20))
  row(
    'tasks that compute 20 ms, two tabs',
    `${(turns / 1e6).toFixed(2)} M turns/s`,
    `${(limit / 1e6).toFixed(2)} M turns/s, two bare workers; 90 % asked`,
    percent(turns / limit),
  )
  await pair.close()
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2)
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

import { silentLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import type { Browser, Page } from 'playwright-core'
import { median } from './page/statistics.ts'

const TIMES = 3
const WAYS = [
  ['closed', 700],
  ['crashed', 2_500],
  ['crashed without server', 6_000],
] as const
type Way = (typeof WAYS)[number][0]

/** Milliseconds from the end of an owner's tab until every `get` on its refs was answered; medians, each beside its limit. */
export async function measureOwnerGone(
  chrome: Browser,
  siteDir: string,
): Promise<{ readonly way: Way; readonly ms: number; readonly all: readonly number[]; readonly limitMs: number }[]> {
  const figures = []
  for (const [way, limitMs] of WAYS) {
    const all: number[] = []
    for (let i = 0; i < TIMES; i++) all.push(await once(chrome, siteDir, way))
    figures.push({ way, ms: median(all), all, limitMs })
  }
  return figures
}

/** A room of four tabs on a server of its own, which may be stopped. */
async function once(chrome: Browser, siteDir: string, way: Way): Promise<number> {
  const server = await createSignalingServer({ port: 0, host: '127.0.0.1', siteDir, log: silentLog })
  const pages: Page[] = []
  let isServerUp = true
  try {
    const url = `http://127.0.0.1:${server.port}/`
    const open = async (): Promise<Page> => {
      const page = await (await chrome.newContext()).newPage()
      pages.push(page)
      await page.goto(url)
      return page
    }
    const driver = await open()
    const link = await driver.evaluate(() => bench.createRoom())
    const room = link.replace(/^https?:\/\/[^/]+\//, url)
    const owner = await open()
    await owner.evaluate((to) => bench.initNamed(to, 'owner'), room)
    for (const name of ['other', 'another'])
      await open().then((page) => page.evaluate(([to, own]) => bench.initNamed(to, own), [room, name] as const))
    await driver.waitForFunction(() => bench.members() === 4)
    await driver.evaluate(() => bench.makeInOwner())
    if (way === 'crashed without server') {
      await server.close()
      isServerUp = false
    }
    const start = await end(owner, way)
    return (await driver.evaluate(() => bench.getAllOfOwner())) - start
  } finally {
    await Promise.all(pages.map((page) => page.context().close()))
    if (isServerUp) await server.close()
  }
}

/** The moment at which the tab's end began; gets come after it, so that it cannot answer them itself. */
async function end(owner: Page, way: Way): Promise<number> {
  if (way === 'closed') {
    const start = Date.now()
    await owner.close({ runBeforeUnload: true })
    if (!owner.isClosed()) await owner.waitForEvent('close')
    return start
  }
  const devtools = await owner.context().newCDPSession(owner)
  const gone = owner.waitForEvent('crash').then(() => Date.now())
  devtools.send('Page.crash').catch(() => undefined)
  return gone
}

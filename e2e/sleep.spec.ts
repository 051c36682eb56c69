import { chromium } from '@playwright/test'
import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'
import { expect, test } from './support/room-test.ts'
import { join, openTab, untilLinked } from './support/tab.ts'

test('a tab that stood still is given up, and enters its room again when it goes on', async ({ openRoom, server }) => {
  const { tabs, helperLink } = await openRoom({ tabs: [{}] })
  const [driver] = tabs
  // A browser of its own, so that all its renderers can be stopped: CDP's page freeze does nothing in a headless page.
  const browser = await chromium.launch(chromiumLaunchOptions(process.env['SHOAL_CHROMIUM']))
  const stopped: number[] = []
  try {
    const helper = await openTab({ browser, url: `${server.origin}/` })
    const nodeId = await join(helper, { room: helperLink, workers: 1 })
    await untilLinked(driver, 1)
    const devtools = await browser.newBrowserCDPSession()
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
    for (const { type, id } of processInfo)
      if (type === 'renderer') {
        process.kill(id, 'SIGSTOP')
        stopped.push(id)
      }
    expect(stopped.length).toBeGreaterThan(0)
    await untilLinked(driver, 0)
    for (const id of stopped.splice(0)) process.kill(id, 'SIGCONT')
    await untilLinked(driver, 1)
    const places = await driver.page.evaluate(async () => {
      const { sdk } = window.shoalTest
      const where = sdk.remote({}, async ({ context }, ms: number) => {
        await new Promise((resolve) => setTimeout(resolve, ms))
        return context().nodeId
      })
      return sdk.get(Array.from({ length: 20 }, () => where.remote(50)))
    })
    expect(new Set(places)).toContain(nodeId)
  } finally {
    for (const id of stopped) process.kill(id, 'SIGCONT')
    await browser.close()
  }
})

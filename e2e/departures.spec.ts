import { expect, test } from './support/room-test.ts'
import type { Tab } from './support/tab.ts'

/** Milliseconds until the driver's status is one member short. */
async function noticedMs(driver: Tab, end: () => Promise<unknown>): Promise<number> {
  await driver.page.evaluate(() => {
    const { until, sdk } = window.shoalTest
    const { length } = sdk.currentSession()?.status().members ?? []
    const gone = until(({ members }) => members.length < length).then(() => Date.now())
    Object.assign(window, { gone })
  })
  const startMs = Date.now()
  const ended = end()
  const goneMs = await driver.page.evaluate(() => (window as unknown as { gone: Promise<number> }).gone)
  await ended
  return goneMs - startMs
}

test('a tab that is closed, one that leaves and one that shuts down are known at once', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}, {}, {}] })
  const [driver, first, second, third] = tabs
  if (!first || !second || !third) throw new Error('tabs are missing')
  const ms = {
    closed: await noticedMs(driver, () => first.page.close({ runBeforeUnload: true })),
    left: await noticedMs(driver, () =>
      second.page.evaluate(() => window.shoalTest.sdk.currentSession()?.room?.leave()),
    ),
    shutDown: await noticedMs(driver, () => third.page.evaluate(() => window.shoalTest.sdk.shutdown())),
  }
  console.log(`noticed after ms: ${JSON.stringify(ms)}`)
  expect(Math.max(...Object.values(ms))).toBeLessThan(2000)
  const state = await second.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    // Alone again, the tab is its own driver.
    return [sdk.currentSession()?.status().state, await sdk.get(work.add.remote(20, 22))]
  })
  expect(state).toEqual(['alone', 42])
})

test('a tab that crashes is known within seconds', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}, {}] })
  const [driver, first] = tabs
  if (!first) throw new Error('no second tab')
  const session = await first.page.context().newCDPSession(first.page)
  const ms = await noticedMs(driver, () => {
    session.send('Page.crash').catch(() => undefined)
    return Promise.resolve()
  })
  console.log(`a crash was noticed after ${ms} ms`)
  expect(ms).toBeLessThan(4000)
})

test('a tab that crashes while the server is away is known too', async ({ openRoom, server }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}, {}] })
  const [driver, first] = tabs
  if (!first) throw new Error('no second tab')
  await server.stop()
  const session = await first.page.context().newCDPSession(first.page)
  const ms = await noticedMs(driver, () => {
    session.send('Page.crash').catch(() => undefined)
    return Promise.resolve()
  })
  console.log(`a crash without the server was noticed after ${ms} ms`)
  expect(ms).toBeLessThan(8000)
})

test('a tab that reloads comes back as a new node, and the old one is gone', async ({ openRoom }) => {
  const { tabs, helperLink } = await openRoom({ tabs: [{}, {}] })
  const [driver, helper] = tabs
  if (!helper) throw new Error('no helper')
  const ms = await noticedMs(driver, () => helper.page.reload())
  console.log(`a reload was noticed after ${ms} ms`)
  await helper.page.waitForFunction(() => 'shoalTest' in window)
  const nodeId = await helper.page.evaluate(async (room) => {
    const session = await window.shoalTest.sdk.init({ room, workers: 2, lend: true })
    return session.status().nodeId
  }, helperLink)
  expect(nodeId).not.toBe(helper.nodeId)
  const place = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get(work.busy.options({ numCpus: 2 }).remote(0, 1))
  })
  expect(place.nodeId).toBe(nodeId)
})

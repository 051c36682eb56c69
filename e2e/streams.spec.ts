import { expect, test } from './support/room-test.ts'

test('[SG10] a stream goes on in another tab when the one that makes it is closed', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{ workers: 0 }, {}, {}] })
  const [driver, ...helpers] = tabs
  const closed: string[] = []
  await driver.page.exposeFunction('closeTab', async (nodeId: string) => {
    closed.push(nodeId)
    await helpers.find((tab) => tab.nodeId === nodeId)?.close()
  })
  const found = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const { closeTab } = window as unknown as { closeTab(nodeId: string): Promise<void> }
    const items: { index: number; nodeId: string }[] = []
    for await (const ref of work.count.remote(20, 50)) {
      const { index, nodeId } = await sdk.get(ref)
      ref.release()
      if (items.push({ index, nodeId }) === 5) await closeTab(nodeId)
    }
    return items
  })
  expect(found.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect(closed).toHaveLength(1)
  expect(found[0]?.nodeId).toBe(closed[0])
  expect(found[19]?.nodeId).not.toBe(closed[0])
})

test('[SG4] leaving the loop ends the generator in the other tab', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{ workers: 0 }, {}] })
  const [driver, helper] = tabs
  const first = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    for await (const ref of work.count.options({ generatorBackpressureNumObjects: 1 }).remote(1e6, 0))
      return (await sdk.get(ref)).index
    return undefined
  })
  expect(first).toBe(0)
  for (const tab of [driver, helper])
    await tab?.page.evaluate(() => window.shoalTest.until(({ running, queued }) => running + queued === 0))
})

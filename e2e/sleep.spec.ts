import { expect, test } from './support/room-test.ts'
import { untilLinked } from './support/tab.ts'

test('a tab that stood still is given up, and enters its room again when it goes on', async ({
  openRoom,
  newBrowser,
}) => {
  const own = await newBrowser()
  const { tabs } = await openRoom({ tabs: [{}, { workers: 1 }], browsers: { 1: own.browser } })
  const [driver, helper] = tabs
  await own.stop()
  await untilLinked(driver, 0)
  own.goOn()
  await untilLinked(driver, 1)
  const places = await driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    const where = sdk.remote({}, async ({ context }, ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return context().nodeId
    })
    return sdk.get(Array.from({ length: 20 }, () => where.remote(50)))
  })
  expect(new Set(places)).toContain(helper?.nodeId)
})

import { expect, test } from './support/room-test.ts'

/** The suite of packages/testing/src/conformance, whose rules are in packages/sdk/SPEC.md, in real tabs. */
for (const tabs of [1, 3])
  test(`the conformance suite in ${tabs === 1 ? 'one real tab' : `${tabs} real tabs`}`, async ({
    openRoom,
    newTab,
  }) => {
    const room = tabs === 1 ? undefined : await openRoom({ tabs: [{}, {}, {}] })
    const driver = room === undefined ? await newTab() : room.tabs[0]
    if (room === undefined) await driver.page.evaluate(() => window.shoalTest.sdk.init({ workers: 1 }))
    const outcomes = await driver.page.evaluate((count) => window.shoalTest.conform(count), tabs)
    expect(outcomes.length).toBeGreaterThan(40)
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([])
    // With the driver goes all that its tasks made, in every tab.
    await driver.page.evaluate(() => window.shoalTest.sdk.shutdown())
    expect(await driver.page.evaluate(() => document.querySelectorAll('iframe').length)).toBe(0)
    for (const helper of room?.tabs.slice(1) ?? []) {
      const left = await helper.page.evaluate(async () => {
        const status = await window.shoalTest.until(({ objects, running, queued }) => objects + running + queued === 0)
        return { bytes: status.objectBytes, total: status.resources, available: status.availableResources }
      })
      expect(left.bytes).toBe(0)
      expect(left.available).toEqual(left.total)
    }
  })

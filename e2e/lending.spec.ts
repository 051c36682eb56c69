import { expect, test } from './support/room-test.ts'
import { join, untilLinked } from './support/tab.ts'

test('[SL1, SL2, SL3] a tab lends while its badge is shown, and ends within a second when it is not', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{}, { lend: false, workers: 2 }] })
  const [driver, helper] = tabs
  if (!helper) throw new Error('no helper')
  const { page } = helper
  const badge = page.locator('shoal-badge')
  await expect(badge.getByRole('status')).toHaveText('Not lending')

  // The person's own button, in the badge.
  await badge.getByRole('button', { name: 'Lend this device’s cores' }).click()
  const place = await driver.page.evaluate(() => {
    const { sdk, work } = window.shoalTest
    return sdk.get(work.busy.options({ numCpus: 2 }).remote(0, 1))
  })
  expect(place.nodeId).toBe(helper.nodeId)
  await expect(badge.getByRole('status')).toHaveText('Lending 2 cores')
  await expect(badge).toContainText('1 task done')

  const hidden = await page.evaluate(async () => {
    const { until } = window.shoalTest
    const element = document.querySelector('shoal-badge')
    if (element === null) throw new Error('no badge')
    const ms: Record<string, number> = {}
    const hide = async (how: string, css: string): Promise<void> => {
      const at = performance.now()
      element.style.cssText = css
      const { problem } = await until(({ isLending }) => !isLending)
      ms[how] = performance.now() - at
      if (problem === undefined || !/badge is not shown/.test(problem)) throw new Error(`${how}: it says ${problem}`)
      element.style.cssText = ''
      await until(({ isLending }) => isLending)
    }
    await hide('display', 'display: none')
    await hide('opacity', 'opacity: 0.1')
    await hide('visibility', 'visibility: hidden')
    await hide('outside', 'transform: translateX(-200vw)')
    await hide('tiny', 'transform: scale(0.05)')
    const at = performance.now()
    element.remove()
    await until(({ isLending }) => !isLending)
    ms['removed'] = performance.now() - at
    return ms
  })
  console.log(`lending ended after ms: ${JSON.stringify(hidden)}`)
  expect(Math.max(...Object.values(hidden))).toBeLessThan(1000)
  // What was hidden without a stop is wanted still; a person's stop ends the wish.
  await page.evaluate(() => document.body.append(document.createElement('shoal-badge')))
  await badge.getByRole('button', { name: 'Stop lending' }).click()
  await expect(badge.getByRole('status')).toHaveText('Not lending')
  expect(await page.evaluate(() => window.shoalTest.sdk.currentSession()?.status().wantsToLend)).toBe(false)
})

test('[SL4] roles: a helper with the owner’s link submits nothing, a driver lends nothing', async ({
  openRoom,
  newTab,
}) => {
  const { tabs, ownerLink, helperLink } = await openRoom({ tabs: [{ role: 'driver', lend: false }] })
  const [driver] = tabs
  const tab = await newTab()
  await join(tab, { room: ownerLink, role: 'helper', workers: 2 })
  await untilLinked(driver, 1)
  const seen = await tab.page.evaluate(async (link) => {
    const { sdk, work } = window.shoalTest
    const refused = await sdk.get(work.add.remote(1, 2)).catch((error: unknown) => (error as { code?: string }).code)
    await sdk.shutdown()
    const asDriver = await sdk.init({ room: link, role: 'driver' }).catch((error: unknown) => (error as Error).name)
    return { refused, asDriver, session: sdk.currentSession() === undefined }
  }, helperLink)
  expect(seen).toEqual({ refused: 'permission', asDriver: 'PermissionError', session: true })
  expect(
    await driver.page.evaluate(() => {
      const session = window.shoalTest.sdk.currentSession()
      try {
        session?.lend(true)
      } catch (error) {
        return [(error as Error).name, session?.status().isLending]
      }
      return []
    }),
  ).toEqual(['RangeError', false])
})

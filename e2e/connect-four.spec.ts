/** The room's connect four demo in real tabs: it learns in both, a person plays a whole game, and a closed tab stops neither. */
import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expect, test as base } from './support/room-site.ts'

interface DemoFixtures {
  /** The demo in the page that made the room, and a tab that came by the link and lends. */
  readonly tabs: readonly [driver: Page, helper: Page]
}

const test = base.extend<DemoFixtures>({
  tabs: async ({ room }, use) => {
    // Another demo first, so that both tabs are there when the actors look for a place.
    const driver = await room.open('#auto=make&demo=mandelbrot')
    const helper = await room.help(driver)
    await expect(driver.getByText('2 tabs, 2 cores lent')).toBeVisible()
    await driver.getByRole('button', { name: 'Connect four' }).click()
    await use([driver, helper])
  },
})

const column = (page: Page, number: number) => page.getByRole('button', { name: new RegExp(`^Column ${number},`) })
const turn = (page: Page) => page.locator('.four-turn .big')

/** Plays to the end, the lowest column that has room: by turns with the mouse, a digit, and arrows with Enter. */
async function playToTheEnd(page: Page): Promise<string> {
  for (let move = 0; ; move += 1) {
    await expect(turn(page)).not.toHaveText('It thinks …', { timeout: 30_000 })
    const said = (await turn(page).textContent()) ?? ''
    if (said !== 'Your turn') return said
    const labels = await page
      .getByRole('button', { name: /^Column \d,/ })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label') ?? ''))
    const free = labels.findIndex((label) => !label.endsWith(', full')) + 1
    if (move % 3 === 0) {
      await column(page, free).click()
    } else if (move % 3 === 1) {
      await page.keyboard.press(String(free))
    } else {
      await page.keyboard.press('Home')
      for (let step = 1; step < free; step += 1) await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
    }
  }
}

const playedBy = (page: Page): Promise<number[]> =>
  page.evaluate(() => Object.values(window.__shoal__?.run?.byNode ?? {}).map(({ tasks }) => tasks))

test('learns in both tabs without a click, while a person plays to the end, and when the tab that answers is closed', async ({
  tabs: [page, helper],
}) => {
  test.slow()
  const [own, other] = await page.evaluate(() => {
    const members = [...(window.__shoal__?.status()?.members ?? [])]
    return [members.find(({ isSelf }) => isSelf)?.nodeId, members.find(({ isSelf }) => !isSelf)?.nodeId]
  })
  await expect
    .poll(() => page.evaluate(() => Object.keys(window.__shoal__?.run?.byNode ?? {}).sort()))
    .toEqual([own, other].sort())
  // The pictures of games: from both tabs.
  await expect(page.getByRole('img', { name: /^The last games: \d+ by tab \w, \d+ by tab \w\.$/ })).toBeVisible()

  const end = await playToTheEnd(page)
  expect(end).toMatch(/^(You have won|It has won|A draw)\.$/)
  await expect(page.locator('.four [role=status]', { hasText: /column \d/ })).toHaveText(/(won|draw)\.$/)
  await expect(page.getByRole('img', { name: /^Where the machine looked: column 1: \d+ %/ })).toBeVisible()
  expect(await page.getByRole('meter').getAttribute('aria-valuenow')).toMatch(/^-?[01](\.\d+)?$/)
  if (end !== 'A draw.') await expect(page.locator('.four-board .winning').nth(3)).toBeVisible()

  // Answers come from the other tab: it has no page to draw.
  const chips = page.locator('.members .chip')
  const helperMark = (await chips.nth(1).textContent()) ?? ''
  await expect(page.locator('.four-waits .chip')).toHaveText(helperMark)
  await helper.close({ runBeforeUnload: true })
  await page.getByRole('button', { name: 'New game, it starts' }).click()
  await expect(turn(page)).toHaveText('Your turn', { timeout: 30_000 })
  await expect(page.locator('.four-waits .chip')).toHaveText((await chips.nth(0).textContent()) ?? '')

  const iteration = await page.evaluate(() => window.__shoal__?.run?.iteration ?? 0)
  await expect
    .poll(() => page.evaluate(() => window.__shoal__?.run?.iteration ?? 0), { timeout: 60_000 })
    .toBeGreaterThan(iteration + 1)

  await page.locator('.four').getByRole('button', { name: 'Stop', exact: true }).click()
  await expect(page.getByText('Stopped. It still plays with what it has learned.')).toBeVisible()
  const tasks = await playedBy(page)
  await column(page, 4).click()
  await expect(turn(page)).not.toHaveText('It thinks …', { timeout: 30_000 })
  // Stopped is stopped, also when it is shown again.
  expect(await playedBy(page)).toEqual(tasks)
  await page.getByRole('button', { name: 'Mandelbrot' }).click()
  await page.getByRole('button', { name: 'Connect four' }).click()
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeVisible()
})

test('what was learned is saved as a file and loaded again, and another file is refused', async ({ tabs: [page] }) => {
  test.slow()
  await expect
    .poll(() => page.evaluate(() => window.__shoal__?.run?.iteration ?? 0), { timeout: 60_000 })
    .toBeGreaterThan(1)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save the network' }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^connect-four-\d+-games\.shoal$/)
  const buffer = await readFile(await download.path())
  const pick = (bytes: Buffer, name: string) =>
    page
      .locator('.four-file input[type=file]')
      .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: bytes })

  await pick(Buffer.from('nothing of the kind'), 'other.txt')
  await expect(page.getByText('This file is no network for this demo: this is no checkpoint.')).toBeVisible()
  await pick(buffer, 'mine.shoal')
  await expect(page.getByText('Goes on from mine.shoal.')).toBeVisible()
  await expect.poll(() => page.evaluate(() => window.__shoal__?.run?.state)).toBe('running')
})

test('fits a phone, and nothing falls for people who asked for less motion', async ({ tabs: [page] }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await column(page, 4).click()
  await expect(page.locator('.four-board .disc')).toHaveCount(2, { timeout: 30_000 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  const motion = (): Promise<string> =>
    page.locator('.four-board .fresh').evaluate((disc) => getComputedStyle(disc).animationName)
  expect(await motion()).toBe('none')
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect(await motion()).toBe('four-fall')
})

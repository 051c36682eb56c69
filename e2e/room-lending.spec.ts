import type { BrowserContext, Page } from '@playwright/test'
import { expect, makeRoom, test } from './support/people-site.ts'

const lends = (page: Page): Promise<unknown> =>
  page.evaluate(() => {
    const status = window.__shoal__?.status()
    return { isLending: status?.isLending, slots: status?.slots, ran: status?.tasksRun }
  })

/** The Mandelbrot demo submits work in tiles, to everybody who lends. */
async function giveWork(owner: Page): Promise<void> {
  await owner.getByRole('button', { name: 'Mandelbrot', exact: true }).click()
}

const linkedTo = (page: Page, others: number): Promise<unknown> =>
  page.waitForFunction(
    (count) =>
      window.__shoal__?.status()?.members.filter(({ isSelf, state }) => !isSelf && state === 'connected').length ===
      count,
    others,
  )

async function pageIn(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  return page
}

test('a link that says auto=help lends nothing by itself, and does under a program’s control', async ({
  site,
  newPerson,
}) => {
  const owner = await (await newPerson()).newPage()
  const { helper } = await makeRoom(owner, site.url)
  const person = await pageIn(await newPerson(), `${helper}&auto=help`)
  await expect(person.getByRole('button', { name: 'Start helping' })).toBeVisible()
  await linkedTo(person, 1)
  await giveWork(owner)
  await expect.poll(() => owner.evaluate(() => window.__shoal__?.status()?.tasksRun ?? 0)).toBeGreaterThan(0)
  expect(await lends(person)).toEqual({ isLending: false, slots: 0, ran: 0 })
  const program = await pageIn(await newPerson({ isProgram: true }), `${helper}&auto=help`)
  await expect(program.getByRole('button', { name: 'Stop helping' })).toBeVisible()
  expect(await lends(person)).toEqual({ isLending: false, slots: 0, ran: 0 })
})

test('limits are remembered over a reload, hold at once when it helps again, and nothing runs before that', async ({
  site,
  newPerson,
}) => {
  // As many as there are on a machine that has more than this one.
  const eightCores = (): void => {
    Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 8 })
  }
  const owner = await (await newPerson()).newPage()
  const { helper } = await makeRoom(owner, site.url)
  const page = await pageIn(await newPerson({ initScript: eightCores }), helper)
  await page.getByText('Limits', { exact: false }).first().click()
  await page.getByLabel('Workers').selectOption('1')
  await page.getByLabel('Time at work').selectOption('50')
  await page.getByLabel('in the background').check()
  await page.getByRole('button', { name: 'Start helping' }).click()
  await expect.poll(() => page.evaluate(() => window.__shoal__?.status()?.isLending)).toBe(true)
  const cpusOf = (of: Page, isSelf: boolean): Promise<unknown> =>
    of.evaluate(
      (self) => window.__shoal__?.status()?.members.find((member) => member.isSelf === self)?.resources['CPU'],
      isSelf,
    )
  await expect.poll(() => cpusOf(page, true)).toBe(1)
  await expect.poll(() => cpusOf(owner, false)).toBe(1)
  await page.reload()
  await expect(page.getByRole('button', { name: 'Start helping' })).toBeVisible()
  await linkedTo(page, 1)
  await giveWork(owner)
  await expect.poll(() => owner.evaluate(() => window.__shoal__?.status()?.tasksRun ?? 0)).toBeGreaterThan(0)
  expect(await lends(page)).toEqual({ isLending: false, slots: 0, ran: 0 })
  await page.getByText('Limits', { exact: false }).first().click()
  await expect(page.getByLabel('Workers')).toHaveValue('1')
  await expect(page.getByLabel('Time at work')).toHaveValue('50')
  await expect(page.getByLabel('in the background')).toBeChecked()
  await page.getByRole('button', { name: 'Start helping' }).click()
  await expect.poll(() => cpusOf(page, true)).toBe(1)
})

test('a tab in the background pauses where its person wants that, and others see why', async ({ site, newPerson }) => {
  const owner = await (await newPerson()).newPage()
  const { helper } = await makeRoom(owner, site.url)
  const page = await pageIn(await newPerson(), helper)
  await page.getByText('Limits', { exact: false }).first().click()
  await page.getByLabel('in the background').check()
  await page.getByRole('button', { name: 'Start helping' }).click()
  await expect(page.getByRole('heading', { name: 'Helping' })).toBeVisible()
  const show = (state: string): Promise<void> =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: visibilityState })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  await show('hidden')
  await expect(page.getByRole('heading', { name: 'Paused' })).toBeVisible()
  await expect(owner.getByText('paused: in the background')).toBeVisible()
  expect(await lends(page)).toMatchObject({ isLending: false })
  await show('visible')
  await expect(page.getByRole('heading', { name: 'Helping' })).toBeVisible()
  await expect(owner.getByText('paused: in the background')).toBeHidden()
})

test('the owner opens a helper tab by a click, kills it, and its work is done elsewhere; after a reload it asks', async ({
  site,
  newPerson,
}) => {
  const context = await newPerson()
  const owner = await context.newPage()
  await makeRoom(owner, site.url)
  const opening = context.waitForEvent('page')
  await owner.getByRole('button', { name: 'Open a helper tab' }).click()
  const helper = await opening
  await expect(helper.getByRole('button', { name: 'Stop helping' })).toBeVisible()
  await giveWork(owner)
  await expect.poll(() => helper.evaluate(() => window.__shoal__?.status()?.guestTasksRun ?? 0)).toBeGreaterThan(0)
  // Reloaded, it is a tab like any other.
  await helper.reload()
  await expect(helper.getByRole('button', { name: 'Start helping' })).toBeVisible()
  await owner.getByRole('button', { name: /^Kill tab/ }).click()
  await expect.poll(() => helper.isClosed()).toBe(true)
  await linkedTo(owner, 0)
  await expect(owner.getByRole('button', { name: /^Kill tab/ })).toBeHidden()
})

test('says so when the browser blocks the tab', async ({ site, newPerson }) => {
  const blocked = (): void => {
    window.open = () => null
  }
  const owner = await (await newPerson({ initScript: blocked })).newPage()
  await makeRoom(owner, site.url)
  await owner.getByRole('button', { name: 'Open a helper tab' }).click()
  await expect(owner.getByText(/blocked the new tab/)).toBeVisible()
})

test('who leaves is told what the tab did', async ({ site, newPerson }) => {
  const owner = await (await newPerson()).newPage()
  const { helper } = await makeRoom(owner, site.url)
  const page = await pageIn(await newPerson(), helper)
  await page.getByRole('button', { name: 'Start helping' }).click()
  await giveWork(owner)
  await expect.poll(() => page.evaluate(() => window.__shoal__?.status()?.guestTasksRun ?? 0)).toBeGreaterThan(0)
  await expect(owner.locator('.members .tasks').first()).toBeVisible()
  await page.getByRole('button', { name: 'Leave the room' }).click()
  await expect(page.getByText(/This tab computed .* task.* CPU, and sent and received/)).toBeVisible()
  await linkedTo(owner, 0)
})

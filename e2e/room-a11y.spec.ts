import { AxeBuilder } from '@axe-core/playwright'
import type { BrowserContext, Page } from '@playwright/test'
import { expect, makeRoom, test } from './support/people-site.ts'

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const

/** Where screenshots go that are to be looked at, if anywhere. */
const SHOTS = process.env['SHOAL_SHOTS']

async function expectNothing(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) {
    const { width = 0 } = page.viewportSize() ?? {}
    await page.screenshot({ path: `${SHOTS}/${name}-${width}.png`, fullPage: true })
  }
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    name,
  ).toEqual([])
}

const noSidewaysScroll = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)

async function pageIn(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  return page
}

for (const size of SIZES)
  for (const colorScheme of ['light', 'dark'] as const)
    test(`axe finds nothing on any screen at ${size.width} x ${size.height}, ${colorScheme}`, async ({
      site,
      newPerson,
    }) => {
      test.setTimeout(120_000)
      const at = async (): Promise<Page> => {
        const page = await (await newPerson(size)).newPage()
        await page.emulateMedia({ colorScheme })
        return page
      }
      const name = (screen: string): string => `${screen}-${colorScheme}`
      const owner = await at()
      await owner.goto(site.url)
      await expectNothing(owner, name('welcome'))
      const { helper } = await makeRoom(owner, site.url)
      const page = await at()
      await page.goto(helper)
      await expect(page.getByRole('button', { name: 'Start helping' })).toBeVisible()
      await expectNothing(page, name('join'))
      await page.getByText('Limits', { exact: false }).first().click()
      await expectNothing(page, name('limits'))
      expect(await noSidewaysScroll(page)).toBe(true)
      await page.getByRole('button', { name: 'Start helping' }).click()
      await owner.getByRole('button', { name: 'Mandelbrot', exact: true }).click()
      await expect.poll(() => page.evaluate(() => window.__shoal__?.status()?.guestTasksRun ?? 0)).toBeGreaterThan(0)
      await expectNothing(page, name('helping'))
      await expectNothing(owner, name('room-mandelbrot'))
      await owner.getByRole('button', { name: 'CartPole', exact: true }).click()
      await expectNothing(owner, name('room-cartpole'))
      await owner.getByRole('button', { name: 'Pendulum', exact: true }).click()
      await expectNothing(owner, name('room-pendulum'))
      expect(await noSidewaysScroll(owner)).toBe(true)
      await page.getByRole('button', { name: 'Leave the room' }).click()
      await expect(page.getByRole('heading', { name: 'You left the room.' })).toBeVisible()
      await expectNothing(page, name('left'))
      const failed = await at()
      await failed.goto(`${helper.slice(0, -3)}xxx`)
      await expect(failed.getByRole('heading', { name: 'This room cannot be opened' })).toBeVisible()
      await expectNothing(failed, name('failed'))
    })

test('everything can be reached by the keyboard, in order, and is seen to be', async ({ site, newPerson }) => {
  const owner = await (await newPerson()).newPage()
  const { helper } = await makeRoom(owner, site.url)
  const page = await pageIn(await newPerson(), helper)
  await expect(page.getByRole('button', { name: 'Start helping' })).toBeVisible()
  const focused = (): Promise<{ words: string; isSeen: boolean }> =>
    page.evaluate(() => {
      const at = document.activeElement
      const { outlineStyle, outlineWidth } = getComputedStyle(at ?? document.body)
      const words = at?.getAttribute('aria-label') ?? at?.textContent ?? ''
      return {
        words: words.trim().replace(/\s+/g, ' '),
        isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
      }
    })
  const seen: string[] = []
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab')
    const { words, isSeen } = await focused()
    expect(isSeen, words).toBe(true)
    seen.push(words)
  }
  expect(seen[0]).toBe('Skip to what runs here')
  expect(seen[1]).toBe('Dashboard')
  expect(seen[2]).toBe('Start helping')
  expect(seen[3]).toMatch(/^Limits/)
  // The skip link, by keyboard: what comes next is in the main part, and the room's fragment is as it was.
  await page.reload()
  await expect(page.getByRole('button', { name: 'Start helping' })).toBeVisible()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  expect(page.url()).toBe(helper)
  await page.keyboard.press('Tab')
  expect((await focused()).words).toBe('Start helping')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Stop helping' })).toBeVisible()
})

test('nothing moves by itself where its person wants that', async ({ site, newPerson }) => {
  const page = await (await newPerson({ reducedMotion: 'reduce' })).newPage()
  await makeRoom(page, site.url)
  const moving = await page.evaluate(() =>
    document.getAnimations().map((animation) => (animation.effect as KeyframeEffect).target?.className),
  )
  expect(moving).toEqual([])
})

test('nothing jumps while a room fills', async ({ site, newPerson }) => {
  const watch = (): void => {
    const sum = { shift: 0, of: [] as string[] }
    Object.assign(window, { sum })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput, sources } = entry as PerformanceEntry & {
          value: number
          hadRecentInput: boolean
          sources: readonly {
            readonly node: Element | null
            readonly previousRect: DOMRect
            readonly currentRect: DOMRect
          }[]
        }
        // From one screen to the next is no jump.
        const isOpen = window.__shoal__?.screen().kind === 'open' && document.querySelector('.columns') !== null
        const isNew = sources.every(({ node }) => node === null || !node.isConnected)
        if (hadRecentInput || !isOpen || isNew) continue
        sum.shift += value
        const rect = ({ x, y, width, height }: DOMRect): string => [x, y, width, height].map(Math.round).join(' ')
        for (const { node, previousRect, currentRect } of sources)
          sum.of.push(
            `${value.toFixed(4)} ${node?.nodeName}.${node?.className} from ${rect(previousRect)} to ${rect(currentRect)}`,
          )
      }
    }).observe({ type: 'layout-shift', buffered: true })
  }
  const owner = await (await newPerson({ initScript: watch })).newPage()
  const { helper } = await makeRoom(owner, site.url)
  // From here on: the demo has measured its place, which it does once.
  await expect
    .poll(() => owner.evaluate(() => document.querySelector('.stage')?.clientHeight ?? 0))
    .toBeGreaterThan(100)
  await owner.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => setTimeout(resolve, 0))
      }),
  )
  await owner.evaluate(() => {
    Object.assign((window as unknown as { sum: object }).sum, { shift: 0, of: [] })
  })
  const helpers: Page[] = []
  for (let i = 0; i < 3; i++)
    helpers.push(await pageIn(await newPerson({ isProgram: true, initScript: watch }), `${helper}&auto=help`))
  await owner.waitForFunction(
    () => window.__shoal__?.status()?.members.filter(({ state }) => state === 'connected').length === 4,
  )
  await owner.getByRole('button', { name: 'Mandelbrot', exact: true }).click()
  await expect.poll(() => helpers[0]?.evaluate(() => window.__shoal__?.status()?.guestTasksRun ?? 0)).toBeGreaterThan(0)
  // A tenth of what counts as good.
  for (const page of [owner, ...helpers]) {
    const { shift, of } = await page.evaluate(() => (window as unknown as { sum: { shift: number; of: string[] } }).sum)
    expect(shift, of.join('\n')).toBeLessThan(0.01)
  }
})

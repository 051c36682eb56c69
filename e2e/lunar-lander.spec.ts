/** The LunarLander demo as people meet it: it begins by itself, every tab of the room flies, and so does a person. */
import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { LUNAR_LANDER_SPEC, LunarLander } from '@shoal/rl/lunar-lander'
import type { RunReport } from '@shoal/room'
import { expect, test } from './support/room-site.ts'

const SEED = 3

const reportOf = (page: Page): Promise<RunReport | undefined> => page.evaluate(() => window.__shoal__?.run)

async function untilIteration(page: Page, iteration: number): Promise<void> {
  await page.waitForFunction((least) => (window.__shoal__?.run?.iteration ?? 0) >= least, iteration)
}

/** Waits until the picture shows flights of so many tabs, in the colours of those tabs. */
async function untilSeen(page: Page, tabs: number): Promise<void> {
  await expect(page.locator('.stage canvas')).toHaveAttribute('aria-label', new RegExp(`by ${tabs} tabs?$`))
  await page.waitForFunction((count) => {
    const chips = [...document.querySelectorAll<HTMLElement>('.members .chip')]
    const canvas = document.querySelector<HTMLCanvasElement>('.stage canvas')
    if (canvas === null || chips.length < count) return false
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return chips.every((chip) => {
      const [r = 0, g = 0, b = 0] = (getComputedStyle(chip).backgroundColor.match(/\d+/g) ?? []).map(Number)
      let alike = 0
      for (let i = 0; i < data.length; i += 4) {
        const distance = Math.hypot(data[i]! - r, data[i + 1]! - g, data[i + 2]! - b)
        if (distance < 45) alike += 1
      }
      return alike > 40
    })
  }, tabs)
}

/** What a flight scores in which nobody touches anything: the environment has no chance but its seed's. */
function idleScore(flight: number): string {
  const env = new LunarLander(LUNAR_LANDER_SPEC, { terrainSeed: SEED })
  env.reset(flight)
  for (let score = 0; ;) {
    const { reward, terminated } = env.step(0)
    score += reward
    if (terminated) return (Math.abs(score) < 100 ? score.toFixed(1) : score.toFixed(0)).replace('-', '−')
  }
}

test('a room learns to land: by itself, with whoever comes, and without whoever goes', async ({ room }) => {
  test.setTimeout(180_000)
  const owner = await room.open(`#auto=make&demo=lunar&seed=${SEED}`)
  await untilIteration(owner, 1)
  expect(await reportOf(owner)).toMatchObject({ name: 'ppo-lunar-lander', state: 'running' })
  await untilSeen(owner, 1)

  // Runners that had no place are made in the tab that comes.
  const helper = await room.help(owner)
  await owner.waitForFunction(() => Object.keys(window.__shoal__?.run?.byNode ?? {}).length === 2)
  await untilSeen(owner, 2)
  const helperId = await helper.evaluate(() => window.__shoal__?.status()?.nodeId ?? '')
  const before = await reportOf(owner)
  expect(before?.byNode[helperId]?.tasks).toBeGreaterThan(0)
  expect(before?.meanReturn).toBeLessThan(0)

  await helper.context().close()
  await untilIteration(owner, (before?.iteration ?? 0) + 6)
  await expect(owner.getByText('1 tab, 1 core lent')).toBeVisible()
  const after = await reportOf(owner)
  expect(after).toMatchObject({ state: 'running', error: undefined })
  await untilIteration(owner, (after?.iteration ?? 0) + 3)
  expect((await reportOf(owner))?.byNode[helperId]).toEqual(after?.byNode[helperId])
})

test('what was stopped stays so, another demo begins, and a policy goes to a file and back', async ({ room }) => {
  test.setTimeout(180_000)
  const page = await room.open(`#auto=make&demo=lunar&seed=${SEED}`)
  await untilIteration(page, 3)
  const panel = page.getByRole('region', { name: 'Land between the flags' })
  await panel.getByRole('button', { name: 'Stop', exact: true }).click()
  await expect(panel.getByText('Stopped.')).toBeVisible()
  const download = page.waitForEvent('download')
  await panel.getByRole('button', { name: 'Save policy' }).click()
  const file = await (await download).path()

  await page.getByRole('button', { name: 'CartPole' }).click()
  await page.waitForFunction(() => window.__shoal__?.run?.name === 'es-cartpole')
  await page.getByRole('button', { name: 'LunarLander' }).click()
  await expect(panel.getByRole('button', { name: 'Train', exact: true })).toBeVisible()

  const choose = (buffer: Buffer): Promise<void> =>
    panel
      .locator('input[type=file]')
      .setInputFiles({ name: 'policy.shoal', mimeType: 'application/octet-stream', buffer })
  await choose(Buffer.from('not a policy'))
  await expect(panel.getByText('policy.shoal is no policy for this lander: this is no checkpoint')).toBeVisible()
  expect((await reportOf(page))?.name).toBe('es-cartpole')
  const saved = await readFile(file)
  await choose(saved)
  await page.waitForFunction(() => window.__shoal__?.run?.name === 'ppo-lunar-lander')
  await untilIteration(page, 3)
  // The first iteration of a run that goes on is not the first.
  const first = await page.evaluate(() => window.__shoal__?.run?.iteration ?? 0)
  expect(first).toBeGreaterThanOrEqual(3)
})

test('a person flies: by keys that do not scroll the page, and by buttons on a phone', async ({ room }) => {
  test.setTimeout(120_000)
  const page = await room.open(`#auto=make&demo=lunar&seed=${SEED}`, { viewport: { width: 900, height: 420 } })
  const ended = page.locator('.ended strong')
  await page.getByRole('button', { name: 'Fly it yourself' }).click()
  await expect(page.locator('.stage canvas')).toBeFocused()
  // A key without an engine: it falls.
  await page.keyboard.press('ArrowDown')
  await expect(ended).toHaveText(`You crashed: ${idleScore(0)}`, { timeout: 40_000 })
  expect(idleScore(0)).not.toBe(idleScore(1))

  // The second flight is steered, and ends otherwise than one that falls.
  await page.keyboard.press('Enter')
  await expect(ended).toBeHidden()
  const scrolled = await page.evaluate(() => scrollY)
  await page.keyboard.down('ArrowLeft')
  for (const key of ['ArrowDown', 'Space', 'PageDown']) await page.keyboard.press(key)
  await expect(ended).toBeVisible({ timeout: 40_000 })
  await page.keyboard.up('ArrowLeft')
  expect(await ended.textContent()).not.toContain(idleScore(1))
  expect(await page.evaluate(() => scrollY)).toBe(scrolled)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Fly it yourself' })).toBeFocused()

  await page.setViewportSize({ width: 390, height: 844 })
  // Canvases follow their places a moment later.
  await page.waitForFunction(() => document.documentElement.scrollWidth === 390)
  const height = await page.locator('.demo').evaluate((card) => card.clientHeight)
  await page.getByRole('button', { name: 'Fly it yourself' }).click()
  await page.getByRole('button', { name: 'Turn right' }).hover()
  expect(await page.locator('.demo').evaluate((card) => card.clientHeight)).toBe(height)
  await page.mouse.down()
  await expect(ended).toBeVisible({ timeout: 40_000 })
  await page.mouse.up()
  expect(await ended.textContent()).not.toContain(idleScore(2))

  // Without the focus nobody steers: time stands still.
  await page.getByRole('button', { name: 'Fly again' }).click()
  await page.keyboard.press('ArrowUp')
  await page.locator('.stage canvas').blur()
  await expect(page.getByText('Paused. Press the picture to fly on.')).toBeVisible()
  await page.locator('.stage canvas').click()
  await expect(page.locator('.stage canvas')).toBeFocused()
})

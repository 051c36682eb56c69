import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { mergeTests } from '@playwright/test'
import type { Page } from '@playwright/test'
import { createLog } from '@shoal/base'
import type { Timeline } from '@shoal/sdk'
import { createSignalingServer } from '@shoal/signaling-server'
import type { SignalingServer } from '@shoal/signaling-server'
import { test as siteTest } from './support/built-site.ts'
import { expect, test as roomTest } from './support/room-test.ts'
import { join } from './support/tab.ts'

const test = mergeTests(roomTest, siteTest)
const STEPS = 16

let server: SignalingServer

test.beforeAll(async ({ siteFolder }) => {
  server = await createSignalingServer({
    port: 0,
    host: '127.0.0.1',
    siteDir: siteFolder,
    log: createLog({ level: 'error', write: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
  })
})
test.afterAll(() => server.close())

const view = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click()

async function saved(page: Page, name: string): Promise<string> {
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name, exact: true }).click()
  const file = test.info().outputPath((await started).suggestedFilename())
  await (await started).saveAs(file)
  return file
}

test('the dashboard shows what two tabs ran, what failed and who lives, and its report opens without a network', async ({
  browser,
  newTab,
}) => {
  test.setTimeout(120_000)
  const maker = await (await browser.newContext()).newPage()
  await maker.goto(`http://127.0.0.1:${server.port}/#auto=make`)
  await maker.waitForFunction(() => window.__shoal__?.room?.ownerLink !== undefined)
  const link = await maker.evaluate(() => window.__shoal__?.room?.ownerLink ?? '')
  await maker.context().close()
  // Who comes by the link finds no demo that began by itself: what is counted is what the other tab asks for.
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(`http://127.0.0.1:${server.port}/${new URL(link).hash}`)
  await page.getByRole('button', { name: 'Lend this tab' }).click()
  await page.getByRole('button', { name: 'Dashboard' }).click()
  await expect(page.getByRole('heading', { name: 'Task stream' })).toBeVisible()

  const other = await newTab()
  await join(other, { room: link, workers: 1, name: 'the other tab' })
  // The first answer of a tab is where its stream begins.
  await view(page, 'Tabs')
  const tabs = page.getByRole('table')
  await expect(tabs.getByRole('row')).toHaveCount(3)
  await expect(tabs).toContainText('the other tab')
  await view(page, 'Stream')
  await expect(page.getByText('Nothing has run since this was opened')).toBeVisible()

  await other.page.evaluate(async (steps) => {
    const { sdk } = window.shoalTest
    const step = sdk.remote(
      (ms: number): number => {
        const endMs = Date.now() + 30
        while (Date.now() < endMs);
        return ms + 1
      },
      { name: 'step', schedulingStrategy: 'SPREAD' },
    )
    const fail = sdk.remote(
      (n: number): number => {
        throw new RangeError(`no ${n}`)
      },
      { name: 'fail', maxRetries: 0 },
    )
    const Counter = sdk.actor(
      class Counter {
        n = 0
        add(k: number): number {
          return (this.n += k)
        }
      },
    )
    const counter = Counter.remote()
    Object.assign(window, { counter })
    await sdk.get(Array.from({ length: steps - 1 }, (_, n) => step.remote(n)))
    await sdk.get(step.remote(step.remote(1)))
    await sdk.get([counter.add.remote(1), counter.add.remote(2)])
    await sdk.get(fail.remote(7)).catch(() => undefined)
  }, STEPS)

  const progress = page.getByRole('region', { name: 'Progress' }).getByRole('listitem')
  await expect(progress.filter({ hasText: 'step' })).toContainText(`${STEPS + 1} finished`)
  await expect(progress.filter({ hasText: 'fail' })).toContainText('1 failed')
  await expect(progress.filter({ hasText: 'Counter.add' })).toContainText('2 finished')
  // Its runs, the failed one, an actor's birth and two calls: all were told, none was dropped.
  await expect(page.getByText(`${STEPS + 5} of ${STEPS + 5} runs are here`)).toBeVisible()

  await page.getByRole('application').focus()
  await page.keyboard.press('n')
  await expect(page.getByText('Outcome')).toBeVisible()

  await view(page, 'Graph')
  // An argument, and three of one actor: what it is, and its calls one after the other.
  await expect(page.getByText('data: 1')).toBeVisible()
  await expect(page.getByText('order of calls: 2')).toBeVisible()
  await view(page, 'Actors')
  await expect(page.getByRole('row').filter({ hasText: 'Counter' })).toContainText('ALIVE')
  await view(page, 'Failures')
  await expect(page.getByRole('row').filter({ hasText: 'no 7' })).toContainText('task-failed')
  await expect(page.getByText('1 failed attempt, 0 re-runs')).toBeVisible()

  const trace = JSON.parse(await readFile(await saved(page, 'Perfetto trace'), 'utf8')) as Timeline
  const steps = trace.traceEvents.filter(({ name, ph }) => name === 'step' && ph === 'X')
  expect(steps.length).toBe(STEPS + 1)
  expect(new Set(steps.map(({ pid }) => pid)).size).toBe(2)
  expect(steps.every(({ dur = 0 }) => dur >= 29_000)).toBe(true)

  const report = await saved(page, 'Report')
  await view(page, 'Stream')
  await page.getByRole('button', { name: 'Back to the room' }).click()
  await expect(page.getByRole('heading', { name: 'Who is here' })).toBeVisible()
  expect(errors).toEqual([])
  await context.close()

  const alone = await browser.newContext({ offline: true })
  const offline = await alone.newPage()
  const asked: string[] = []
  offline.on('request', (request) => asked.push(request.url()))
  offline.on('pageerror', (error) => errors.push(error))
  await offline.goto(pathToFileURL(report).href)
  await expect(offline.getByRole('heading', { name: 'Shoal report' })).toBeVisible()
  await expect(offline.getByRole('row').filter({ hasText: 'NORMAL_TASK' }).first()).toContainText(
    `FINISHED ${STEPS + 1}`,
  )
  await expect(offline.getByRole('row').filter({ hasText: 'no 7' })).toBeVisible()
  await expect(offline.getByText(`${STEPS + 5} of ${STEPS + 5} runs are in this file`)).toBeVisible()
  const drawn = await offline.evaluate(() => {
    const canvas = document.querySelector('canvas')
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
    const colors = new Set<number>()
    for (let at = 0; at < pixels.length; at += 4)
      colors.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0))
    return [0x3b82c4, 0x111111].map((color) => colors.has(color))
  })
  expect(drawn).toEqual([true, true])
  expect(asked.filter((url) => !url.startsWith('file:'))).toEqual([])
  expect(errors).toEqual([])
  await alone.close()
})

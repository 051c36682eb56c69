import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import type { SignalingServer } from '@shoal/signaling-server'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { expect, test as base } from '@playwright/test'
import type { Page } from '@playwright/test'
import { build } from 'vite'

interface ExamplesFixtures {
  /** The page of the examples with two tabs: one that runs them, and one that came by its link and helps. */
  readonly tabs: readonly [driver: Page, helper: Page]
}

interface ExamplesSite {
  readonly site: string
}

const test = base.extend<ExamplesFixtures, ExamplesSite>({
  site: [
    async ({ browserName: _ }, use) => {
      const outDir = await mkdtemp(join(tmpdir(), 'shoal-examples-'))
      await build({
        root: join(import.meta.dirname, '../apps/examples'),
        configFile: false,
        logLevel: 'warn',
        plugins: [shoal(), inlineWorker()],
        build: {
          outDir,
          emptyOutDir: true,
          target: 'es2022',
          rolldownOptions: { checks: { pluginTimings: false } },
        },
      })
      await use(outDir)
      await rm(outDir, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],

  tabs: async ({ browser, site }, use) => {
    const server: SignalingServer = await createSignalingServer({
      port: 0,
      host: '127.0.0.1',
      siteDir: site,
      log: silentLog,
    })
    const errors: Error[] = []
    const contexts = await Promise.all([browser.newContext(), browser.newContext()])
    const [driver, helper] = await Promise.all(contexts.map((context) => context.newPage()))
    if (driver === undefined || helper === undefined) throw new Error('no pages')
    for (const page of [driver, helper]) page.on('pageerror', (error) => errors.push(error))
    await driver.goto(`http://127.0.0.1:${server.port}/`)
    await driver.getByRole('button', { name: 'Use more tabs' }).click()
    const link = await driver.getByRole('link', { name: 'Open this link' }).getAttribute('href')
    const { hash } = new URL(link ?? '')
    await helper.goto(`http://127.0.0.1:${server.port}/${hash}`)
    await helper.getByRole('button', { name: 'Lend this device' }).click()
    await expect(driver.getByRole('status').first()).toContainText('with 1 other tab')
    await use([driver, helper])
    await Promise.all(contexts.map((context) => context.close()))
    await server.close()
    expect(errors).toEqual([])
  },
})

test('the examples run over two tabs, and the one for GPUs says that there is none', async ({
  tabs: [page, helper],
}) => {
  test.slow()
  const run = async (id: string, timeout = 40_000): Promise<void> => {
    await page.locator(`#${id} .controls button`).click()
    await expect(page.locator(`#${id}`)).toHaveAttribute('data-state', 'done', { timeout })
  }
  await run('monte-carlo')
  await expect(page.locator('#monte-carlo .output')).toHaveText(/^3\.1[34]\d+ ± 0\.001\d+$/)
  await expect(helper.locator('#tab-state')).toHaveText(/This tab helps with 1 other tab: [1-9]\d* tasks/)

  await run('sweep')
  await expect(page.locator('#sweep .output')).toHaveText(
    /^The best rate is 0\.\d+; [1-9] of 10 trials were stopped early\.$/,
  )
  await expect(page.locator('#sweep tbody tr')).toHaveCount(10)

  await run('images')
  await expect(page.locator('#images .output')).toHaveText('24 of 24 pictures')
  const colours = await page.locator('#images canvas').evaluateAll((canvases) =>
    canvases.map((canvas) => {
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(9, 9, 1, 1)
      return new Set(data.slice(0, 3)).size
    }),
  )
  expect(colours).toEqual(Array(24).fill(1))

  await page.locator('#search input[type=file]').setInputFiles([
    { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('one fish\ntwo FISH\nred') },
    { name: 'b.bin', mimeType: 'application/octet-stream', buffer: Buffer.from([0xff, 0xfe, 0xfd]) },
  ])
  await page.getByRole('searchbox').fill('fish')
  await run('search')
  await expect(page.locator('#search .output')).toHaveText('2 lines in 2 files')
  await expect(page.locator('#search li')).toHaveCount(3)
  await expect(page.locator('#search li', { hasText: 'a.txt:2' })).toHaveText('a.txt:2two FISH')

  await run('gpu')
  await expect(page.locator('#gpu .output')).toHaveText(/^No tab here has a GPU/)

  await run('connect-four', 120_000)
  await expect(page.locator('#connect-four .output')).toHaveText(/^(1\d|20) of 20 won against chance$/)
})

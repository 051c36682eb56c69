import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { createServer } from 'vite'
import type { ViteDevServer } from 'vite'
import type { TabEvent } from './testing/rtc-worker.ts'

const testing = fileURLToPath(new URL('./testing', import.meta.url))
let server: ViteDevServer
let cacheDir: string
let address: string

test.beforeAll(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), 'shoal-vite-'))
  server = await createServer({
    configFile: false,
    root: testing,
    cacheDir,
    logLevel: 'error',
    resolve: { alias: { vitest: join(testing, 'vitest-in-browser.ts') } },
    optimizeDeps: { include: ['simple-peer/simplepeer.min.js'] },
    server: { host: '127.0.0.1', port: 0, fs: { strict: false }, hmr: false, watch: null },
  })
  await server.listen()
  address = server.resolvedUrls?.local[0] ?? ''
})

test.afterAll(async () => {
  await server.close()
  rmSync(cacheDir, { recursive: true })
})

async function openPage(page: Page, forcesForwarding: boolean): Promise<void> {
  page.on('pageerror', (error) => console.error(error)) // eslint-disable-line no-console
  await page.goto(`${address}rtc-page.html`)
  await page.waitForFunction(() => 'testPage' in window)
  await page.evaluate((forces) => window.testPage.start({ forcesForwarding: forces }), forcesForwarding)
}

for (const forcesForwarding of [false, true]) {
  const form = forcesForwarding ? 'forwarded' : 'transferred'

  test.describe(`channels ${form}`, () => {
    test('the link contract holds', async ({ page }) => {
      await openPage(page, forcesForwarding)
      const results = (await page.evaluate(() => window.testPage.ask({ type: 'contract' }))) as {
        title: string
        error?: string
      }[]
      expect(results.length).toBeGreaterThan(5)
      expect(results.filter((result) => result.error !== undefined)).toEqual([])
    })

    test('both ends name the same two certificates, crosswise, and a direct path', async ({ page }) => {
      await openPage(page, forcesForwarding)
      const { a, b } = (await page.evaluate(() => window.testPage.ask({ type: 'facts' }))) as Record<
        'a' | 'b',
        { localFingerprint: string; remoteFingerprint: string; isDirect: boolean }
      >
      expect(a.localFingerprint).toMatch(/^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      expect(a.localFingerprint).toBe(b.remoteFingerprint)
      expect(b.localFingerprint).toBe(a.remoteFingerprint)
      expect(a.localFingerprint).not.toBe(b.localFingerprint)
      expect([a.isDirect, b.isDirect]).toEqual([true, true])
    })

    test('an end is told to both sides as what it was', async ({ page }) => {
      await openPage(page, forcesForwarding)
      const byA = await page.evaluate(() => window.testPage.ask({ type: 'end', side: 'a' }))
      expect(byA).toEqual({ a: 'closed-here', b: 'closed-there' })
      const byB = await page.evaluate(() => window.testPage.ask({ type: 'end', side: 'b' }))
      expect(byB).toEqual({ a: 'closed-there', b: 'closed-here' })
    })

    test('a heartbeat does not wait behind bulk', async ({ page }) => {
      await openPage(page, forcesForwarding)
      const measured = (await page.evaluate(() => window.testPage.ask({ type: 'rate' }))) as {
        bytesPerSecond: number
        worstDelayMs: number
        beats: number
      }
      const figures = `${(measured.bytesPerSecond / 1e6).toFixed(1)} MB/s, worst delay ${measured.worstDelayMs.toFixed(0)} ms`
      test.info().annotations.push({ type: 'figures', description: figures })
      expect(measured.bytesPerSecond).toBeGreaterThan(2e6)
      expect(measured.beats).toBeGreaterThan(0)
      expect(measured.worstDelayMs).toBeLessThan(500)
    })
  })
}

test('simple-peer needs no global, process or Buffer on the page', async ({ page }) => {
  await openPage(page, false)
  expect(await page.evaluate(() => window.testPage.absentGlobals)).toEqual(['global', 'process', 'Buffer'])
  await page.evaluate(() => window.testPage.ask({ type: 'facts' }))
  const absent = await page.evaluate(() => ['global', 'process', 'Buffer'].filter((name) => !(name in globalThis)))
  expect(absent).toEqual(['global', 'process', 'Buffer'])
})

test('without WebRTC the connector says so and every connection fails with a reason', async ({ page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'RTCPeerConnection'))
  await openPage(page, false)
  const answer = (await page.evaluate(() => window.testPage.ask({ type: 'unavailable' }))) as {
    reason: string
    isAvailable: boolean
  }
  expect(answer.isAvailable).toBe(false)
  expect(answer.reason).toContain('WebRTC')
})

for (const leave of ['closes', 'navigates away', 'reloads'] as const) {
  test(`a tab that ${leave} says goodbye to the others`, async ({ context }) => {
    const pages = [await context.newPage(), await context.newPage()] as const
    const heard: TabEvent[][] = [[], []]
    for (const [place, page] of pages.entries()) {
      const other = pages[1 - place] as Page
      await page.exposeFunction('heard', async (event: TabEvent) => {
        heard[place]?.push(event)
        // The other tab may be gone already.
        if (event.event === 'signal' && !other.isClosed()) {
          await other
            .evaluate((data) => window.testPage.ask({ type: 'accept', data }), event.data)
            .catch(() => undefined)
        }
      })
      await openPage(page, false)
    }
    const [leaver, stayer] = pages
    await stayer.evaluate(() => window.testPage.ask({ type: 'connect', isInitiator: false }))
    await leaver.evaluate(() => window.testPage.ask({ type: 'connect', isInitiator: true }))
    const names = (place: number): string[] => (heard[place] ?? []).map(({ event }) => event)
    await expect.poll(() => [names(0).includes('open'), names(1).includes('open')]).toEqual([true, true])
    if (leave === 'closes') await leaver.close()
    else if (leave === 'reloads') await leaver.reload()
    else await leaver.goto('about:blank')
    await expect.poll(() => names(1).join(' '), { timeout: 2000 }).toContain('goodbye')
    expect(names(0)).not.toContain('goodbye')
  })
}

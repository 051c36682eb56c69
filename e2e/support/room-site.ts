import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@shoal/base'
import { test as base } from '@playwright/test'
import type { BrowserContextOptions, Page } from '@playwright/test'
import { createSignalingServer } from '@shoal/signaling-server'
import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { build } from 'vite'

/** Pages of the site that people see, apps/room, each in a context of its own; an error that nobody caught fails the test. */
export interface RoomSite {
  /** A page at the site with this fragment. */
  open(fragment: string, options?: BrowserContextOptions): Promise<Page>
  /** A tab that joins the room of this page and lends without a click. */
  help(owner: Page): Promise<Page>
}

export const test = base.extend<{ readonly room: RoomSite }, { readonly siteFolder: string }>({
  siteFolder: [
    async ({ browserName: _ }, use) => {
      const outDir = await mkdtemp(join(tmpdir(), 'shoal-room-'))
      await build({
        root: join(import.meta.dirname, '../../apps/room'),
        configFile: false,
        logLevel: 'warn',
        plugins: [shoal(), inlineWorker()],
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
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

  room: async ({ browser, siteFolder }, use, testInfo) => {
    const server = await createSignalingServer({ port: 0, host: '127.0.0.1', siteDir: siteFolder, log: silentLog })
    const errors: Error[] = []
    const pages: Page[] = []
    const open: RoomSite['open'] = async (fragment, options) => {
      const page = await (await browser.newContext(options)).newPage()
      pages.push(page)
      page.on('pageerror', (error) => errors.push(error))
      await page.goto(`http://127.0.0.1:${server.port}/${fragment}`)
      return page
    }
    await use({
      open,
      help: async (owner) => {
        await owner.waitForFunction(() => window.__shoal__?.room !== undefined)
        const link = await owner.evaluate(() => window.__shoal__?.room?.helperLink ?? '')
        return open(`${new URL(link).hash}&auto=help`)
      },
    })
    await Promise.all(pages.map((page) => page.context().close()))
    await server.close()
    const [error] = errors
    if (error !== undefined && testInfo.status === testInfo.expectedStatus) throw error
  },
})

export { expect } from '@playwright/test'

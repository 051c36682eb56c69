import { silentLog } from '@shoal/base'
import type { BrowserContextOptions, Page } from '@playwright/test'
import { createSignalingServer } from '@shoal/signaling-server'
import { test as base } from './built-site.ts'

/** Pages of the site that people see, apps/room, each in a context of its own; an error that nobody caught fails the test. */
export interface RoomSite {
  /** A page at the site with this fragment. */
  open(fragment: string, options?: BrowserContextOptions): Promise<Page>
  /** A tab that joins the room of this page and lends without a click. */
  help(owner: Page): Promise<Page>
}

export const test = base.extend<{ readonly room: RoomSite }>({
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

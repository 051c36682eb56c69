import type { Browser, BrowserContext, Page } from '@playwright/test'
import { createLog } from '@shoal/base'
import type { MachineInterface } from '@shoal/room'
import { createSignalingServer } from '@shoal/signaling-server'
import { test as base } from './built-site.ts'

declare global {
  interface Window {
    __shoal__?: MachineInterface
  }
}

/** How people's browsers are: under no program's control, as far as a page can tell. */
function asAPerson(): void {
  Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })
}

export interface PeopleOptions {
  readonly width?: number
  readonly height?: number
  /** As a program's browser is: `auto=help` is taken at its word. */
  readonly isProgram?: boolean
  readonly reducedMotion?: 'reduce' | 'no-preference'
  readonly initScript?: () => void
}

interface SiteFixtures {
  /** The page that people open. */
  readonly site: { readonly url: string }
  /** A browser profile of its own. */
  newPerson(options?: PeopleOptions): Promise<BrowserContext>
}

/** Playwright's test with the room's page as it is built for people, and its server; an uncaught error fails the test. */
export const test = base.extend<SiteFixtures>({
  site: async ({ siteFolder }, use) => {
    const server = await createSignalingServer({
      port: 0,
      host: '127.0.0.1',
      siteDir: siteFolder,
      log: createLog({ level: 'error', write: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
    })
    await use({ url: `http://127.0.0.1:${server.port}/` })
    await server.close()
  },

  newPerson: async ({ browser, site: _ }, use) => {
    const contexts: BrowserContext[] = []
    const errors: Error[] = []
    await use(async (options = {}) => {
      const context = await open(browser, options)
      context.on('weberror', (error) => errors.push(error.error()))
      contexts.push(context)
      return context
    })
    await Promise.all(contexts.map((context) => context.close()))
    const [error] = errors
    if (error) throw error
  },
})

async function open(browser: Browser, options: PeopleOptions): Promise<BrowserContext> {
  const { width = 1280, height = 800, isProgram = false, reducedMotion = 'no-preference', initScript } = options
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion })
  if (!isProgram) await context.addInitScript(asAPerson)
  if (initScript !== undefined) await context.addInitScript(initScript)
  return context
}

/** Makes a room as people do, and gives back the links' room parts, for this very server. */
export async function makeRoom(page: Page, url: string): Promise<{ readonly helper: string; readonly owner: string }> {
  await page.goto(url)
  await page.getByRole('button', { name: 'Make a room' }).click()
  await page.waitForFunction(() => window.__shoal__?.room !== undefined)
  const links = await page.evaluate(() => {
    const room = window.__shoal__?.room
    return { helper: room?.helperLink ?? '', owner: room?.ownerLink ?? '' }
  })
  const here = (link: string): string => `${url}${link.slice(link.indexOf('#'))}`
  return { helper: here(links.helper), owner: here(links.owner) }
}

export { expect } from '@playwright/test'

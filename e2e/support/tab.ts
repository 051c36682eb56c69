import type { Browser, BrowserContext, Page } from '@playwright/test'
import type { InitOptions } from '@shoal/sdk'

export interface ConsoleLine {
  readonly type: string
  readonly text: string
}

/** One tab with the tests' page, in a browser context and so in a renderer process of its own. */
export interface Tab {
  readonly page: Page
  /** Everything its console showed. */
  readonly lines: readonly ConsoleLine[]
  /** Errors that nobody caught. */
  readonly errors: readonly Error[]
  close(): Promise<void>
}

export interface TabOptions {
  readonly browser: Browser
  readonly url: string
  /** Runs before any script of the page. */
  readonly initScript?: () => void
}

export async function openTab({ browser, url, initScript }: TabOptions): Promise<Tab> {
  const context: BrowserContext = await browser.newContext()
  const page = await context.newPage()
  const lines: ConsoleLine[] = []
  const errors: Error[] = []
  page.on('console', (message) => lines.push({ type: message.type(), text: message.text() }))
  page.on('pageerror', (error) => errors.push(error))
  if (initScript) await page.addInitScript(initScript)
  await page.goto(url)
  await page.waitForFunction(() => 'shoalTest' in window)
  return { page, lines, errors, close: () => context.close() }
}

/** Joins by a link, lends unless told otherwise, and gives back the tab's node id. */
export function join(tab: Tab, options: InitOptions): Promise<string> {
  return tab.page.evaluate(async (init) => {
    const session = await window.shoalTest.sdk.init({ lend: true, ...init })
    return session.status().nodeId ?? ''
  }, options)
}

/** Waits until the tab is linked to exactly this many others. */
export async function untilLinked(tab: Tab, others: number): Promise<void> {
  await tab.page.evaluate(
    (count) =>
      window.shoalTest.until(
        ({ members }) => members.filter((member) => !member.isSelf && member.state === 'connected').length === count,
      ),
    others,
  )
}

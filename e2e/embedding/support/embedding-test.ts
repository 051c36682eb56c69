import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test as base } from '@playwright/test'
import type { Page } from '@playwright/test'
import { createLog } from '@shoal/base'
import type * as Sdk from '@shoal/sdk'
import { createSignalingServer } from '@shoal/signaling-server'
import { packedTarball } from './packed-sdk.ts'
import { serveSite } from './static-site.ts'
import type { Site, SiteOptions } from './static-site.ts'
import { createWorkplace } from './workplace.ts'
import type { Workplace } from './workplace.ts'

/** What the sample apps put on their window. */
interface App {
  run(server: string): Promise<{ values: number[]; link: string }>
  join(link: string): Promise<string>
  runWithBlobs(server: string, worker: string | undefined): Promise<number[]>
}

declare global {
  interface Window {
    app: App
    violations: string[]
    starts: number
    copies: { readonly one: typeof Sdk; readonly two: typeof Sdk }
  }
}

interface PerFile {
  readonly workplace: Workplace
  /** A signaling server, on another origin than every app. */
  readonly server: string
}

interface PerTest {
  serve(options: SiteOptions): Promise<Site>
  /** A page of an app, once its script has run. */
  openApp(url: string): Promise<Page>
}

/** Apps of their own folder and origin, built from the packed SDK. An uncaught error of a page fails the test. */
export const test = base.extend<PerTest, PerFile>({
  workplace: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from this pattern.
    async ({}, use) => {
      const workplace = await createWorkplace(await packedTarball())
      await use(workplace)
      await workplace.remove()
    },
    { scope: 'worker', timeout: 120_000 },
  ],

  server: [
    // eslint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const server = await createSignalingServer({
        port: 0,
        host: '127.0.0.1',
        siteDir: await mkdtemp(path.join(tmpdir(), 'shoal-no-site-')),
        log: createLog({ level: 'error', write: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
      })
      await use(`http://127.0.0.1:${server.port}`)
      await server.close()
    },
    { scope: 'worker' },
  ],

  // eslint-disable-next-line no-empty-pattern -- as above
  serve: async ({}, use) => {
    const sites: Site[] = []
    await use(async (options) => {
      const site = await serveSite(options)
      sites.push(site)
      return site
    })
    await Promise.all(sites.map((site) => site.close()))
  },

  openApp: async ({ browser }, use) => {
    const errors: Error[] = []
    const contexts: (() => Promise<void>)[] = []
    await use(async (url) => {
      const context = await browser.newContext()
      contexts.push(() => context.close())
      const page = await context.newPage()
      page.on('pageerror', (error) => errors.push(error))
      await page.goto(url)
      return page
    })
    await Promise.all(contexts.map((close) => close()))
    if (errors[0] !== undefined) throw errors[0]
  },
})

export { expect } from '@playwright/test'

import { test as base } from '@playwright/test'
import type { Browser } from '@playwright/test'
import { createLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import type { SignalingServer } from '@shoal/signaling-server'
import type { InitOptions } from '@shoal/sdk'
import { siteDir } from './build-page.ts'
import { openOwnBrowser } from './own-browser.ts'
import type { OwnBrowser } from './own-browser.ts'
import { join, openTab, untilLinked } from './tab.ts'
import type { Tab } from './tab.ts'

/** A tab that is in a room. */
export interface RoomTab extends Tab {
  readonly nodeId: string
}

export interface TestRoom {
  readonly tabs: readonly [driver: RoomTab, ...helpers: RoomTab[]]
  readonly helperLink: string
  readonly ownerLink: string
}

export interface OpenRoomOptions {
  /**
   * One entry a tab, the driver first. Default workers: 1 each, so that three tabs are three workers on any machine. All
   * lend, unless their entry says otherwise: the page shows a badge.
   */
  readonly tabs: readonly Omit<InitOptions, 'room'>[]
  /** In which browser a tab is opened, by its place among them; the others share one. */
  readonly browsers?: Readonly<Record<number, Browser>>
}

interface RoomFixtures {
  /** The address by which the tabs reach the server; the origin of their pages. */
  readonly host: string
  readonly server: { readonly origin: string; stop(): Promise<void>; restart(): Promise<void> }
  newTab(options?: { initScript?: () => void; browser?: Browser }): Promise<Tab>
  /** A second browser, so that its renderers can be stopped. */
  newBrowser(): Promise<OwnBrowser>
  /** Tabs in one room, all linked to each other: the first made it, the others came by its helper's link. */
  openRoom(options: OpenRoomOptions): Promise<TestRoom>
}

/** Playwright's test with a real signaling server and tabs, all closed at the end; an uncaught error fails the test. */
export const test = base.extend<RoomFixtures>({
  host: ['127.0.0.1', { option: true }],

  server: async ({ host }, use) => {
    const start = (port: number): Promise<SignalingServer> =>
      createSignalingServer({
        port,
        host: '127.0.0.1',
        siteDir: siteDir(),
        log: createLog({ level: 'error', write: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
      })
    let server = await start(0)
    const { port } = server
    await use({
      origin: `http://${host}:${port}`,
      stop: () => server.close(),
      restart: async () => {
        await server.close()
        server = await start(port)
      },
    })
    await server.close()
  },

  newTab: async ({ browser, server, newBrowser: _ }, use, testInfo) => {
    const tabs: Tab[] = []
    await use(async (options = {}) => {
      const tab = await openTab({ browser, url: `${server.origin}/`, ...options })
      tabs.push(tab)
      return tab
    })
    const hasFailed = testInfo.status !== testInfo.expectedStatus
    for (const [index, { lines }] of tabs.entries())
      if (hasFailed && lines.length > 0) {
        const body = lines.map(({ type, text }) => `${type}: ${text}`).join('\n')
        await testInfo.attach(`console of tab ${index}`, { body })
      }
    await Promise.all(tabs.map((tab) => tab.close()))
    const [error] = tabs.flatMap((tab) => tab.errors)
    if (error && !hasFailed) throw error
  },

  // Before the tabs: those in it close first.
  newBrowser: async ({ server: _ }, use) => {
    const browsers: OwnBrowser[] = []
    await use(async () => {
      const browser = await openOwnBrowser()
      browsers.push(browser)
      return browser
    })
    await Promise.all(browsers.map((browser) => browser.close()))
  },

  openRoom: async ({ newTab }, use) => {
    await use(async ({ tabs: [first = {}, ...others], browsers = {} }) => {
      const inBrowser = (index: number): { browser?: Browser } => {
        const browser = browsers[index]
        return browser === undefined ? {} : { browser }
      }
      const driverTab = await newTab(inBrowser(0))
      const made = await driverTab.page.evaluate(
        async (init) => {
          const { sdk } = window.shoalTest
          const { helperLink, ownerLink } = await sdk.createRoom({ server: location.origin, ...init })
          return { helperLink, ownerLink: ownerLink ?? '', nodeId: sdk.currentSession()?.status().nodeId ?? '' }
        },
        { workers: 1, name: 'driver', lend: true, ...first },
      )
      const { helperLink, ownerLink, nodeId } = made
      const driver: RoomTab = { ...driverTab, nodeId }
      const helpers = await Promise.all(
        others.map(async (options, index): Promise<RoomTab> => {
          const tab = await newTab(inBrowser(index + 1))
          const init = { workers: 1, name: `helper ${index + 1}`, ...options, room: helperLink }
          return { ...tab, nodeId: await join(tab, init) }
        }),
      )
      const tabs = [driver, ...helpers] as const
      await Promise.all(tabs.map((tab) => untilLinked(tab, tabs.length - 1)))
      return { tabs, helperLink, ownerLink }
    })
  },
})

export { expect } from '@playwright/test'

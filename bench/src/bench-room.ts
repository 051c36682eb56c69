import type { Browser, Page } from 'playwright-core'

/** A room of tabs in as many contexts of one browser: the driver's and those of helpers with one worker each. */
export interface BenchRoom {
  readonly driver: Page
  /** One more tab with one worker. */
  add(): Promise<void>
  close(): Promise<void>
}

/** `workers`: of the driver's tab. */
export async function openRoom(chrome: Browser, url: string, workers: number, helpers: number): Promise<BenchRoom> {
  const driver = await open(chrome, url)
  const link = await driver.evaluate((count) => bench.createRoom(count), workers)
  const pages = [driver]
  const add = async (): Promise<void> => {
    const helper = await open(chrome, url)
    pages.push(helper)
    await helper.evaluate((room) => bench.init(room), link.replace(/^https?:\/\/[^/]+\//, url))
    await driver.waitForFunction((count) => bench.others() >= count, pages.length - 1)
  }
  for (let i = 0; i < helpers; i++) await add()
  return {
    driver,
    add,
    close: async () => {
      for (const page of pages) await page.context().close()
    },
  }
}

export async function open(chrome: Browser, url: string): Promise<Page> {
  const page = await (await chrome.newContext()).newPage()
  page.on('pageerror', (error) => console.error(`page: ${error.message}`))
  await page.goto(url)
  return page
}

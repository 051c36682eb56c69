import { readFile } from 'node:fs/promises'
import { chromium } from '@playwright/test'
import type { Browser } from '@playwright/test'
import { chromiumLaunchOptions } from '../../scripts/lib/find-chromium.mjs'

/** A browser of a tab's own, whose renderers can be stopped: CDP's page freeze does nothing in a headless page. */
export interface OwnBrowser {
  readonly browser: Browser
  /** Stops the processes of all its pages, and resolves when the system says that they stand still. */
  stop(): Promise<void>
  goOn(): void
  close(): Promise<void>
}

export async function openOwnBrowser(): Promise<OwnBrowser> {
  const browser = await chromium.launch(chromiumLaunchOptions(process.env['SHOAL_CHROMIUM']))
  const stopped: number[] = []
  const goOn = (): void => {
    for (const id of stopped.splice(0)) process.kill(id, 'SIGCONT')
  }
  return {
    browser,
    async stop() {
      const devtools = await browser.newBrowserCDPSession()
      const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
      const renderers = processInfo.filter(({ type }) => type === 'renderer')
      if (renderers.length === 0) throw new Error('the browser has no renderers')
      for (const { id } of renderers) {
        process.kill(id, 'SIGSTOP')
        stopped.push(id)
      }
      for (const { id } of renderers)
        while ((await stateOf(id)) !== 'T') await new Promise((again) => setTimeout(again, 5))
    },
    goOn,
    async close() {
      goOn()
      await browser.close()
    },
  }
}

/** The letter that the system has for a process: T is stopped. */
async function stateOf(id: number): Promise<string> {
  const text = await readFile(`/proc/${id}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3)
}

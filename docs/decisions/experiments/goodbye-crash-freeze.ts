// For 003: when two other tabs of a room notice that one has ended, with the room's server and without it. The tab that
// ends has a browser of its own. Repetitions as the first argument.
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { join, openTab, untilLinked } from '../../../e2e/support/tab.ts'
import { chromiumLaunchOptions } from '../../../scripts/lib/find-chromium.mjs'
import { buildTestPage, quantile } from './test-room.ts'

interface Subject {
  readonly browser: Browser
  readonly page: Page
}

/** How long a stopped tab stays stopped: longer than any limit for silence, or shorter. */
const LONG_STOP_MS = 7_000
const SHORT_STOP_MS = 3_000
const BACK_LIMIT_MS = Number(process.argv[4] ?? 2_000)
const repetitions = Number(process.argv[2] ?? 5)
const only = process.argv[3]

/** Every process of a page: its own and its sandbox frame's. */
async function renderers(browser: Browser): Promise<number[]> {
  const cdp = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Each gives back when it began, by the wall clock that all pages share. */
const ENDS: Record<string, (subject: Subject) => Promise<number>> = {
  async 'tab closed'({ page }) {
    const at = Date.now()
    await page.close()
    return at
  },
  async 'navigated away'({ page }) {
    const at = Date.now()
    await page.goto('about:blank')
    return at
  },
  async 'renderer crashed'({ page }) {
    const cdp = await page.context().newCDPSession(page)
    const at = Date.now()
    // No answer comes from a page that crashed.
    cdp.send('Page.crash').catch(() => undefined)
    return at
  },
  async 'renderer stopped'({ browser }) {
    const pids = await renderers(browser)
    const at = Date.now()
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    return at
  },
}

/** Notes every change of what this page knows of a node, by the wall clock. */
function watch(page: Page, node: string): Promise<void> {
  return page.evaluate((id) => {
    const notes: { at: number; state: string }[] = []
    Object.assign(globalThis, { notes })
    globalThis.window.shoalTest.sdk.currentSession()?.onStatus(({ members }) => {
      const state = members.find(({ nodeId }) => nodeId === id)?.state ?? 'gone'
      if (state !== (notes.at(-1)?.state ?? 'connected')) notes.push({ at: Date.now(), state })
    })
  }, node)
}

/** When a state was first noted after a time; undefined: not within the limit. */
async function noted(page: Page, state: string, after: number, limitMs: number): Promise<number | undefined> {
  for (const end = Date.now() + limitMs; Date.now() < end; await pause(50)) {
    const at = await page.evaluate(
      ([wanted, from]) =>
        (globalThis as unknown as { notes: { at: number; state: string }[] }).notes.find(
          (note) => note.state === wanted && note.at >= from,
        )?.at,
      [state, after] as const,
    )
    if (at !== undefined) return at - after
  }
  return undefined
}

const built = await buildTestPage()
const observerBrowser = await chromium.launch(chromiumLaunchOptions())
const show = (values: readonly (number | undefined)[]): string => {
  const known = values.filter((value) => value !== undefined)
  const missing = known.length < values.length ? `, ${values.length - known.length} never` : ''
  return `median ${quantile(known, 0.5)} worst ${quantile(known, 1)} ms (${known.length})${missing}`
}

/** One room of three: what both observers saw. */
async function once(how: string, hasServer: boolean): Promise<{ gone: unknown[]; back: unknown[] }> {
  const server = await built.startServer()
  const url = `http://127.0.0.1:${server.port}/`
  const subjectBrowser = await chromium.launch(chromiumLaunchOptions())
  const observers = [await openTab({ browser: observerBrowser, url }), await openTab({ browser: observerBrowser, url })]
  const subject = await openTab({ browser: subjectBrowser, url })
  const stopped: number[] = []
  try {
    const [first, second] = observers
    if (first === undefined || second === undefined) throw new Error('two observers')
    const link = await first.page.evaluate(
      async () =>
        (await globalThis.window.shoalTest.sdk.createRoom({ server: location.origin, workers: 1 })).helperLink,
    )
    await join(second, { room: link, workers: 1 })
    const node = await join(subject, { room: link, workers: 1 })
    for (const tab of [...observers, subject]) await untilLinked(tab, 2)
    for (const { page } of observers) await watch(page, node)
    if (!hasServer) await server.close()
    await pause(1500)
    const target = { browser: subjectBrowser, page: subject.page }
    const short = how === 'stopped for 3 s'
    if (how.startsWith('stopped for') || how === 'renderer stopped') stopped.push(...(await renderers(subjectBrowser)))
    const at = await (ENDS[short ? 'renderer stopped' : how] as (typeof ENDS)[string])(target)
    let back: unknown[] = []
    let gone: unknown[]
    if (stopped.length > 0) {
      await pause(short ? SHORT_STOP_MS : LONG_STOP_MS)
      const resumedAt = Date.now()
      for (const pid of stopped.splice(0)) process.kill(pid, 'SIGCONT')
      gone = await Promise.all(observers.map(({ page }) => noted(page, 'gone', at, short ? 3000 : 1000)))
      if (!short)
        back = await Promise.all(observers.map(({ page }) => noted(page, 'connected', resumedAt, BACK_LIMIT_MS)))
    } else {
      gone = await Promise.all(observers.map(({ page }) => noted(page, 'gone', at, 15_000)))
    }
    return { gone, back }
  } finally {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
    await Promise.all(observers.map((tab) => tab.close()))
    await subjectBrowser.close()
    if (hasServer) await server.close()
  }
}

try {
  for (const hasServer of [true, false])
    for (const how of [...Object.keys(ENDS), 'stopped for 3 s']) {
      if (only !== undefined && only !== how) continue
      const results = []
      for (let i = 0; i < repetitions; i++) results.push(await once(how, hasServer))
      const gone = results.flatMap((result) => result.gone) as (number | undefined)[]
      const back = results.flatMap((result) => result.back) as (number | undefined)[]
      const again = back.length > 0 ? `; back after SIGCONT: ${show(back)}` : ''
      console.log(`${how}, server ${hasServer ? 'up' : 'stopped'}: gone ${show(gone)}${again}`)
    }
} finally {
  await observerBrowser.close()
  built.remove()
}

// `npm start -- --tabs N --run NAME`: a server on loopback, N headless Chromium tabs in one room, one demo driven to its
// end. Everything a person would do by hand is done by the page's own options; this program only opens tabs, watches
// and prints. Exits 0 when the demo is solved, 1 when it is not within the time or something broke, and says why.
import { createSignalingServer } from '@shoal/signaling-server'
import { silentLog } from '@shoal/base'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { chromiumLaunchOptions } from './lib/find-chromium.mjs'
import { readRunOptions } from './run-room/options.ts'
import type { RunOptions } from './run-room/options.ts'
import { createPrinter } from './run-room/printer.ts'
import type { TabFigures } from './run-room/printer.ts'
import type { SessionStatus } from '@shoal/sdk'
import type { RunReport } from '@shoal/room'

const options = optionsOrExit()
const printer = createPrinter(options.isJson, process.stdout)
process.exitCode = await main()

function optionsOrExit(): RunOptions {
  try {
    return readRunOptions(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(2)
  }
}

async function main(): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error('interrupted')))
  const server = await createSignalingServer({
    host: '127.0.0.1',
    ...(options.port !== undefined && { port: options.port }),
    siteDir: new URL('../apps/room/dist', import.meta.url).pathname,
    log: silentLog,
  })
  let browser: Browser | undefined
  try {
    browser = await chromium.launch({
      ...chromiumLaunchOptions(options.chromium),
      handleSIGINT: false,
      handleSIGTERM: false,
    })
    return await run(browser, `http://127.0.0.1:${server.port}/`, stop.signal)
  } catch (error) {
    printer.failed(error instanceof Error ? error.message : String(error))
    return 1
  } finally {
    await browser?.close()
    await server.close()
  }
}

async function run(browser: Browser, url: string, signal: AbortSignal): Promise<number> {
  printer.opening(options, url)
  const runPart = options.run === undefined ? '' : `&run=${options.run}&tabs=${options.tabs}`
  const driver = await openTab(browser, `${url}#auto=make${runPart}`)
  await driver.waitForFunction(() => window.__shoal__?.room !== undefined, undefined, { timeout: 30_000 })
  const helperLink = await driver.evaluate(() => window.__shoal__?.room?.helperLink ?? '')
  const fragment = helperLink.slice(helperLink.indexOf('#'))
  const helpers: Page[] = []
  for (let i = 1; i < options.tabs; i++) helpers.push(await openTab(browser, `${url}${fragment}&auto=help`))
  if (options.run === undefined) {
    printer.open(helperLink)
    await aborted(signal)
    return 0
  }
  const report = await watch(driver, options, signal)
  const figures = await Promise.all([driver, ...helpers].map((page) => figuresOf(page)))
  printer.table(figures, report)
  printer.ended(report, options)
  return report.state === 'done' && report.solved ? 0 : 1
}

/** A tab of its own: its own context, so that its renderer is its own process. */
async function openTab(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => printer.warn(`a tab reports: ${error.message}`))
  await page.goto(url)
  return page
}

/** Prints the run's reports until it has ended, the time is up or we are interrupted. */
async function watch(driver: Page, { timeoutMs }: RunOptions, signal: AbortSignal): Promise<RunReport> {
  let last: RunReport | undefined
  let finish: (report: RunReport) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const ended = new Promise<RunReport>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  const onReport = (report: RunReport, status: SessionStatus | undefined): void => {
    last = report
    const working = status?.members.filter((member) => member.state === 'connected' && member.slots > 0)
    printer.progress(report, working?.length ?? 1)
    if (report.state === 'done' || report.state === 'failed' || report.state === 'stopped') finish(report)
  }
  await driver.exposeFunction('shoalReport', onReport)
  const timer = setTimeout(() => fail(new Error(notSolved(last, timeoutMs))), timeoutMs)
  const onAbort = (): void => fail(new Error('interrupted'))
  signal.addEventListener('abort', onAbort)
  try {
    // No named functions in here: the TypeScript loader would wrap them in a helper that the page does not have.
    await driver.evaluate(() => {
      const shoal = window.__shoal__
      const { shoalReport } = window as unknown as { shoalReport(run: unknown, status: unknown): Promise<void> }
      shoal?.onRun((run) => void shoalReport(run, shoal.status()))
      if (shoal?.run) void shoalReport(shoal.run, shoal.status())
    })
    return await ended
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function notSolved(report: RunReport | undefined, timeoutMs: number): string {
  const limit = `not solved within ${Math.round(timeoutMs / 1000)} s`
  if (report === undefined || report.iteration === 0) return `${limit}: no iteration was finished`
  const mean = report.meanReturn === undefined ? '' : `, mean return ${report.meanReturn.toFixed(1)}`
  return `${limit}: ${report.iteration} iterations${mean}`
}

function figuresOf(page: Page): Promise<TabFigures> {
  return page.evaluate(() => {
    const status = window.__shoal__?.status()
    return {
      nodeId: status?.nodeId ?? '',
      tasksRun: status?.tasksRun ?? 0,
      cpuMs: status?.cpuMs ?? 0,
      bytesSent: status?.bytesSent ?? 0,
      bytesReceived: status?.bytesReceived ?? 0,
    }
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

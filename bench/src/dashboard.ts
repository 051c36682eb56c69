import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import type { Browser, CDPSession } from 'playwright-core'
import { build } from 'vite'

const REPLAY = { tabs: 50, perSecond: 5_000 }
const ASKED_MS = 8
const WARM_UP_MS = 15_000
const TRACED_MS = 15_000
const VIEWS = ['Stream', 'Graph', 'Waiting'] as const

type Row = (what: string, figure: string, limit: string, share: string) => void

/** Of Chromium's trace; times in microseconds. */
interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
}

/** What runs script, and what it leaves to be collected. */
const SCRIPT = new Set([
  'EvaluateScript',
  'EventDispatch',
  'FireAnimationFrame',
  'FunctionCall',
  'MajorGC',
  'MinorGC',
  'RunMicrotasks',
  'TimerFire',
])

/** Script of the room page's main thread in each frame, while its dashboard shows a replay of 50 tabs and 5,000 tasks a second. */
export async function measureDashboard(browser: Browser, row: Row): Promise<void> {
  const siteDir = await mkdtemp(path.join(tmpdir(), 'shoal-bench-room-'))
  await build({
    root: new URL('../../apps/room', import.meta.url).pathname,
    logLevel: 'warn',
    build: { outDir: siteDir, emptyOutDir: true },
  })
  const server = await createSignalingServer({ port: 0, host: '127.0.0.1', siteDir, log: silentLog })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    const page = await context.newPage()
    const { tabs, perSecond } = REPLAY
    await page.goto(`http://127.0.0.1:${server.port}/#view=dashboard&replay=${tabs}x${perSecond}`)
    await page.getByRole('heading', { name: 'Task stream' }).waitFor()
    // Until the stream is full and the engine has compiled it.
    await page.waitForTimeout(WARM_UP_MS)
    for (const view of VIEWS) {
      await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view }).click()
      await page.waitForTimeout(1_000)
      const cdp = await context.newCDPSession(page)
      const frames = scriptOfFrames(await trace(cdp, TRACED_MS)).sort((a, b) => a - b)
      const at = (share: number): number => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))] ?? 0
      const what = view === 'Stream' ? 'dashboard, script a frame, p95' : `  its ${view.toLowerCase()}`
      const more = `${frames.length} frames, median ${at(0.5).toFixed(1)}, p99 ${at(0.99).toFixed(1)}`
      row(what, `${at(0.95).toFixed(1)} ms`, `${ASKED_MS} ms asked (${more})`, '')
      await cdp.detach()
      // The stream draws each frame. Views that draw when something changed need somebody who says where one ends.
      if (view === 'Stream') await page.evaluate('(function again() { requestAnimationFrame(again) })()')
    }
  } finally {
    await context.close()
    await server.close()
    await rm(siteDir, { recursive: true, force: true })
  }
}

async function trace(cdp: CDPSession, ms: number): Promise<TraceEvent[]> {
  const events: TraceEvent[] = []
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  const ended = new Promise<void>((resolve) => cdp.once('Tracing.tracingComplete', () => resolve()))
  await cdp.send('Tracing.start', { categories: 'devtools.timeline,v8', transferMode: 'ReportEvents' })
  await new Promise((resolve) => setTimeout(resolve, ms))
  await cdp.send('Tracing.end')
  await ended
  return events
}

/** Milliseconds of script from each animation frame to the next, on the thread that has most of them. */
function scriptOfFrames(events: readonly TraceEvent[]): number[] {
  const counts = new Map<string, number>()
  for (const { name, pid, tid } of events)
    if (name === 'FireAnimationFrame') counts.set(`${pid} ${tid}`, (counts.get(`${pid} ${tid}`) ?? 0) + 1)
  const [main] = [...counts].sort(([, a], [, b]) => b - a)
  const own = events
    .filter(({ name, ph, pid, tid }) => ph === 'X' && SCRIPT.has(name) && `${pid} ${tid}` === main?.[0])
    .sort((a, b) => a.ts - b.ts)
  const frames: number[] = []
  let script: number | undefined
  let until = 0
  for (const { name, ts, dur = 0 } of own) {
    if (name === 'FireAnimationFrame') {
      if (script !== undefined) frames.push(script / 1_000)
      script = 0
    }
    // Script within script counts once.
    const from = Math.max(ts, until)
    if (script !== undefined) script += Math.max(0, ts + dur - from)
    until = Math.max(until, ts + dur)
  }
  return frames
}

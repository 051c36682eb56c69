// `npm run soak -- --minutes 10 --seed 1`: a room of three tabs in headless Chromium in which actors are made, called, killed
// and dropped at random for so long. The exit code is 1 if a count was wrong or something was left at the end.
import { parseArgs } from 'node:util'
import { chromium } from '@playwright/test'
import { silentLog } from '@shoal/base'
import { createSignalingServer } from '@shoal/signaling-server'
import { chromiumLaunchOptions } from '../../scripts/lib/find-chromium.mjs'
import buildPage, { siteDir } from '../support/build-page.ts'
import { join, openTab, untilLinked } from '../support/tab.ts'
import type { Tab } from '../support/tab.ts'
import { placeOf, runSoak } from './run-soak.ts'
import type { SoakTab } from './run-soak.ts'

const TABS = 3
/** Until the engine has compiled what it will, and each table that is kept within a bound is full. */
const MOST_WARM_UP_MS = 240_000
const WARM_UP_SHARE = 0.4

const { minutes, seed } = soakOptions(process.argv.slice(2))
const removePage = await buildPage()
const server = await createSignalingServer({ port: 0, host: '127.0.0.1', siteDir: siteDir(), log: silentLog })
const browser = await chromium.launch(chromiumLaunchOptions(process.env['SHOAL_CHROMIUM']))
try {
  const tabs = await openRoom(`http://127.0.0.1:${server.port}/`)
  const ms = minutes * 60_000
  const { summary, faults } = await runSoak(tabs, {
    seed,
    warmUpMs: Math.min(MOST_WARM_UP_MS, ms * WARM_UP_SHARE),
    ms,
    say: (line) => process.stderr.write(`soak: ${line}\n`),
  })
  for (const line of summary) console.log(line)
  for (const fault of faults) console.log(`WRONG ${fault}`)
  console.log(faults.length === 0 ? 'everything right, nothing left' : `${faults.length} things wrong, seed ${seed}`)
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await browser.close()
  await server.close()
  await removePage()
}

async function openRoom(url: string): Promise<SoakTab[]> {
  const open = (): Promise<Tab> => openTab({ browser, url })
  const options = (tab: number) => ({
    workers: 2,
    lend: true,
    resources: { [placeOf(tab)]: 100 },
    warnBeforeClose: false,
  })
  const first = await open()
  const made = await first.page.evaluate(async (init) => {
    const { createRoom, currentSession } = window.shoalTest.sdk
    const { ownerLink } = await createRoom({ server: location.origin, ...init })
    return { room: ownerLink ?? '', nodeId: currentSession()?.status().nodeId ?? '' }
  }, options(0))
  const tabs = [{ ...first, nodeId: made.nodeId }]
  for (let tab = 1; tab < TABS; tab++) {
    const other = await open()
    tabs.push({ ...other, nodeId: await join(other, { ...options(tab), room: made.room }) })
  }
  await Promise.all(tabs.map((tab) => untilLinked(tab, TABS - 1)))
  return tabs
}

/** @throws Error that says which flag is wrong. */
function soakOptions(args: readonly string[]): { readonly minutes: number; readonly seed: number } {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string' }, seed: { type: 'string' } },
    strict: true,
  })
  const wanted = { minutes: Number(values.minutes ?? 10), seed: Number(values.seed ?? 1) }
  if (!(wanted.minutes > 0)) throw new Error('--minutes takes a number above 0')
  if (!Number.isInteger(wanted.seed) || wanted.seed < 0) throw new Error('--seed takes a whole number from 0 on')
  return wanted
}

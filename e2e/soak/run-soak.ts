// A room of three tabs in which actors are made, called, killed and dropped at random; then nothing may be wrong or left.
import type { Page } from '@playwright/test'
import { NodeProbe } from '../../scripts/lib/node-probe.ts'
import type { NodeLook } from '../../scripts/lib/node-probe.ts'
import type { Answer } from '../page/soak/oracle.ts'
import type { SoakReport } from '../page/soak/book.ts'
import type { SoakDriver } from '../page/soak/driver.ts'

declare global {
  interface Window {
    soakDriver: SoakDriver
  }
}

export interface SoakTab {
  readonly page: Page
  readonly nodeId: string
}

export interface SoakOptions {
  readonly seed: number
  /** Until what the engines compile and what is remembered of ended tasks has its size. */
  readonly warmUpMs: number
  readonly ms: number
  say(line: string): void
}

export interface SoakOutcome {
  /** How many of what, over all tabs. */
  readonly summary: readonly string[]
  /** All that was wrong; none: every count was right, and nothing was left. */
  readonly faults: readonly string[]
}

/** How a tab offers its own resource: see `at`. */
export const placeOf = (tab: number): string => `tab${tab}`

/**
 * What a tab keeps of tasks that have ended (docs/state.md), and of a page's calls with options of their own: filled, they grow
 * no more.
 */
const REMEMBERED = 2_000
const LEFT_WITHIN_MS = 40_000
const LOOK_MS = 500
/** A long run is looked at so often: what grows with the work done is told from what has a bound. */
const PART_MS = 600_000
const HEAP_SHARE = 0.05
const HEAP_BYTES = 1_000_000

/** Each tab is in the room, linked to the others, may submit, and offers 100 of the resource of its place. */
export async function runSoak(tabs: readonly SoakTab[], options: SoakOptions): Promise<SoakOutcome> {
  const { seed, warmUpMs, ms, say } = options
  const probes = await Promise.all(tabs.map(({ page, nodeId }) => NodeProbe.of(page, nodeId)))
  const places = tabs.map((_, tab) => placeOf(tab))
  const look = (tab: number): Promise<Left> => lookAt(tabs[tab] as SoakTab, probes[tab] as NodeProbe)
  const start = await Promise.all(tabs.map((_, tab) => look(tab)))
  await Promise.all(
    tabs.map(async ({ page }, tab) => {
      await page.evaluate(
        async ({ remembered, ...more }) => {
          window.soakDriver = new window.shoalTest.SoakDriver(more)
          await window.soakDriver.fill(remembered)
        },
        { tab, seed, places, remembered: REMEMBERED },
      )
    }),
  )
  const phase = async (
    what: string,
    phaseMs: number,
  ): Promise<{ reports: SoakReport[]; heaps: number[]; left: string[] }> => {
    say(`${what}: ${(phaseMs / 1000).toFixed(0)} s`)
    const reports = await Promise.all(
      tabs.map(({ page }) => page.evaluate((forMs) => window.soakDriver.run(forMs), phaseMs)),
    )
    const left = await untilNothingIsLeft(tabs, look, start)
    const heaps = await Promise.all(probes.map((probe) => probe.objectBytes()))
    return { reports, heaps, left }
  }
  const warm = await phase('warm-up', warmUpMs)
  const parts = [warm]
  for (let restMs = ms; restMs > 0 && parts.at(-1)?.left.length === 0; restMs -= PART_MS)
    parts.push(await phase('run', Math.min(restMs, PART_MS)))
  // Each report tells of everything so far.
  const { reports, left } = parts.at(-1) ?? warm
  const faults = [...reports.flatMap((report) => report.faults), ...sharedFaults(reports), ...left]
  tabs.forEach((_, tab) => {
    const heaps = parts.map((part) => part.heaps[tab] ?? 0)
    const [before = 0] = heaps
    const shown = `tab ${tab}: what the node worker keeps, after the warm-up and after each part: ${heaps.map(megabytes).join(', ')} MB`
    say(shown)
    if ((heaps.at(-1) ?? 0) > before * (1 + HEAP_SHARE) + HEAP_BYTES) faults.push(shown)
  })
  return { summary: summaryOf(reports), faults }
}

/** What a tab has and does, by its own word, its node's and the browser's. */
interface Left {
  readonly node: NodeLook
  /** Threads and frames of the page that no worker of the node stands for. */
  readonly threads: number
  readonly frames: number
  readonly rows: readonly string[]
  readonly members: number
}

async function lookAt({ page }: SoakTab, probe: NodeProbe): Promise<Left> {
  const [node, seen] = await Promise.all([
    probe.look(),
    page.evaluate(async () => {
      const { currentSession, listActors, listObjects, listTasks, listWorkers } = window.shoalTest.sdk
      const options = { limit: 10_000 }
      const [actors, objects, tasks, workers] = await Promise.all([
        listActors(options),
        listObjects(options),
        listTasks(options),
        listWorkers(options),
      ])
      const missing = [actors, objects, tasks, workers].flatMap((answer) => answer.missing)
      const rows = [
        ...actors.rows.flatMap(({ state, actorId }) => (state === 'DEAD' ? [] : [`the actor ${actorId} is ${state}`])),
        ...objects.rows.map(({ objectId, taskName }) => `the object ${objectId} of ${taskName ?? 'put'}`),
        ...tasks.rows.flatMap(({ state, name, taskId }) =>
          state === 'FINISHED' || state === 'FAILED' ? [] : [`the task ${taskId}, ${name}, is ${state}`],
        ),
        ...workers.rows.flatMap(({ state, workerId }) =>
          state === 'IDLE' ? [] : [`the worker ${workerId} is ${state}`],
        ),
        ...missing.map((nodeId) => `the tab ${nodeId} did not answer`),
      ]
      const members = currentSession()?.status().members ?? []
      return { rows, members: members.filter(({ isSelf, state }) => !isSelf && state === 'connected').length }
    }),
  ])
  const threads = page.workers().length - node.holdings.workers
  return { node, threads, frames: page.frames().length, ...seen }
}

/** Waits until each tab is as it was at the start; else tells what is left. */
async function untilNothingIsLeft(
  tabs: readonly SoakTab[],
  look: (tab: number) => Promise<Left>,
  start: readonly Left[],
): Promise<string[]> {
  for (const end = performance.now() + LEFT_WITHIN_MS; ;) {
    const all = await Promise.all(tabs.map((_, tab) => look(tab)))
    const left = all.flatMap((now, tab) => leftIn(now, start[tab] as Left).map((what) => `tab ${tab} still: ${what}`))
    if (left.length === 0 || performance.now() > end) return left
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

function leftIn(now: Left, start: Left): string[] {
  const { workers, ...holdings } = now.node.holdings
  const before: Readonly<Record<string, number>> = { ...start.node.holdings }
  const counts: Record<string, number> = {
    ...holdings,
    records: now.node.records,
    threads: now.threads,
    frames: now.frames,
  }
  const counted: Record<string, number> = {
    ...before,
    records: start.node.records,
    threads: start.threads,
    frames: start.frames,
  }
  return [
    ...now.rows,
    ...Object.entries(counts).flatMap(([name, count]) =>
      count > (counted[name] ?? 0) ? [`${count} ${name}, ${counted[name] ?? 0} at the start`] : [],
    ),
    ...(workers > MOST_IDLE ? [`${workers} workers`] : []),
    ...(now.members < start.members ? [`linked to ${now.members} tabs`] : []),
  ]
}

/** Idle ones wait for the next task: as many as tasks have ever run at a time, those that take no CPU among them. */
const MOST_IDLE = 16

/** An actor that all tabs call gives each count once, whoever asked. */
function sharedFaults(reports: readonly SoakReport[]): string[] {
  const seen = new Map<string, Answer>()
  const faults: string[] = []
  for (const answer of reports.flatMap(({ shared }) => shared)) {
    const key = `${answer.serial} ${answer.count}`
    const other = seen.get(key)
    if (other !== undefined)
      faults.push(`the calls ${other.call} and ${answer.call} of a shared actor were both number ${answer.count}`)
    seen.set(key, answer)
  }
  return faults
}

function summaryOf(reports: readonly SoakReport[]): string[] {
  const total = (pick: (report: SoakReport) => Readonly<Record<string, number>>): string =>
    Object.entries(
      reports.map(pick).reduce<Record<string, number>>((sum, each) => {
        for (const [name, count] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + count
        return sum
      }, {}),
    )
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
      .join(', ')
  return [total(({ counts }) => counts), `calls by outcome: ${total(({ outcomes }) => outcomes)}`]
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2)

import type { Page } from '@playwright/test'
import type { SessionStatus } from '@shoal/sdk'
import type { Child, Made, Ran } from '../page/ledger.remote.ts'
import { expect } from './room-test.ts'
import type { OpenRoomOptions, RoomTab, TestRoom } from './room-test.ts'

declare global {
  interface Window {
    made: Made
    ran: Promise<Ran[]>
  }
}

/** Long enough for everything that is asked for meanwhile. */
export const GRACE_MS = 4_000
const VALUES = 10
const BYTES = 300_000
type Options = OpenRoomOptions['tabs'][number]

/** Each has a resource of its own name, so that tasks can be sent to it. */
export function named(name: string, more: Options = {}): Options {
  return {
    name,
    workers: 1,
    warnBeforeClose: false,
    ...more,
    resources: { [name]: 100, ...more.resources },
    debug: { graceMs: GRACE_MS, ...more.debug },
  }
}

export interface Four {
  readonly driver: RoomTab
  readonly a: RoomTab
  readonly b: RoomTab
  readonly c: RoomTab
}

export function four({ tabs }: TestRoom): Four {
  const [driver, a, b, c] = tabs
  if (!a || !b || !c) throw new Error('tabs are missing')
  return { driver, a, b, c }
}

/** Tasks that may run there and in one other place are wanted by both. */
export const FOUR = [
  named('driver'),
  named('a', { resources: { ac: 100 } }),
  named('b'),
  named('c', { resources: { ac: 100 } }),
]

/** A task in the place makes values and children, which it owns; the page of the driver keeps their refs. */
export async function makeIn(driver: RoomTab, place: string, children: readonly Child[]): Promise<void> {
  await driver.page.evaluate(
    async (to) => {
      const { at, sdk, ledger } = window.shoalTest
      const ref = ledger.makeHere.options(at(to.place)).remote(to.values, to.bytes, to.children)
      window.made = await sdk.get(ref)
      ref.release()
    },
    { place, children, values: VALUES, bytes: BYTES },
  )
}

/** Gets everything that was made, checks the values, and tells what became of the children. */
export async function getAll({ page }: RoomTab): Promise<Ran[]> {
  const seen = await page.evaluate(async (bytes) => {
    const { sdk, contentHash, madeBytes } = window.shoalTest
    const { small, large, children } = window.made
    const [values, content, ran] = await Promise.all([sdk.get(small), sdk.get(large), sdk.get(children)])
    return { values: [...values], isRight: contentHash(content) === contentHash(madeBytes(3, bytes)), ran: [...ran] }
  }, BYTES)
  expect(seen.values).toEqual(Array.from({ length: VALUES }, (_, index) => `value ${index}`))
  expect(seen.isRight).toBe(true)
  return seen.ran
}

export const release = ({ page }: RoomTab): Promise<void> =>
  page.evaluate(() => {
    for (const ref of [...window.made.small, window.made.large, ...window.made.children]) ref.release()
  })

/** How often tasks of a name began, by what they said on the driver's console. */
export const runsOf = ({ lines }: RoomTab, name: string): number =>
  lines.filter(({ text }) => text.includes(`runs ${name}`)).length

export const statusOf = (page: Page): Promise<SessionStatus> =>
  page.evaluate(() => {
    const status = window.shoalTest.sdk.currentSession()?.status()
    if (status === undefined) throw new Error('no session')
    return status
  })

/** Tabs that are gone and whose objects the tab `self` answers for. */
export function takenBy(ledgers: SessionStatus['ledgers'], self: string | undefined): string[] {
  return ledgers.flatMap(({ owner, answeredBy }) => (answeredBy === self && owner !== self ? [owner] : []))
}

/** Every tab is free of everything in the end. */
export async function untilNothingIsLeft(tabs: readonly RoomTab[]): Promise<void> {
  const left = async (): Promise<unknown[]> =>
    Promise.all(
      tabs.map(async ({ page }) => {
        const { ledgers, objects, running, hasUnfinishedTasks, nodeId } = await statusOf(page)
        const records = ledgers.reduce((sum, ledger) => sum + ledger.records, 0)
        return { records, taken: takenBy(ledgers, nodeId), objects, running, hasUnfinishedTasks }
      }),
    )
  const nothing = { records: 0, taken: [], objects: 0, running: 0, hasUnfinishedTasks: false }
  await expect.poll(left, { timeout: GRACE_MS + 12_000 }).toEqual(tabs.map(() => nothing))
}

/**
 * The driver leaves for good, and everything of its job is freed at once. Where the tab that a task ran in lives on, its
 * worker keeps the refs that the task made until its garbage is collected, which no test can ask for.
 */
export async function endJob(driver: RoomTab, others: readonly RoomTab[]): Promise<void> {
  await driver.page.evaluate(() => window.shoalTest.sdk.shutdown())
  await untilNothingIsLeft(others)
}

/** Copies of what no task makes again are elsewhere within moments; until then it could be lost. */
export async function untilCopied(tabs: readonly RoomTab[]): Promise<void> {
  const bytes = async (): Promise<number> => {
    const all = await Promise.all(tabs.map(({ page }) => statusOf(page)))
    return all.reduce((sum, { objectBytes }) => sum + objectBytes, 0)
  }
  await expect.poll(bytes).toBeGreaterThanOrEqual(BYTES)
}

export const close = (tab: RoomTab): Promise<void> => tab.page.close({ runBeforeUnload: true })

/** Kills the page's renderer; resolves when it is gone. */
export async function crash({ page }: RoomTab): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  const gone = page.waitForEvent('crash')
  devtools.send('Page.crash').catch(() => undefined)
  await gone
}

import type { InitOptions } from '@shoal/sdk'
import type { Ran } from './page/ledger.remote.ts'
import {
  four,
  FOUR,
  getAll,
  GRACE_MS,
  makeIn,
  named,
  runsOf,
  statusOf,
  takenBy,
  untilCopied,
  untilNothingIsLeft,
} from './support/ledger-room.ts'
import { expect, test } from './support/room-test.ts'
import type { RoomTab } from './support/room-test.ts'
import { join, untilLinked } from './support/tab.ts'

/** Each name as the page keeps it: what was made in a's tab, a run that is far longer than the grace, one of its own tab. */
async function keepAll(driver: RoomTab): Promise<void> {
  await makeIn(driver, 'a', [{ name: 'child', place: 'c', ms: 1 }])
  await driver.page.evaluate(async () => {
    const { at, sdk, ledger } = window.shoalTest
    const session = sdk.currentSession()
    session?.keep('made', sdk.put(window.made))
    session?.keep('long', ledger.nap.options(at('b')).remote('long', 12_000))
    session?.keep('here', ledger.nap.options(at('driver')).remote('here', 1))
    const here = session?.kept('here')
    if (here !== undefined) await sdk.get(here)
  })
  await expect.poll(() => runsOf(driver, 'long')).toBe(1)
}

/** The page is loaded anew, finds its link again and is another tab of the room. */
async function reload(driver: RoomTab, room: string, options: InitOptions = named('driver')): Promise<RoomTab> {
  await driver.page.reload()
  await driver.page.waitForFunction(() => 'shoalTest' in window)
  return { ...driver, nodeId: await join(driver, { ...options, room }) }
}

async function getKept(driver: RoomTab): Promise<Ran[]> {
  await driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    const made = sdk.currentSession()?.kept<Window['made']>('made')
    if (made === undefined) throw new Error('nothing was kept')
    window.made = await sdk.get(made)
  })
  await getAll(driver)
  return driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    const refs = ['here', 'long'].flatMap((name) => sdk.currentSession()?.kept<Ran>(name) ?? [])
    return [...(await sdk.get(refs))]
  })
}

test('[G11] a driver reloads, twice: it finds what it kept, its job goes on, and nothing runs again', async ({
  openRoom,
}) => {
  const room = await openRoom({ tabs: FOUR })
  const { driver, a, b, c } = four(room)
  await keepAll(driver)
  await untilCopied([driver, b, c])
  const second = await reload(driver, room.ownerLink)
  expect(second.nodeId).not.toBe(driver.nodeId)
  await untilLinked(second, 3)
  const taken = async (tab: RoomTab): Promise<string[]> => {
    const { ledgers } = await statusOf(tab.page)
    return takenBy(ledgers, tab.nodeId).sort()
  }
  await expect.poll(() => taken(second)).toEqual([driver.nodeId])
  const third = await reload(second, room.ownerLink)
  const ran = await getKept(third)
  expect(ran.map(({ name, nodeId, attempt }) => [name, nodeId, attempt])).toEqual([
    ['here', driver.nodeId, 0],
    ['long', b.nodeId, 0],
  ])
  expect(['child', 'here', 'long'].map((name) => runsOf(driver, name))).toEqual([1, 1, 1])
  expect(await taken(third)).toContain(driver.nodeId)
  await third.page.evaluate(() => window.shoalTest.sdk.shutdown())
  await untilNothingIsLeft([a, b, c])
  expect(await third.page.evaluate(() => sessionStorage.length)).toBe(0)
})

test('[G11] a copy of a tab does not get its job, and the tab has it back after its reload', async ({
  openRoom,
  newTab,
}) => {
  const room = await openRoom({ tabs: FOUR })
  const { driver, a, b, c } = four(room)
  await keepAll(driver)
  const tab = await newTab()
  const items = await driver.page.evaluate(() => Object.entries(sessionStorage))
  await tab.page.evaluate((all) => {
    for (const [name, text] of all) sessionStorage.setItem(name, text)
  }, items)
  const copy: RoomTab = { ...tab, nodeId: await join(tab, { ...named('copy'), room: room.ownerLink }) }
  await untilLinked(copy, 4)
  const second = await reload(driver, room.ownerLink)
  await untilLinked(second, 4)
  const ran = await getKept(second)
  expect(ran.map(({ name, attempt }) => [name, attempt])).toEqual([
    ['here', 0],
    ['long', 0],
  ])
  const [mine, others] = [await statusOf(second.page), await statusOf(copy.page)]
  expect(takenBy(mine.ledgers, second.nodeId)).toContain(driver.nodeId)
  expect(takenBy(others.ledgers, copy.nodeId)).toEqual([])
  expect(runsOf(driver, 'long')).toBe(1)
  for (const { page } of [copy, second]) await page.evaluate(() => window.shoalTest.sdk.shutdown())
  await untilNothingIsLeft([a, b, c])
})

test('[G10] a driver that reloads and has lost what it put by: its job ends with the grace', async ({ openRoom }) => {
  const room = await openRoom({ tabs: FOUR })
  const { driver, a, b, c } = four(room)
  await keepAll(driver)
  await driver.page.evaluate(() => sessionStorage.clear())
  const second = await reload(driver, room.ownerLink)
  expect(await second.page.evaluate(() => window.shoalTest.sdk.currentSession()?.kept('long'))).toBeUndefined()
  const running = async (): Promise<number> => (await statusOf(b.page)).running
  expect(await running()).toBe(1)
  await expect.poll(running, { timeout: GRACE_MS + 4_000 }).toBe(0)
  await second.page.evaluate(() => window.shoalTest.sdk.shutdown())
  await untilNothingIsLeft([a, b, c])
})

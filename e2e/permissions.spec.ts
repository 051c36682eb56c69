import { expect, test } from './support/room-test.ts'
import { join, untilLinked } from './support/tab.ts'

test("a tab that came by a helper's link cannot submit", async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  const helper = tabs[1]
  if (helper === undefined) throw new Error('no helper')
  const outcomes = await helper.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const outcome = (ref: InstanceType<typeof sdk.ObjectRef>): Promise<string> =>
      sdk.get(ref).then(
        (value) => `the value ${String(value)}`,
        (error: unknown) => (error instanceof sdk.PermissionError ? error.code : String(error)),
      )
    const inline = sdk.remote(() => 1)
    const counter = work.Counter.remote(0)
    const room = sdk.currentSession()?.room
    return {
      outcomes: [
        await outcome(work.add.remote(1, 2)),
        await outcome(inline.remote()),
        await outcome(counter.read.remote()),
      ],
      ownerLink: room?.ownerLink,
    }
  })
  expect(outcomes.outcomes).toEqual(['permission', 'permission', 'permission'])
  expect(outcomes.ownerLink).toBeUndefined()
  const members = await tabs[0].page.evaluate(async () => {
    const { members } = await window.shoalTest.until(({ members }) => members.every(({ name }) => name !== 'a tab'))
    return members.map(({ name, canSubmit }) => ({ name, canSubmit }))
  })
  expect(members).toEqual([
    { name: 'driver', canSubmit: true },
    { name: 'helper 1', canSubmit: false },
  ])
})

test("a second tab with the owner's link submits too, and its tasks run in the others", async ({
  openRoom,
  newTab,
}) => {
  const { tabs, ownerLink } = await openRoom({ tabs: [{}, { workers: 2 }] })
  const second = await newTab()
  await join(second, { room: ownerLink, workers: 1, name: 'second driver' })
  await untilLinked(second, 2)
  const places = await second.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get([work.busy.options({ numCpus: 2 }).remote(0, 1), work.busy.options({ numCpus: 2 }).remote(1, 1)])
  })
  expect(places.map(({ nodeId }) => nodeId)).toEqual([tabs[1]?.nodeId, tabs[1]?.nodeId])
})

test('a tab that does not lend runs nothing of others until it does', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, { lend: false, workers: 2 }] })
  const [driver, helper] = tabs
  if (helper === undefined) throw new Error('no helper')
  const running = driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    // One that only the helper could run, and more than the driver does by itself before they are through.
    const there = work.busy.options({ numCpus: 2 }).remote(0, 1)
    const here = await sdk.get(Array.from({ length: 20 }, (_, index) => work.busy.remote(index, 50)))
    const [ready] = await sdk.wait([there], { timeoutMs: 1 })
    Object.assign(window, { there })
    return { nodes: [...new Set(here.map(({ nodeId }) => nodeId))], isReady: ready.length > 0 }
  })
  expect(await running).toEqual({ nodes: [driver.nodeId], isReady: false })
  const before = await helper.page.evaluate(() => window.shoalTest.sdk.currentSession()?.status())
  expect(before).toMatchObject({ isLending: false, guestTasksRun: 0, tasksRun: 0 })
  await helper.page.evaluate(() => window.shoalTest.sdk.currentSession()?.lend(true))
  const place = await driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    return sdk.get((window as unknown as { there: ReturnType<typeof window.shoalTest.work.busy.remote> }).there)
  })
  expect(place.nodeId).toBe(helper.nodeId)
})

test('a tab that stops lending in the middle of a run leaves the rest to the others', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  const [driver, helper] = tabs
  if (helper === undefined) throw new Error('no helper')
  const running = driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get(Array.from({ length: 80 }, (_, index) => work.busy.remote(index, 50)))
  })
  const stopped = await helper.page.evaluate(async () => {
    const { sdk, until } = window.shoalTest
    await until(({ guestTasksRun }) => guestTasksRun >= 5)
    sdk.currentSession()?.lend(false)
    const { guestTasksRun } = await until(({ running }) => running === 0)
    return guestTasksRun
  })
  const results = await running
  expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 80 }, (_, index) => index))
  const there = results.filter(({ nodeId }) => nodeId === helper.nodeId).length
  expect(there).toBeGreaterThanOrEqual(5)
  expect(there).toBeLessThan(40)
  expect(Math.abs(there - stopped)).toBeLessThanOrEqual(3)
})

import { expect, test } from './support/room-test.ts'
import { join, untilLinked } from './support/tab.ts'
import type { Tab } from './support/tab.ts'

/** Ends the tab's renderer as a crash does: no goodbye, no pagehide. */
async function crash(tab: Tab): Promise<void> {
  const session = await tab.page.context().newCDPSession(tab.page)
  const crashed = tab.page.waitForEvent('crash')
  // The answer never comes: the process that would give it is gone.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

const COUNT = 90
const indices = Array.from({ length: COUNT }, (_, index) => index)

for (const [how, end] of [
  ['is closed', (tab: Tab) => tab.close()],
  ['crashes', crash],
] as const)
  test(`tasks of a tab that ${how} are run again, and every result is right`, async ({ openRoom }) => {
    const { tabs } = await openRoom({ tabs: [{}, {}, {}] })
    const [driver, , lost] = tabs
    if (lost === undefined) throw new Error('no third tab')
    const before = await driver.page.evaluate(async (count) => {
      const { sdk, work } = window.shoalTest
      return sdk.get(Array.from({ length: count }, (_, index) => work.busy.remote(index, 40)))
    }, COUNT)
    expect(before.some(({ nodeId }) => nodeId === lost.nodeId)).toBe(true)
    await lost.page.evaluate(() => window.shoalTest.until(({ guestsRunning }) => guestsRunning === 0))
    const running = driver.page.evaluate(
      async ([count, nodeId]) => {
        const { sdk, work } = window.shoalTest
        return sdk.get(Array.from({ length: count }, (_, index) => work.staysAt.remote(index, nodeId)))
      },
      [COUNT, lost.nodeId] as const,
    )
    await lost.page.evaluate(() => window.shoalTest.until(({ guestsRunning }) => guestsRunning > 0))
    await end(lost)
    const results = await running
    expect(results.map(({ index }) => index)).toEqual(indices)
    const again = results.filter(({ attempt }) => attempt > 0)
    expect(again.length).toBeGreaterThan(0)
    expect(results.map(({ nodeId }) => nodeId)).not.toContain(lost.nodeId)
    const { members } = await driver.page.evaluate(() =>
      window.shoalTest.until((status) => status.members.length === 2),
    )
    expect(members.map(({ nodeId }) => nodeId)).not.toContain(lost.nodeId)
  })

test('a large result that was lost with its only tab is made again', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, { workers: 2 }, { workers: 2 }] })
  const [driver, ...helpers] = tabs
  const holder = await driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    const { remote, get } = sdk
    // Its first 32 numbers spell the node that made it.
    const make = remote(
      {},
      ({ context }, seed: number) => {
        const values = new Float64Array(500_000).fill(seed)
        const { nodeId } = context()
        for (let i = 0; i < 32; i++) values[i] = nodeId.charCodeAt(i)
        return values
      },
      { numCpus: 2 },
    )
    const ref = make.remote(3)
    await sdk.wait([ref])
    const whose = remote((values: Float64Array) => String.fromCharCode(...values.slice(0, 32)), { numCpus: 2 })
    Object.assign(window, { ref })
    return get(whose.remote(ref))
  })
  const lost = helpers.find(({ nodeId }) => nodeId === holder)
  const other = helpers.find(({ nodeId }) => nodeId !== holder)
  await lost?.close()
  const seen = await driver.page.evaluate(async () => {
    const { sdk, until } = window.shoalTest
    await until(({ members }) => members.length === 2)
    const values = await sdk.get((window as unknown as { ref: InstanceType<typeof sdk.ObjectRef<Float64Array>> }).ref)
    return { nodeId: String.fromCharCode(...values.slice(0, 32)), last: values.at(-1), length: values.length }
  })
  expect(seen).toEqual({ nodeId: other?.nodeId, last: 3, length: 500_000 })
})

test('a signaling server that stops in the middle of a run changes nothing for those present', async ({
  openRoom,
  server,
  newTab,
}) => {
  const { tabs, helperLink } = await openRoom({ tabs: [{}, {}, { workers: 2 }] })
  const [driver, helper, host] = tabs
  const running = driver.page.evaluate(async (count) => {
    const { sdk, work } = window.shoalTest
    return sdk.get(Array.from({ length: count }, (_, index) => work.busy.remote(index, 60)))
  }, COUNT)
  await helper?.page.evaluate(() => window.shoalTest.until(({ guestTasksRun }) => guestTasksRun >= 3))
  await server.stop()
  const results = await running
  expect(results.map(({ index }) => index)).toEqual(indices)
  expect(results.every(({ attempt }) => attempt === 0)).toBe(true)
  expect(new Set(results.map(({ nodeId }) => nodeId)).size).toBe(3)
  // New work, code that was never sent before, and a large object, all without the server.
  const seen = await driver.page.evaluate(async () => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const there = { numCpus: 2 }
    const bytes = madeBytes(13, 5_000_000)
    const read = await sdk.get(work.hashOf.options(there).remote(sdk.put(bytes)))
    const { state, members } = sdk.currentSession()?.status() ?? {}
    return { read, hash: contentHash(bytes), state, members: members?.map((member) => member.state) }
  })
  expect(seen.read).toMatchObject({ hash: seen.hash, nodeId: host?.nodeId })
  expect(seen).toMatchObject({ state: 'connected', members: ['connected', 'connected', 'connected'] })

  await server.restart()
  const late = await newTab()
  const nodeId = await join(late, { room: helperLink, workers: 3, name: 'late' })
  await untilLinked(late, 3)
  const place = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get(work.busy.options({ numCpus: 3 }).remote(0, 1))
  })
  expect(place.nodeId).toBe(nodeId)
})

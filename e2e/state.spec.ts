import type { StateApi } from '@shoal/sdk'
import { close, makeIn, named, untilCopied } from './support/ledger-room.ts'
import { expect, test } from './support/room-test.ts'

interface WithDoor {
  readonly __shoal__?: StateApi
}

test('[Q1, Q4, SQ2] a room tells what it does, why a task does not run, and what would make an object again', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [named('driver'), named('a'), named('b')] })
  const [driver, a, b] = tabs
  if (a === undefined || b === undefined) throw new Error('tabs are missing')
  await driver.page.evaluate(() => {
    const { at, sdk, ledger } = window.shoalTest
    // A task may send on what its own tab was given leave to run.
    return sdk.get(ledger.nap.options(at('a')).remote('first', 1))
  })
  await makeIn(driver, 'a', [{ name: 'slow', place: 'b', ms: 60_000 }])
  await untilCopied([driver, a, b])
  const tell = (): Promise<unknown> =>
    b.page.evaluate(async (owner) => {
      const { listTasks } = window.shoalTest.sdk
      const { rows, missing } = await listTasks({ filters: [['state', '=', 'RUNNING']] })
      return { rows: rows.map(({ name, ownerId, nodeId }) => [name, ownerId === owner, nodeId]), missing }
    }, a.nodeId)
  await expect.poll(tell).toEqual({ rows: [['nap', true, b.nodeId]], missing: [] })

  const why = await driver.page.evaluate(async () => {
    const { sdk, ledger } = window.shoalTest
    const never = ledger.nap.options({ numGpus: 1, name: 'never' }).remote('never', 1)
    const { pendingReason } = (await sdk.getTaskState(never)) ?? {}
    never.release()
    return pendingReason
  })
  expect(why).toBe('needs 1 GPU and no node has one')

  const held = await driver.page.evaluate(async () => {
    const { sdk } = window.shoalTest
    const [child] = window.made.children
    return child && sdk.getObjectState(child)
  })
  expect(held).toMatchObject({ ownerId: a.nodeId, answeredBy: a.nodeId, state: 'PENDING', taskName: 'nap' })
  expect(held?.lineage?.objects.map(({ taskName }) => taskName)).toEqual(['nap'])
  expect(held?.referenceCounts.borrowers).toBe(1)
  expect(held?.replicated?.successors.length).toBeGreaterThan(0)

  // Whoever takes the ledger over answers for it.
  await close(a)
  const after = (): Promise<unknown> =>
    driver.page.evaluate(async () => {
      const { sdk } = window.shoalTest
      const [child] = window.made.children
      const state = child && (await sdk.getObjectState(child))
      return [state?.taskName, state?.answeredBy === state?.ownerId, (state?.replicated?.epoch ?? 0) > 0]
    })
  await expect.poll(after).toEqual(['nap', false, true])
})

test('[SQ3] the console has the functions at __shoal__ while there is a session', async ({ newTab }) => {
  const { page } = await newTab()
  expect(await page.evaluate(() => '__shoal__' in window)).toBe(false)
  const rows = await page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    await sdk.init({ workers: 1, warnBeforeClose: false })
    await sdk.get(work.add.remote(1, 2))
    const door = (window as WithDoor).__shoal__
    const tasks = await door?.listTasks()
    console.table(tasks?.rows)
    const { rows: nodes } = (await door?.listNodes()) ?? { rows: [] }
    return { tasks: tasks?.rows.map(({ name, state }) => [name, state]), nodes: nodes.map(({ isSelf }) => isSelf) }
  })
  expect(rows).toEqual({ tasks: [['add', 'FINISHED']], nodes: [true] })
  await page.evaluate(() => window.shoalTest.sdk.shutdown())
  expect(await page.evaluate(() => '__shoal__' in window)).toBe(false)
})

test('[SQ3] a page’s own __shoal__ stays as it is', async ({ newTab }) => {
  const { page } = await newTab({ initScript: () => Object.assign(window, { __shoal__: 'mine' }) })
  await page.evaluate(() => window.shoalTest.sdk.init({ workers: 1, warnBeforeClose: false }))
  expect(await page.evaluate(() => (window as { __shoal__?: unknown }).__shoal__)).toBe('mine')
  await page.evaluate(() => window.shoalTest.sdk.shutdown())
  expect(await page.evaluate(() => (window as { __shoal__?: unknown }).__shoal__)).toBe('mine')
})

test('[SQ6] the timeline has each run in the row of the tab that it ran in', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  const [driver] = tabs
  const seen = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const places = await sdk.get(Array.from({ length: 40 }, (_, index) => work.busy.remote(index, 20)))
    const { traceEvents } = await sdk.timeline()
    const titles = new Map(
      traceEvents.flatMap(({ name, pid, args }) => (name === 'process_name' ? [[pid, String(args['name'])]] : [])),
    )
    const ran = traceEvents.filter(({ ph, cat }) => ph === 'X' && cat === 'normal_task')
    return {
      nodes: places.map(({ nodeId }) => nodeId.slice(0, 8)).sort(),
      rows: ran.map(({ pid }) => /\((.*)\)$/.exec(titles.get(pid) ?? '')?.[1]).sort(),
      shortest: Math.min(...ran.map(({ dur = 0 }) => dur)),
    }
  })
  expect(seen.rows).toEqual(seen.nodes)
  expect(new Set(seen.rows).size).toBe(2)
  expect(seen.shortest).toBeGreaterThanOrEqual(19_000)
})

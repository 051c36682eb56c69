import { expect, test } from './support/room-test.ts'

for (const force of [false, true])
  test(`a task in another tab is stopped${force ? ' with force, in the middle of a loop' : ' by its signal'}`, async ({
    openRoom,
  }) => {
    const { tabs } = await openRoom({ tabs: [{}, {}] })
    const [driver, helper] = tabs
    // As many as there are workers: one of them runs in the helper's tab.
    await driver.page.evaluate(async (force) => {
      const { sdk, work, until } = window.shoalTest
      const task = force ? work.loop : work.listens
      for (const name of ['first', 'second']) sdk.currentSession()?.keep(name, task.remote())
      await until(({ running, queued }) => running === 1 && queued === 0)
    }, force)
    await helper?.page.evaluate(() => window.shoalTest.until(({ guestsRunning }) => guestsRunning === 1))
    const { names, tookMs, sums } = await driver.page.evaluate(async (force) => {
      const { sdk, work } = window.shoalTest
      const refs = ['first', 'second'].flatMap((name) => sdk.currentSession()?.kept(name) ?? [])
      const startedAt = performance.now()
      for (const ref of refs) sdk.cancel(ref, { force })
      const names = await Promise.all(refs.map((ref) => sdk.get(ref).catch((error: Error) => error.name)))
      const tookMs = performance.now() - startedAt
      return { names, tookMs, sums: await sdk.get([1, 2, 3].map((n) => work.add.remote(n, n))) }
    }, force)
    const name = force ? 'WorkerCrashedError' : 'TaskCancelledError'
    expect(names).toEqual([name, name])
    expect(tookMs).toBeLessThan(3_000)
    expect(sums).toEqual([2, 4, 6])
    for (const tab of tabs)
      await tab.page.evaluate(() => window.shoalTest.until(({ running, queued }) => running + queued === 0))
  })

import { expect, test } from './support/room-test.ts'

for (const [name, how] of [
  ['listens', 'by its signal'],
  ['loop', 'with force, in the middle of a loop'],
  ['pollsContext', 'in a loop that looks at isCancelled'],
  ['pollsSignal', 'in a loop that looks at its signal'],
  ['submits', 'in a loop that calls the SDK'],
] as const)
  test(`a task in another tab is stopped ${how}`, async ({ openRoom }) => {
    const force = name === 'loop'
    const { tabs } = await openRoom({ tabs: [{}, {}] })
    const [driver, helper] = tabs
    // As many as there are workers: one of them runs in the helper's tab.
    await driver.page.evaluate(async (name) => {
      const { sdk, work, until } = window.shoalTest
      for (const kept of ['first', 'second']) sdk.currentSession()?.keep(kept, work[name].remote())
      await until(({ running, queued }) => running === 1 && queued === 0)
    }, name)
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
    const error = force ? 'WorkerCrashedError' : 'TaskCancelledError'
    expect(names).toEqual([error, error])
    expect(tookMs).toBeLessThan(3_000)
    expect(sums).toEqual([2, 4, 6])
    for (const tab of tabs)
      await tab.page.evaluate(() => window.shoalTest.until(({ running, queued }) => running + queued === 0))
  })

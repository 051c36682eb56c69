import { expect, test } from './support/room-test.ts'

test('Pendulum learns over three tabs, one of which is closed half-way', async ({ openRoom }) => {
  test.setTimeout(120_000)
  const { tabs } = await openRoom({ tabs: [{}, {}, {}] })
  const [driver, , lost] = tabs
  if (lost === undefined) throw new Error('no third tab')
  const running = driver.page.evaluate(async () => {
    const { trainEs, ES_SETTINGS } = window.shoalTest
    const curve: number[] = []
    const nodes: string[][] = []
    const startMs = performance.now()
    for await (const done of trainEs({ settings: ES_SETTINGS.pendulum, seed: 6, tasks: 8 })) {
      if (done.evalReturn !== undefined) curve.push(done.evalReturn)
      nodes.push([...done.byNode.keys()])
      if (done.skippedPairs > 0) throw new Error('a pair was lost')
      Object.assign(window, { bestReturn: Math.max(...curve) })
      if (done.solved) return { solved: true, curve, nodes, ms: performance.now() - startMs }
    }
    return { solved: false, curve, nodes, ms: performance.now() - startMs }
  })
  await driver.page.waitForFunction(() => (window as unknown as { bestReturn?: number }).bestReturn ?? -Infinity > -900)
  await lost.close()
  const { solved, curve, nodes, ms } = await running
  console.log(`${nodes.length} iterations in ${ms.toFixed(0)} ms: ${curve.map((value) => value.toFixed(0)).join(' ')}`)
  expect(solved).toBe(true)
  expect(nodes.flat()).toContain(lost.nodeId)
  expect(nodes.at(-1)).not.toContain(lost.nodeId)
  expect(curve[0]).toBeLessThan(-900)
  expect(curve.at(-1)).toBeGreaterThanOrEqual(-250)
})

import { expect, test } from './support/room-test.ts'

const THREE = { tabs: [{}, {}, {}] }

test('three tabs join one room and each runs tasks', async ({ openRoom }) => {
  const { tabs } = await openRoom(THREE)
  const results = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get(Array.from({ length: 60 }, (_, index) => work.busy.remote(index, 50)))
  })
  expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, index) => index))
  expect(new Set(results.map(({ nodeId }) => nodeId))).toEqual(new Set(tabs.map(({ nodeId }) => nodeId)))
  expect(results.every(({ attempt }) => attempt === 0)).toBe(true)
})

test('a tab that joins late gets work of a backlog at once', async ({ openRoom, newTab }) => {
  const { tabs, helperLink } = await openRoom({ tabs: [{}, {}] })
  const running = tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    return sdk.get(Array.from({ length: 120 }, (_, index) => work.busy.remote(index, 100)))
  })
  const late = await newTab()
  const nodeId = await late.page.evaluate(async (room) => {
    const session = await window.shoalTest.sdk.init({ room, workers: 1, lend: true })
    await window.shoalTest.until(({ guestTasksRun }) => guestTasksRun > 0)
    return session.status().nodeId
  }, helperLink)
  const nodes = (await running).map((result) => result.nodeId)
  expect(nodes.filter((id) => id === nodeId).length).toBeGreaterThan(5)
})

test('nested tasks of a remote module run over the tabs', async ({ openRoom }) => {
  const { tabs } = await openRoom(THREE)
  const { sum, nodes } = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const [sum, nodes] = await sdk.get([work.fib.remote(10), work.tree.remote(3, 3, 20)])
    return { sum, nodes }
  })
  expect(sum).toBe(55)
  expect(nodes).toHaveLength(1 + 3 + 9 + 27)
  expect(new Set(nodes)).toEqual(new Set(tabs.map(({ nodeId }) => nodeId)))
})

test('a nested inline task is handed in by name', async ({ openRoom }) => {
  const { tabs } = await openRoom(THREE)
  const results = await tabs[0].page.evaluate(async () => {
    const { remote, get } = window.shoalTest.sdk
    const square = remote((n: number) => {
      for (const end = performance.now() + 20; performance.now() < end;);
      return n * n
    })
    const sumOfSquares = remote({ square }, async ({ square, get, context }, count: number) => {
      const squares = await get(Array.from({ length: count }, (_, n) => square.remote(n)))
      return { sum: squares.reduce((sum, n) => sum + n, 0), nodeId: context().nodeId }
    })
    return get(Array.from({ length: 12 }, () => sumOfSquares.remote(6)))
  })
  expect(results.map(({ sum }) => sum)).toEqual(Array.from({ length: 12 }, () => 55))
  expect(new Set(results.map(({ nodeId }) => nodeId)).size).toBeGreaterThan(1)
})

test('refs among the arguments are resolved, wherever they were made', async ({ openRoom }) => {
  const { tabs } = await openRoom(THREE)
  const total = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const { add } = work
    let layer = Array.from({ length: 64 }, (_, n) => add.remote(n, sdk.put(1)))
    while (layer.length > 1)
      layer = Array.from({ length: layer.length / 2 }, (_, n) => {
        const [a, b] = [layer[2 * n], layer[2 * n + 1]]
        if (a === undefined || b === undefined) throw new Error('an odd layer')
        return add.remote(a, b)
      })
    const [last] = layer
    return last === undefined ? undefined : sdk.get(last)
  })
  expect(total).toBe((63 * 64) / 2 + 64)
})

test('wait gives the ready refs and the rest, each in their order', async ({ openRoom }) => {
  const { tabs } = await openRoom(THREE)
  const seen = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const here = sdk.put('here')
    const failed = work.fail.remote('an error is an outcome too')
    const slow = work.loop.options({ timeoutMs: 2000 }).remote()
    const refs = [slow, here, failed]
    const [ready, rest] = await sdk.wait(refs, { numReturns: 2 })
    const [none, all] = await sdk.wait([slow], { timeoutMs: 50 })
    const [first, others] = await sdk.wait([here, failed], { numReturns: 1 })
    return {
      ready: ready.map((ref) => refs.indexOf(ref)),
      rest: rest.map((ref) => refs.indexOf(ref)),
      timedOut: [none.length, all.length],
      most: [first.length, others.length],
      slow: await sdk.get(slow).catch((error: Error) => error.name),
    }
  })
  expect(seen).toEqual({ ready: [1, 2], rest: [0], timedOut: [0, 1], most: [1, 1], slow: 'TaskTimeoutError' })
})

test('a room with one tab that is left goes on alone', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  await tabs[1]?.close()
  const [state, sum] = await tabs[0].page.evaluate(async () => {
    const { until, sdk, work } = window.shoalTest
    const { state } = await until(({ members }) => members.length === 1)
    return [state, await sdk.get(work.add.remote(1, 2))]
  })
  expect([state, sum]).toEqual(['alone', 3])
})

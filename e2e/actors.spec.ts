import { crash } from './support/ledger-room.ts'
import { expect, test } from './support/room-test.ts'

declare global {
  interface Window {
    counter: object
    outcomes: Promise<unknown>
  }
}

// Two workers in one tab only: what asks for two CPUs runs there, wherever the others have room.
const ROOM = { tabs: [{}, { workers: 2 }, {}] }

test('an actor that lives in one tab is called from tasks in two others', async ({ openRoom }) => {
  const { tabs } = await openRoom(ROOM)
  const [driver, host, other] = tabs
  const seen = await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const counter = work.Counter.options({ numCpus: 2 }).remote(100)
    await sdk.get(counter.read.remote())
    // Each caller waits for its answers, so it keeps its worker: the next one runs in another tab or a spare worker.
    const callers = ['a', 'b', 'c', 'd', 'e', 'f']
    const busy = Array.from({ length: 6 }, (_, index) => work.busy.remote(index, 100))
    const places = await sdk.get(callers.map((caller) => work.callCounter.remote(counter, caller, 20)))
    const own = await sdk.get(Array.from({ length: 20 }, (_, call) => counter.add.remote('driver', call, 1)))
    await sdk.get(busy)
    return { places, own, end: await sdk.get(counter.read.remote()) }
  })
  expect(seen.end.nodeId).toBe(host?.nodeId)
  expect(new Set(seen.places.map(({ nodeId }) => nodeId))).toEqual(new Set([driver.nodeId, other?.nodeId]))
  expect(seen.end.sum).toBe(100 + 7 * 20)
  for (const caller of ['a', 'b', 'c', 'd', 'e', 'f', 'driver']) {
    const calls = seen.end.entries.filter((entry) => entry.caller === caller).map(({ call }) => call)
    expect(calls, `the order of ${caller}`).toEqual(Array.from({ length: 20 }, (_, call) => call))
  }
  // Every sum was given to one caller, and each caller saw its own grow.
  const sums = [...seen.places.map((place) => place.sums), seen.own]
  expect(new Set(sums.flat()).size).toBe(140)
  for (const list of sums) expect(list).toEqual([...list].sort((a, b) => a - b))
})

test('an inline actor keeps its state from call to call, and two of them are two', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  const sums = await tabs[0].page.evaluate(async () => {
    const { actor, get } = window.shoalTest.sdk
    const Sum = actor(
      class Sum {
        total = 0
        add(n: number): number {
          this.total += n
          return this.total
        }
      },
    )
    const [one, two] = [Sum.remote(), Sum.remote()]
    const calls = [1, 2, 3].flatMap((n) => [one.add.remote(n), two.add.remote(10 * n)])
    return get(calls)
  })
  expect(sums).toEqual([1, 10, 3, 30, 6, 60])
})

test('a method that throws fails its call alone; a constructor that throws fails all', async ({ openRoom }) => {
  const { tabs } = await openRoom(ROOM)
  const seen = await tabs[0].page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const { actor, get } = sdk
    const counter = work.Counter.options({ numCpus: 2 }).remote(0)
    const failed = await get(counter.fail.remote()).catch((error: Error) => ({
      name: error.name,
      cause: String(error.cause),
    }))
    const after = await get(counter.add.remote('a', 0, 1))
    const Broken = actor(
      class Broken {
        constructor() {
          throw new Error('born dead')
        }
        call(): number {
          return 1
        }
      },
    )
    const broken = Broken.remote()
    const outcomes = await Promise.all(
      [broken.call.remote(), broken.call.remote()].map((ref) =>
        get(ref).then(
          () => 'a value',
          (error: Error) => `${error.name}: ${error.message}`,
        ),
      ),
    )
    return { failed, after, outcomes }
  })
  expect(seen.failed).toEqual({ name: 'TaskError(TypeError)', cause: 'TypeError: the counter was asked to fail' })
  expect(seen.after).toBe(1)
  for (const outcome of seen.outcomes) {
    expect(outcome).toMatch(/^ActorDiedError: /)
    expect(outcome).toContain('born dead')
  }
})

test('an actor is gone with its tab, and its callers are told', async ({ openRoom }) => {
  const { tabs } = await openRoom(ROOM)
  const [driver, host] = tabs
  await driver.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const counter = work.Counter.options({ numCpus: 2 }).remote(0)
    Object.assign(window, { counter })
    await sdk.get(counter.read.remote())
  })
  await host?.close()
  const outcome = await driver.page.evaluate(async () => {
    const { sdk, until } = window.shoalTest
    const { counter } = window as unknown as {
      counter: ReturnType<typeof window.shoalTest.work.Counter.remote>
    }
    await until(({ members }) => members.length === 2)
    return sdk.get(counter.read.remote()).then(
      () => 'a value',
      (error: Error) => error.name,
    )
  })
  expect(outcome).toBe('ActorDiedError')
})

test('an actor whose tab crashes is made again in another, and calls that may be are made again', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{}, { resources: { host: 1 } }, { resources: { host: 1 } }] })
  const [driver, ...hosts] = tabs
  const first = await driver.page.evaluate(async () => {
    const { actor, get } = window.shoalTest.sdk
    const Counter = actor(
      {},
      ({ context }) =>
        class {
          count = 0
          add(n: number): { count: number; nodeId: string; wasRestarted: boolean } {
            const { nodeId, wasRestarted } = context()
            return { count: (this.count += n), nodeId, wasRestarted }
          }
          async slowly(n: number): Promise<number> {
            await new Promise((resolve) => setTimeout(resolve, context().wasRestarted ? 10 : 600_000))
            return n
          }
        },
      { resources: { host: 1 }, numCpus: 0, maxRestarts: 1, name: 'counter' },
    )
    const counter = Counter.remote()
    const seen = await get([counter.add.remote(1), counter.add.remote(1)])
    const again = counter.slowly.options({ maxTaskRetries: 1 }).remote(7)
    const once = counter.slowly.remote(8)
    window.outcomes = Promise.all([get(again), get(once).catch((error: Error) => error.name)])
    window.counter = counter
    return seen
  })
  expect(first.map(({ count, wasRestarted }) => [count, wasRestarted])).toEqual([
    [1, false],
    [2, false],
  ])
  const [host, rest] = hosts[0]?.nodeId === first[0]?.nodeId ? hosts : [...hosts].reverse()
  if (host === undefined || rest === undefined) throw new Error('two hosts are asked for')
  await crash(host)
  expect(await driver.page.evaluate(() => window.outcomes)).toEqual([7, 'ActorUnavailableError'])
  const after = await driver.page.evaluate(async () => {
    const { get, getActor } = window.shoalTest.sdk
    const found = await getActor<{ add(n: number): unknown }>('counter')
    return get(found.add.remote(1))
  })
  expect(after).toEqual({ count: 1, nodeId: rest.nodeId, wasRestarted: true })
  const killed = await driver.page.evaluate(async () => {
    const { get, getActor, kill } = window.shoalTest.sdk
    const handle = window.counter as unknown as { add: { remote(n: number): Parameters<typeof get>[0] } }
    kill(handle as never)
    const call = await get(handle.add.remote(1)).catch((error: Error) => error.name)
    const name = await getActor('counter').catch((error: Error) => error.name)
    return [call, name]
  })
  expect(killed).toEqual(['ActorDiedError', 'ActorNotFoundError'])
})

test('two thousand light actors share a few threads, and end with their handles', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, {}] })
  const [driver] = tabs
  const sum = await driver.page.evaluate(async () => {
    const { actor, get } = window.shoalTest.sdk
    const Cell = actor(
      class {
        n = 0
        add(k: number): number {
          return (this.n += k)
        }
      },
      { schedulingStrategy: 'SPREAD' },
    )
    const cells = Array.from({ length: 2_000 }, () => Cell.remote())
    const values = await get(cells.flatMap((cell, i) => [cell.add.remote(i), cell.add.remote(1)]))
    for (const cell of cells) cell[Symbol.dispose]()
    return values.reduce((total, value) => total + value, 0)
  })
  expect(sum).toBe(2_000 * 1_999 + 2_000)
  for (const { page } of tabs)
    await expect
      .poll(() => page.evaluate(() => window.shoalTest.sdk.currentSession()?.status().guestActors), { timeout: 20_000 })
      .toBe(0)
})

test('a light actor in an endless loop is killed with its thread, and its neighbours begin again', async ({
  openRoom,
}) => {
  const { tabs } = await openRoom({ tabs: [{}] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { actor, get, kill, listActors, wait } = window.shoalTest.sdk
    const Cell = actor(
      class {
        n = 0
        add(): number {
          return ++this.n
        }
        loop(): never {
          for (;;);
        }
      },
      { numCpus: 0, maxRestarts: 1, maxTaskRetries: -1 },
    )
    // They share as many threads as there are CPUs, eight at most.
    const cells = Array.from({ length: 16 }, () => Cell.remote())
    await get(cells.map((cell) => cell.add.remote()))
    const guilty = cells[15]
    if (guilty === undefined) throw new Error('there are 16')
    const never = guilty.loop.options({ maxTaskRetries: 0 }).remote()
    const others = cells.slice(0, 15)
    const add = () => others.map((cell) => cell.add.remote())
    let rounds = 1
    let again = add()
    // Until the one beside it does not answer.
    for (; (await wait(again, { numReturns: 15, timeoutMs: 1_000 }))[1].length === 0; rounds++) again = add()
    kill(guilty)
    const outcome = await get(never).catch((error: Error) => error.name)
    const counts = await get(again)
    const { rows } = await listActors({ filters: [['state', '=', 'ALIVE']] })
    return { outcome, counts, rounds, restarts: rows.map(({ numRestarts }) => numRestarts) }
  })
  expect(seen.outcome).toBe('ActorDiedError')
  const beside = seen.counts.filter((count) => count === 1)
  expect(beside.length).toBeGreaterThan(0)
  expect(seen.counts.filter((count) => count !== 1)).toEqual(Array(15 - beside.length).fill(seen.rounds + 1))
  expect(beside.length).toBeLessThan(8)
  expect(seen.restarts).toEqual(Array(15).fill(0))
})

import { expect, test } from './support/room-test.ts'

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

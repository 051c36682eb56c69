import { expect, test } from './support/room-test.ts'

// What asks for two CPUs can only run in the helper, which has two workers.
const PAIR = { tabs: [{}, { workers: 2 }] }
const MB = 1_000_000

test('an object of 20 MB goes to the task that reads it, and a result of 20 MB comes back', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const seen = await tabs[0].page.evaluate(async (length) => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const bytes = madeBytes(7, length)
    const startMs = performance.now()
    const there = await sdk.get(work.hashOf.options({ numCpus: 2 }).remote(sdk.put(bytes)))
    const sentMs = performance.now()
    const back = await sdk.get(work.makeBytes.options({ numCpus: 2 }).remote(9, length))
    return {
      there,
      hash: contentHash(bytes),
      back: { hash: contentHash(back), length: back.length },
      expected: contentHash(madeBytes(9, length)),
      ms: [sentMs - startMs, performance.now() - sentMs],
    }
  }, 20 * MB)
  expect(seen.there).toEqual({ hash: seen.hash, length: 20 * MB, nodeId: tabs[1]?.nodeId })
  expect(seen.back).toEqual({ hash: seen.expected, length: 20 * MB })
  console.log(`20 MB there and read: ${seen.ms[0]?.toFixed(0)} ms, made and back: ${seen.ms[1]?.toFixed(0)} ms`)
})

test('a large result stays where it was made until somebody wants it', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const [driver, helper] = tabs
  const seen = await driver.page.evaluate(async (length) => {
    const { sdk, work, until } = window.shoalTest
    const ref = work.makeBytes.options({ numCpus: 2 }).remote(3, length)
    const read = await sdk.get(work.hashOf.options({ numCpus: 2 }).remote(ref))
    // Status is told a few times a second: wait for the one that counts this task.
    const { bytesReceived } = await until(({ members }) =>
      members.some((member) => !member.isSelf && member.bytesReceived > 0),
    )
    return { read, bytesReceived }
  }, 20 * MB)
  expect(seen.read.nodeId).toBe(helper?.nodeId)
  expect(seen.bytesReceived).toBeLessThan(MB)
})

test('one object of the driver is read in two tabs', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{}, { workers: 2 }, { workers: 2 }] })
  const seen = await tabs[0].page.evaluate(async (length) => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const bytes = madeBytes(11, length)
    const ref = sdk.put(bytes)
    const read = work.hashOf.options({ numCpus: 2 })
    const results = await sdk.get(Array.from({ length: 8 }, () => read.remote(ref)))
    return { results, hash: contentHash(bytes) }
  }, 5 * MB)
  expect(new Set(seen.results.map(({ hash }) => hash))).toEqual(new Set([seen.hash]))
  expect(new Set(seen.results.map(({ nodeId }) => nodeId))).toEqual(new Set([tabs[1]?.nodeId, tabs[2]?.nodeId]))
})

test('tasks of one tab share what they read, and none sees what another did to it', async ({ openRoom }) => {
  const { tabs } = await openRoom({ tabs: [{ workers: 2 }] })
  const seen = await tabs[0].page.evaluate(async (length) => {
    const { sdk, work, madeBytes, contentHash } = window.shoalTest
    const hashes: { hash: string; isOwn: boolean }[][] = []
    // From the page, and from a worker: the first is shared once it is used again, the second from the start.
    for (const ref of [sdk.put(madeBytes(1, length)), work.makeBytes.remote(1, length)])
      for (let turn = 0; turn < 2; turn++)
        hashes.push(await sdk.get([ref, ref, ref, ref].map((each) => work.spoiled.remote(each))))
    return { isIsolated: crossOriginIsolated, hashes: hashes.flat(), expected: contentHash(madeBytes(1, length)) }
  }, 4 * MB)
  expect(seen.isIsolated).toBe(true)
  expect(seen.hashes).toEqual(Array.from({ length: 16 }, () => ({ hash: seen.expected, isOwn: true })))
})

for (const [size, length] of [
  ['small', 1000],
  ['large', 2 * MB],
] as const)
  test(`a ${size} object's ref inside an argument is fetched by the task, and inside a result by the driver`, async ({
    openRoom,
  }) => {
    const { tabs } = await openRoom(PAIR)
    const seen = await tabs[0].page.evaluate(async (bytes) => {
      const { sdk, work, madeBytes, contentHash } = window.shoalTest
      const there = { numCpus: 2 }
      const read = await sdk.get(work.readInside.options(there).remote({ ref: sdk.put(madeBytes(5, bytes)) }))
      const made = await sdk.get(work.putThere.options(there).remote(6, bytes))
      const hashes = [read.hash, contentHash(await sdk.get(made.ref))]
      return {
        hashes,
        expected: [5, 6].map((seed) => contentHash(madeBytes(seed, bytes))),
        nodes: [read.nodeId, made.nodeId],
      }
    }, length)
    expect(seen.hashes).toEqual(seen.expected)
    expect(seen.nodes).toEqual([tabs[1]?.nodeId, tabs[1]?.nodeId])
  })

test('values of every kind come back as they went', async ({ openRoom }) => {
  const { tabs } = await openRoom(PAIR)
  const isSame = await tabs[0].page.evaluate(async () => {
    const { remote, get } = window.shoalTest.sdk
    const echo = remote((value: unknown) => value, { numCpus: 2 })
    const circle: { self?: unknown; n: number } = { n: 1 }
    circle.self = circle
    const value = {
      numbers: [0, -0, NaN, Infinity, 2 ** 60, 1n << 80n],
      text: 'ä€😀\u0000',
      nothing: [null, undefined],
      date: new Date(86_400_000),
      map: new Map<unknown, unknown>([['a', new Set([1, 2])]]),
      regexp: /a+/giu,
      typed: [new Float32Array([1.5]), new Uint8Array([1, 2, 3]).subarray(1), new BigInt64Array([-1n])],
      error: new RangeError('within a value'),
      circle,
    }
    const back = (await get(echo.remote(value))) as typeof value
    const [, text] = [value, back].map((each) => each)
    return {
      zero: Object.is(back.numbers[1], -0) && Number.isNaN(back.numbers[2]) && back.numbers[5] === 1n << 80n,
      text: back.text === value.text,
      nothing: back.nothing[0] === null && back.nothing[1] === undefined && back.nothing.length === 2,
      date: back.date.getTime() === 86_400_000,
      map: (back.map.get('a') as Set<number>).has(2),
      regexp: String(back.regexp) === '/a+/giu',
      typed: back.typed.map((array) => `${array.constructor.name} ${array.join()}`).join('; '),
      error: back.error instanceof RangeError && back.error.message === 'within a value',
      circle: back.circle.self === back.circle && text !== value,
    }
  })
  expect(isSame).toEqual({
    zero: true,
    text: true,
    nothing: true,
    date: true,
    map: true,
    regexp: true,
    typed: 'Float32Array 1.5; Uint8Array 2,3; BigInt64Array -1',
    error: true,
    circle: true,
  })
})

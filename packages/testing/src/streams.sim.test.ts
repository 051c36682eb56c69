import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { randomInt, seededRandom } from '@shoal/base'
import type { ObjectRef, ObjectRefGenerator, RemoteFunction } from '@shoal/core-worker'
import { at, StoryRoom } from './story-room.ts'

declare const simRan: (label: string) => void

const LARGE = 150_000
const ANYWHERE = { resources: { helper: 1 }, numCpus: 0 }

let room: StoryRoom
async function opened(seed: number, helpers: readonly string[], graceMs?: number): Promise<void> {
  room = new StoryRoom(seed)
  await room.open(helpers, graceMs)
}
afterEach(() => room.close())

type Item = number | Uint8Array
type Producer = RemoteFunction<[n: number, large: number, everyMs: number], AsyncGenerator<Item, void, undefined>>

/** Yields 0 to n - 1, each `large`-th as so many bytes; says of each that it was made. */
function producer(): Producer {
  return room.tab('driver').api.remote(
    async function* produce(n: number, large: number, everyMs: number) {
      for (let i = 0; i < n; i++) {
        if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
        simRan(`item ${i}`)
        yield i % large === large - 1 ? new Uint8Array(150_000).fill(i) : i
      }
    },
    { ...ANYWHERE, maxRetries: 4 },
  )
}

/** Once it has run in a, tasks there may send it on. */
async function signed(): Promise<Producer> {
  const made = producer()
  await room.settle(take(made.options(at('a')).remote(1, 9, 0)))
  return made
}

function shown(value: Item): number {
  return typeof value === 'number' ? value : (value[LARGE - 1] ?? -1)
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index)

/** The tab that made the latest item. */
function place(): string {
  return room.runs.at(-1)?.split(' ').at(-1) ?? ''
}

/** Takes items up to the end; `each` is called with how many there are. */
async function take(
  stream: ObjectRefGenerator<Item>,
  each: (count: number) => void | Promise<void> = () => undefined,
): Promise<number[]> {
  const { get } = room.tab('driver').api
  const found: number[] = []
  for await (const ref of stream) {
    found.push(shown(await get(ref)))
    ref.release()
    await each(found.length)
  }
  return found
}

describe('a stream whose generator runs in another tab', () => {
  it('[SG10] [T7] goes on at its next item when that tab is lost', async () => {
    await opened(1, ['a', 'b', 'c'])
    const stream = producer().remote(12, 3, 20)
    const found = take(stream, (count) => {
      if (count === 4) room.kill(place())
    })
    expect(await room.settle(found)).toEqual(upTo(12))
    expect(room.runs.filter((run) => run.startsWith('item 0'))).toHaveLength(2)
    expect(await room.left()).toEqual([])
  })

  it('[SG5] is never further ahead than it may be, and ends when it is left', async () => {
    await opened(2, ['a', 'b'])
    const stream = producer().options({ generatorBackpressureNumObjects: 3 }).remote(1_000, 7, 0)
    let most = 0
    const { get } = room.tab('driver').api
    const read = async (): Promise<number[]> => {
      const found: number[] = []
      for await (const ref of stream) {
        found.push(shown(await get(ref)))
        most = Math.max(most, room.runs.length - found.length)
        if (found.length === 20) break
      }
      return found
    }
    expect(await room.settle(read())).toEqual(upTo(20))
    // It has the fourth in hand at most, and not yielded.
    expect(most).toBeLessThanOrEqual(4)
    await room.pass(2_000)
    expect(room.runs.length).toBeLessThanOrEqual(24)
    expect(await room.left()).toEqual([])
  })

  it('[T7] [O8] what is lost of it is made again when nobody reads it any more', async () => {
    await opened(3, ['a', 'b'])
    const { get } = room.tab('driver').api
    const stream = producer().remote(6, 2, 5)
    const refs: ObjectRef<Item>[] = []
    const read = async (): Promise<void> => {
      for await (const ref of stream) refs.push(ref)
    }
    await room.settle(read())
    stream.release()
    await room.pass(1_000)
    room.kill(place())
    await room.pass(10_000)
    expect((await room.settle(get(refs))).map((value) => shown(value))).toEqual(upTo(6))
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
  })
})

describe('a stream that is read by a task', () => {
  it('[SG4] ends with the tab of its reader', async () => {
    await opened(4, ['a', 'b'], 1_000)
    const { remote } = room.tab('driver').api
    const made = (await signed()).options({ ...at('b'), maxRetries: 0 })
    const reader = remote(
      { made },
      async ({ made, get }) => {
        let count = 0
        for await (const ref of made.remote(100_000, 1_000_000, 20)) {
          await get(ref)
          count++
        }
        return count
      },
      { ...at('a'), maxRetries: 0 },
    )
    const ref = reader.remote()
    await room.pass(2_000)
    expect(place()).toBe('b')
    room.kill('a')
    await room.pass(60_000)
    const before = room.runs.length
    await room.pass(5_000)
    expect(room.runs.length).toBe(before)
    ref.release()
    expect(await room.left()).toEqual([])
  })

  it('[T7] its items outlive the tab that owned them, and are made again without it', async () => {
    await opened(5, ['a', 'b', 'c'], 60_000)
    const { remote, get } = room.tab('driver').api
    const made = await signed()
    const reader = remote(
      { made },
      async ({ made }) => {
        const refs: unknown[] = []
        for await (const ref of made.options({ resources: { other: 1 }, numCpus: 0 }).remote(6, 2, 5)) refs.push(ref)
        return refs
      },
      { ...at('a'), maxRetries: 0 },
    )
    const refs = (await room.settle(get(reader.remote()))) as ObjectRef<Item>[]
    await room.pass(2_000)
    const maker = place()
    room.kill('a')
    room.kill(maker)
    await room.pass(10_000)
    expect((await room.settle(get(refs))).map((value) => shown(value))).toEqual(upTo(6))
    expect(place()).not.toBe(maker)
    for (const ref of refs) ref.release()
    await room.pass(60_000)
    expect(await room.left()).toEqual([])
  })
})

describe('the stream of an actor', () => {
  it('[SG9] [SG10] begins anew with its next incarnation, and goes on for its reader', async () => {
    await opened(6, ['a', 'b'])
    const { actor } = room.tab('driver').api
    class Counter {
      async *count(n: number, everyMs: number): AsyncGenerator<Item, void, undefined> {
        for (let i = 0; i < n; i++) {
          await new Promise((resolve) => setTimeout(resolve, everyMs))
          simRan(`item ${i}`)
          yield i
        }
      }
    }
    const options = { maxRestarts: 1, maxTaskRetries: 1, resources: { helper: 1 }, numCpus: 0 }
    const counter = actor(Counter, options).remote()
    const found = take(counter.count.remote(10, 20), (count) => {
      if (count === 4) room.kill(place())
    })
    expect(await room.settle(found)).toEqual(upTo(10))
    expect(room.runs.filter((run) => run.startsWith('item 0'))).toHaveLength(2)
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
  })

  it('[SG9] ends in the actor when it is left, and the actor goes on', async () => {
    await opened(7, ['a'])
    const { actor, get } = room.tab('driver').api
    class Counter {
      async *count(): AsyncGenerator<number, void, undefined> {
        for (let i = 0; ; i++) {
          await new Promise((resolve) => setTimeout(resolve, 10))
          simRan(`item ${i}`)
          yield i
        }
      }
      ping(): string {
        return 'pong'
      }
    }
    const counter = actor(Counter, at('a')).remote()
    const leave = async (): Promise<string> => {
      for await (const ref of counter.count.remote()) if ((await get(ref)) === 3) break
      return get(counter.ping.remote())
    }
    expect(await room.settle(leave())).toBe('pong')
    expect(room.runs.length).toBeLessThan(10)
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
  })
})

describe('streams in rooms whose tabs die at random', () => {
  let died = 0
  afterAll(() => expect(died).toBeGreaterThan(20))

  it.each(upTo(50))('[SG10] [T7] give each item once, in order (seed %i)', async (seed) => {
    await opened(100 + seed, ['a', 'b', 'c', 'd'])
    const random = seededRandom(seed)
    const pick = (n: number): number => randomInt(random, n)
    let deaths = 2
    const streams = Array.from({ length: 1 + pick(3) }, () => ({
      n: pick(30),
      large: 2 + pick(5),
      everyMs: pick(2) * pick(40),
      most: [1, 3, Infinity][pick(3)] ?? 1,
      left: pick(4) === 0 ? pick(10) : Infinity,
    }))
    const reads = streams.map(async ({ n, large, everyMs, most, left }) => {
      const made = most === Infinity ? producer() : producer().options({ generatorBackpressureNumObjects: most })
      const stream = made.remote(n, large, everyMs)
      const found: number[] = []
      const { get } = room.tab('driver').api
      for await (const ref of stream) {
        found.push(shown(await get(ref)))
        ref.release()
        if (found.length >= left) break
        if (deaths > 0 && room.tabs.size > 3 && pick(15) === 0) {
          deaths--
          died++
          room.kill(['a', 'b', 'c', 'd'].filter((name) => room.tabs.has(name))[pick(2)] ?? '')
        }
      }
      return found
    })
    const expected = streams.map(({ n, left }) => upTo(Math.min(n, Math.max(1, left))))
    expect(await room.settle(Promise.all(reads))).toEqual(expected)
    expect(await room.left()).toEqual([])
  })
})

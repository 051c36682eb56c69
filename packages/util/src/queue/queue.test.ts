import { get, getActor, put, remote } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seeded } from '../fixtures/seeded.ts'
import { consume, produce, seesEmpty } from '../fixtures/workers.remote.ts'
import { Empty, Full } from './errors.ts'
import { Queue } from './queue.ts'
import type { QueueHandle, QueueWaitOptions } from './queue.ts'

describe.each([1, 3])('a queue over %i tabs', (tabs) => {
  let room: TestRoom

  beforeEach(async () => {
    room = await createTestRoom({ tabs, workers: 2, console: false })
  })

  afterEach(() => room.close())

  it('[U10] gives items in the order in which they came', async () => {
    using queue = new Queue<unknown>()
    const items = [1, 'two', undefined, null, { three: [3] }]
    for (const item of items) await queue.put(item)
    expect(await queue.size()).toBe(5)
    for (const item of items) expect(await queue.get()).toEqual(item)
    expect([await queue.empty(), await queue.full()]).toEqual([true, false])
  })

  it('[U10] gives a ref as a ref, which lives as long as it is in there', async () => {
    using queue = new Queue<ObjectRef<string>>()
    const ref = put('far')
    await queue.put(ref)
    ref.release()
    expect(await get(await queue.get())).toBe('far')
  })

  it('[U11] holds maxSize items, and whoever puts more waits in turn', async () => {
    using queue = new Queue<number>({ maxSize: 2 })
    await Promise.all([queue.put(1), queue.put(2)])
    expect(await queue.full()).toBe(true)
    const waiting = [queue.put(3), queue.put(4)]
    expect(await queue.size()).toBe(2)
    expect([await queue.get(), await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 2, 3, 4])
    await Promise.all(waiting)
    for (const maxSize of [-1, 1.5, NaN]) expect(() => new Queue({ maxSize })).toThrow(RangeError)
  })

  it('[U11] whoever gets waits in turn, and holds up nobody', async () => {
    using queue = new Queue<number>()
    const waiting = Array.from({ length: 50 }, () => queue.get())
    expect(await queue.empty()).toBe(true)
    for (let n = 0; n < 50; n += 1) await queue.put(n)
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it('[U12] without time to wait there is Empty or Full, which are those classes', async () => {
    using queue = new Queue<number>({ maxSize: 1 })
    for (const options of [{ block: false }, { timeoutMs: 0 }, { timeoutMs: 10 }] satisfies QueueWaitOptions[])
      await expect(queue.get(options)).rejects.toBeInstanceOf(Empty)
    await expect(queue.getNowait()).rejects.toBeInstanceOf(Empty)
    expect(await get(seesEmpty.remote(queue.actor))).toBe(true)
    await queue.putNowait(1)
    for (const options of [{ block: false }, { timeoutMs: 0 }, { timeoutMs: 10 }] satisfies QueueWaitOptions[])
      await expect(queue.put(2, options)).rejects.toBeInstanceOf(Full)
    await expect(queue.putNowait(2)).rejects.not.toBeInstanceOf(Empty)
    // Who gave up is out of the line: neither gets an item nor leaves one.
    expect(await queue.get({ timeoutMs: 3e9 })).toBe(1)
    expect(await queue.empty()).toBe(true)
  })

  it('[U12] a negative timeout is a RangeError, whatever block says', async () => {
    using queue = new Queue<number>()
    for (const timeoutMs of [-1, NaN]) {
      await expect(queue.get({ timeoutMs })).rejects.toBeInstanceOf(RangeError)
      await expect(queue.put(1, { timeoutMs, block: false })).rejects.toBeInstanceOf(RangeError)
    }
    expect(await queue.empty()).toBe(true)
  })

  it('[U13] batches are all or nothing', async () => {
    using queue = new Queue<number>({ maxSize: 3 })
    await queue.putNowaitBatch([1, 2])
    await expect(queue.putNowaitBatch([3, 4])).rejects.toBeInstanceOf(Full)
    expect(await queue.size()).toBe(2)
    await expect(queue.getNowaitBatch(3)).rejects.toBeInstanceOf(Empty)
    await queue.putNowaitBatch([])
    expect(await queue.getNowaitBatch(2)).toEqual([1, 2])
    await expect(queue.getNowaitBatch(-1)).rejects.toBeInstanceOf(RangeError)
  })

  it('[U14] is one queue wherever its handle comes', async () => {
    using queue = new Queue<number>({ maxSize: 4, actorOptions: { name: 'numbers' } })
    const makers = [0, 100].map((from) => produce.remote(queue.actor, from, 20))
    const takers = [consume.remote(queue.actor, 25), consume.remote(queue.actor, 15)]
    await get(makers)
    const taken = await get(takers)
    const all = taken.flat().sort((a, b) => a - b)
    expect(all).toEqual([0, 100].flatMap((from) => Array.from({ length: 20 }, (_, n) => from + n)))
    for (const items of taken)
      for (const isOfMaker of [(n: number) => n < 100, (n: number) => n >= 100]) {
        const own = items.filter(isOfMaker)
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    const named = new Queue<number>({ actor: (await getActor('numbers')) as unknown as QueueHandle })
    await queue.put(7)
    expect(await named.get()).toBe(7)
    expect(() => new Queue({ actor: queue.actor, maxSize: 1 })).toThrow(TypeError)
  })

  it('[U14] an inline task calls its handle', async () => {
    using queue = new Queue<string>()
    const send = remote({}, async ({ get: fetch }, to: QueueHandle) => fetch(to.put.remote(['hello'], Infinity)))
    send.remote(queue.actor)
    expect(await queue.get()).toBe('hello')
  })

  it('[U15] ends for everybody, also for who waits', async () => {
    const queue = new Queue<number>()
    const waiting = queue.get()
    expect(await queue.size()).toBe(0)
    queue.shutdown()
    await expect(waiting).rejects.toMatchObject({ code: 'actor-died' })
    await expect(queue.put(1)).rejects.toMatchObject({ code: 'actor-died' })
  })

  it.each([1, 2, 3])('[U10, U11] any interleaving keeps order and bound: seed %i', async (seed) => {
    const below = seeded(seed)
    using queue = new Queue<number>({ maxSize: 3 })
    const puts: Promise<void>[] = []
    const gets: Promise<number>[] = []
    for (let step = 0; step < 150; step += 1) {
      if (below(2) === 0) puts.push(queue.put(puts.length))
      else gets.push(queue.get())
      if (below(10) === 0) expect(await queue.size()).toBe(Math.max(0, Math.min(3, puts.length - gets.length)))
    }
    while (gets.length < puts.length) gets.push(queue.get())
    while (puts.length < gets.length) puts.push(queue.put(puts.length))
    await Promise.all(puts)
    expect(await Promise.all(gets)).toEqual(puts.map((_, n) => n))
  })
})

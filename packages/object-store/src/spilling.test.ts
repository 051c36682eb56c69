import { silentLog } from '@shoal/base'
import { nodeIdOfKeyHash } from '@shoal/protocol'
import type { EncodedValue, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { ObjectTable } from './object-table.ts'
import { Spilling } from './spilling.ts'
import { MemorySpillStore } from './testing/memory-spill-store.ts'

const owner = nodeIdOfKeyHash(new Uint8Array(32).fill(7))
const ATTEMPT = { epoch: 1, number: 1 }
const KB = 1_024

const id = (number: number): ObjectId => ({ owner, number })

function value(kilobytes: number, mark = 1): EncodedValue {
  return { refs: [id(1_000 + mark)], body: new Uint8Array(8).fill(mark), buffers: [new Uint8Array(kilobytes * KB - 8)] }
}

/** What tells one from another: comparing every byte takes the test longer than everything else. */
const show = (found: EncodedValue | undefined): unknown =>
  found && [found.refs[0]?.number, found.body.join(), found.buffers.map(({ length }) => length).join()]

function setUp(options: ConstructorParameters<typeof MemorySpillStore>[0] = {}, limitKb = 100) {
  const table = new ObjectTable()
  const store = new MemorySpillStore(options)
  const clock = { now: 0 }
  const spilling = new Spilling({
    table,
    store,
    limitBytes: limitKb * KB,
    log: silentLog,
    now: () => clock.now,
  })
  const put = (number: number, kilobytes: number): boolean => table.put(id(number), ATTEMPT, value(kilobytes, number))
  const isInMemory = (number: number): boolean => table.get(id(number))?.value !== undefined
  const load = (number: number): Promise<EncodedValue | undefined> =>
    new Promise((resolve) => {
      const stored = table.get(id(number))
      if (stored === undefined) throw new Error(`object ${number} is not here`)
      spilling.whenLoaded(stored, resolve)
    })
  return { table, store, spilling, put, isInMemory, load, clock }
}

/** Until nothing is left to be done: everything here is microtasks. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('spilling', () => {
  it('[OS9] keeps memory below its limit: what was used longest ago goes to disk and comes back as it was', async () => {
    const { table, store, put, isInMemory, load } = setUp()
    for (let n = 1; n <= 5; n++) put(n, 15)
    await settled()
    expect([table.memoryBytes, store.count]).toEqual([75 * KB, 0])
    await load(1)
    put(6, 15)
    await settled()
    expect(table.memoryBytes).toBe(60 * KB)
    expect([1, 2, 3, 4, 5, 6].map(isInMemory)).toEqual([true, false, false, true, true, true])
    expect([table.bytes, table.spilledBytes, table.count]).toEqual([90 * KB, 30 * KB, 6])
    expect(await load(2)).toEqual(value(15, 2))
    expect(isInMemory(2)).toBe(true)
  })

  it('[OS9] small values stay in memory', async () => {
    const { table, store } = setUp({}, 1)
    for (let n = 1; n <= 100; n++)
      table.put(id(n), ATTEMPT, { refs: [], body: new Uint8Array(1_000).fill(n), buffers: [] })
    await settled()
    expect([store.count, table.memoryBytes]).toEqual([0, 100_000])
  })

  it('[OS10] writes in batches, and an object once, however often it goes and comes', async () => {
    const { store, put, load } = setUp()
    for (let n = 1; n <= 40; n++) put(n, 10)
    await settled()
    expect(store.batches.length).toBeLessThan(5)
    const { objects } = store.written
    for (let round = 0; round < 3; round++)
      for (let n = 1; n <= 40; n++) expect(show(await load(n))).toEqual(show(value(10, n)))
    await settled()
    expect(store.written.objects).toBe(40)
    expect(objects).toBeGreaterThan(30)
  })

  it('[OS10] one read serves everybody who waits', async () => {
    const { put, load, spilling, table } = setUp()
    for (let n = 1; n <= 10; n++) put(n, 10)
    await settled()
    expect(table.get(id(1))?.value).toBeUndefined()
    const waiting = [load(1), load(1), load(1)]
    expect(spilling.reading).toBe(1)
    const values = await Promise.all(waiting)
    expect(new Set(values).size).toBe(1)
    expect(spilling.reading).toBe(0)
  })

  it('[OS10] what is deleted leaves the disk, while it is being written too', async () => {
    const { store, put, table } = setUp()
    for (let n = 1; n <= 10; n++) put(n, 10)
    for (let n = 1; n <= 5; n++) table.delete(id(n))
    await settled()
    for (let n = 6; n <= 10; n++) table.delete(id(n))
    await settled()
    expect([store.count, store.bytes, table.bytes, table.spilledBytes]).toEqual([0, 0, 0, 0])
  })

  it('[OS9] what is pinned stays', async () => {
    const { table, put, isInMemory } = setUp()
    put(1, 10)
    const stored = table.get(id(1))
    if (stored === undefined) throw new Error('not here')
    table.pin(stored)
    for (let n = 2; n <= 20; n++) put(n, 10)
    await settled()
    expect([isInMemory(1), isInMemory(2)]).toEqual([true, false])
    table.unpin(stored)
    for (let n = 21; n <= 30; n++) put(n, 10)
    await settled()
    expect(isInMemory(1)).toBe(false)
  })

  it('[OS11] who wants room waits until it is made, in order', async () => {
    const { put, spilling, table } = setUp()
    for (let n = 1; n <= 9; n++) put(n, 10)
    const order: string[] = []
    spilling.whenRoom(50 * KB, (giveBack) => {
      order.push(`first ${table.memoryBytes / KB <= 50}`)
      queueMicrotask(() => giveBack?.())
    })
    spilling.whenRoom(1 * KB, () => order.push('second'))
    expect(order).toEqual([])
    await settled()
    expect(order).toEqual(['first true', 'second'])
  })

  it('[OS11] room that was promised is nobody else’s', async () => {
    const { spilling } = setUp()
    const held: ((() => void) | undefined)[] = []
    spilling.whenRoom(60 * KB, (giveBack) => held.push(giveBack))
    spilling.whenRoom(60 * KB, (giveBack) => held.push(giveBack))
    await settled()
    // Nothing could make more room, and the disk is there for what comes: nobody waits for ever.
    expect(held.length).toBe(2)
    spilling.whenRoom(1 * KB, (giveBack) => held.push(giveBack))
    held[0]?.()
    held[1]?.()
    await settled()
    expect(held.length).toBe(3)
  })

  it('[OS11] an object larger than the limit comes in when everything else has gone', async () => {
    const { put, spilling, table, load } = setUp()
    for (let n = 1; n <= 5; n++) put(n, 15)
    put(6, 300)
    await settled()
    expect(table.get(id(6))?.value).toBeUndefined()
    expect((await load(6))?.buffers[0]?.length).toBe(300 * KB - 8)
    let memory = Infinity
    spilling.whenRoom(200 * KB, (giveBack) => {
      memory = table.memoryBytes
      giveBack?.()
    })
    await settled()
    expect(memory).toBe(0)
  })

  it('[OS12] a full disk refuses what memory has no room for, and what is written already still goes', async () => {
    const { put, spilling, table, store, clock, load } = setUp({ quotaBytes: 50 * KB })
    for (let n = 1; n <= 12; n++) put(n, 10)
    await settled()
    expect([spilling.disk, spilling.canTake(KB), store.bytes]).toEqual(['fine', true, 40 * KB])
    for (let n = 13; n <= 16; n++) put(n, 10)
    await settled()
    expect([spilling.disk, table.memoryBytes]).toEqual(['full', 110 * KB])
    expect(spilling.canTake(KB)).toBe(false)
    const answers: boolean[] = []
    spilling.whenRoom(KB, (giveBack) => answers.push(giveBack !== undefined))
    await settled()
    expect(answers).toEqual([false])
    expect(await load(1)).toEqual(value(10, 1))
    // Others may have freed some of it.
    clock.now += 5_000
    expect(spilling.canTake(KB)).toBe(true)
    put(17, 10)
    await settled()
    expect([spilling.disk, spilling.canTake(KB)]).toEqual(['full', false])
    store.quotaBytes = 1_000 * KB
    table.delete(id(2))
    await settled()
    expect([spilling.disk, spilling.canTake(KB)]).toEqual(['fine', true])
    expect(table.memoryBytes).toBeLessThanOrEqual(80 * KB)
  })

  it('[OS12] a disk with room for some of a batch takes those', async () => {
    const { put, store, spilling } = setUp({ quotaBytes: 15 * KB })
    for (let n = 1; n <= 9; n++) put(n, 10)
    await settled()
    expect([store.count, spilling.disk]).toEqual([1, 'fine'])
    put(10, 10)
    await settled()
    expect([store.count, spilling.disk]).toEqual([1, 'full'])
  })

  it('[OS12] without a disk everything works in memory, up to its limit', async () => {
    const { put, spilling, load } = setUp({ isAvailable: false })
    for (let n = 1; n <= 9; n++) put(n, 10)
    await settled()
    expect([spilling.disk, spilling.canTake(10 * KB), spilling.canTake(11 * KB)]).toEqual(['unavailable', true, false])
    expect(await load(1)).toEqual(value(10, 1))
    let isRefused = false
    spilling.whenRoom(20 * KB, (giveBack) => (isRefused = giveBack === undefined))
    await settled()
    expect(isRefused).toBe(true)
  })

  it('[OS12] bytes that the browser wiped are told of as gone', async () => {
    const { put, store, load, table, isInMemory } = setUp()
    for (let n = 1; n <= 10; n++) put(n, 10)
    await settled()
    store.wipe()
    expect(isInMemory(1)).toBe(false)
    expect(await load(1)).toBeUndefined()
    expect(table.get(id(1))).toBeDefined()
  })

  it('[OS9] a random history never loses, mixes up or keeps what it should not', async () => {
    let seed = 1
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const { table, put, load, store } = setUp()
    const alive = new Map<number, number>()
    for (let step = 0; step < 2_000; step++) {
      const n = random(60)
      const kilobytes = alive.get(n)
      if (kilobytes === undefined) {
        const size = 1 + random(20)
        put(n, size)
        alive.set(n, size)
      } else if (random(3) === 0) {
        table.delete(id(n))
        alive.delete(n)
      } else expect(show(await load(n))).toEqual(show(value(kilobytes, n)))
      if (random(4) === 0) await settled()
      const sum = [...alive.values()].reduce((total, each) => total + each, 0)
      expect(table.bytes).toBe(sum * KB)
    }
    await settled()
    expect(table.memoryBytes).toBeLessThanOrEqual(80 * KB)
    for (const n of alive.keys()) table.delete(id(n))
    await settled()
    expect([table.bytes, table.spilledBytes, store.count]).toEqual([0, 0, 0])
  })
})

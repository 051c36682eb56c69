// Long because each way in which memory and disk run out is a story of its own.
import { ObjectLostError, ObjectStoreFullError } from '@shoal/protocol'
import { MemorySpillStore } from '@shoal/object-store/testing'
import { describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { at, StoryRoom } from './story-room.ts'

declare const simRan: (name: string) => void

const LIMIT_BYTES = 2_000_000
const EACH_BYTES = 400_000

interface Tight {
  readonly room: StoryRoom
  /** Of a tab. */
  disk(name: string): MemorySpillStore
}

/** Every tab has little memory, and a disk whose access takes a moment. */
async function tight(seed: number, helpers: readonly string[], quotas: Record<string, number> = {}): Promise<Tight> {
  const disks = new Map<string, MemorySpillStore>()
  const room: StoryRoom = new StoryRoom(seed, {}, (name) => {
    const { clock } = room.world
    const wait = (): Promise<void> => new Promise((resolve) => clock.after(3, resolve))
    const quotaBytes = quotas[name]
    const disk = new MemorySpillStore({ wait, ...(quotaBytes !== undefined && { quotaBytes }) })
    disks.set(name, disk)
    return { objectStoreBytes: LIMIT_BYTES, spillStore: disk }
  })
  await room.open(helpers)
  const disk = (name: string): MemorySpillStore => {
    const found = disks.get(name)
    if (found === undefined) throw new Error(`no disk of ${name}`)
    return found
  }
  return { room, disk }
}

const bytesOf = (n: number): Uint8Array => new Uint8Array(EACH_BYTES).fill(n)
const memoryOf = (room: StoryRoom, name: string): number => {
  const { objectBytes, spilledBytes } = room.tab(name).node.status()
  return objectBytes - spilledBytes
}

describe('a tab with more objects than memory', () => {
  it('[OS9] reads what it has put, and so do tasks in other tabs; nothing is left on its disk', async () => {
    const { room, disk } = await tight(1, ['a', 'b'])
    const { put, get, remote } = room.tab('driver').api
    const refs = Array.from({ length: 25 }, (_, n) => put(bytesOf(n)))
    await room.pass(200)
    expect(memoryOf(room, 'driver')).toBeLessThanOrEqual(LIMIT_BYTES)
    expect(room.tab('driver').node.status().objectBytes).toBeGreaterThan(25 * EACH_BYTES)
    expect(disk('driver').count).toBeGreaterThan(19)
    for (const n of [0, 24, 7]) expect((await room.settle(get(refs[n] as ObjectRef<Uint8Array>)))[9]).toBe(n)
    const sum = remote((bytes: Uint8Array) => bytes.reduce((total, byte) => total + byte, 0), {
      resources: { helper: 1 },
    })
    const sums = await room.settle(get(refs.map((ref) => sum.remote(ref))))
    expect(sums).toEqual(refs.map((_, n) => n * EACH_BYTES))
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    expect(disk('driver').count).toBe(0)
    room.close()
  })

  it('[OS9] keeps results for their owner on its disk, until that frees them', async () => {
    const { room, disk } = await tight(2, ['a'])
    const { get, remote } = room.tab('driver').api
    const make = remote((n: number) => new Uint8Array(400_000).fill(n), at('a'))
    const refs = Array.from({ length: 20 }, (_, n) => make.remote(n))
    await room.settle(room.tab('driver').api.wait(refs, { numReturns: 20 }))
    await room.pass(500)
    expect([memoryOf(room, 'a') <= LIMIT_BYTES, disk('a').count > 14]).toEqual([true, true])
    for (const [n, ref] of refs.entries()) expect((await room.settle(get(ref)))[5]).toBe(n)
    await room.pass(500)
    expect(memoryOf(room, 'driver')).toBeLessThanOrEqual(LIMIT_BYTES)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    expect([disk('a').count, disk('driver').count]).toEqual([0, 0])
    room.close()
  })

  it('[OS9] starts a task with more arguments than memory has room for', async () => {
    const { room } = await tight(3, ['a'])
    const { put, get, remote } = room.tab('driver').api
    const refs = Array.from({ length: 10 }, (_, n) => put(bytesOf(n)))
    const first = remote((...all: Uint8Array[]) => all.map(([byte]) => byte))
    const here = first.options(at('driver')).remote(...refs)
    const there = first.options(at('a')).remote(...refs)
    const numbers = refs.map((_, n) => n)
    expect(await room.settle(get([here, there]))).toEqual([numbers, numbers])
    for (const ref of [...refs, here, there]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS9][O1] the refs inside what is on disk hold what they refer to', async () => {
    const { room, disk } = await tight(4, ['a'])
    const { put, get } = room.tab('driver').api
    const inner = put('inside')
    const outer = put([inner, bytesOf(1)] as const)
    inner.release()
    const more = Array.from({ length: 8 }, (_, n) => put(bytesOf(n)))
    await room.pass(300)
    expect(disk('driver').count).toBeGreaterThan(2)
    const [found] = await room.settle(get(outer))
    expect(await room.settle(get(found))).toBe('inside')
    for (const ref of [found, outer, ...more]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS9][O1] what is on its disk dies with it, and lives on where it was to be in two tabs', async () => {
    const { room, disk } = await tight(5, ['a', 'b', 'c'])
    const { get, remote } = room.tab('driver').api
    const make = remote(
      {},
      ({ put }) => Array.from({ length: 8 }, (_, n) => put(new Uint8Array(400_000).fill(n))),
      at('a'),
    )
    const refs = (await room.settle(get(make.remote()))) as ObjectRef<Uint8Array>[]
    await room.pass(4_000)
    expect(disk('a').count).toBeGreaterThan(2)
    room.kill('a')
    for (const [n, ref] of refs.entries()) expect((await room.settle(get(ref)))[5]).toBe(n)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })
})

describe('a disk that loses what is on it', () => {
  it('[OS12][L1] results of other tabs are made again, wherever their bytes were', async () => {
    const { room, disk } = await tight(6, ['a', 'b'])
    const { get, wait, remote } = room.tab('driver').api
    const make = remote((n: number) => {
      simRan(`make ${n}`)
      return new Uint8Array(400_000).fill(n)
    })
    const refs = Array.from({ length: 20 }, (_, n) => make.options(at(n % 2 === 0 ? 'a' : 'b')).remote(n))
    await room.settle(wait(refs, { numReturns: 20 }))
    // Some of them come here, and go to this tab's disk.
    for (const ref of refs.slice(0, 8)) await room.settle(get(ref))
    await room.pass(500)
    expect(['driver', 'a', 'b'].map((name) => disk(name).count > 2)).toEqual([true, true, true])
    for (const name of ['driver', 'a', 'b']) disk(name).wipe()
    for (const [n, ref] of refs.entries()) expect((await room.settle(get(ref)))[5]).toBe(n)
    expect(room.runs.length).toBeGreaterThan(22)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS12] what no task can make again is said to be lost, here and in other tabs', async () => {
    const { room, disk } = await tight(7, ['a'])
    const { put, get, remote } = room.tab('driver').api
    const refs = Array.from({ length: 8 }, (_, n) => put(bytesOf(n)))
    await room.pass(300)
    disk('driver').wipe()
    await expect(room.settle(get(refs[0] as ObjectRef<Uint8Array>))).rejects.toThrow(ObjectLostError)
    const length = remote((bytes: Uint8Array) => bytes.length, at('a'))
    await expect(room.settle(get(length.remote(refs[1] as ObjectRef<Uint8Array>)))).rejects.toThrow(ObjectLostError)
    expect((await room.settle(get(refs[7] as ObjectRef<Uint8Array>)))[5]).toBe(7)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS12] another copy takes its place, and its owner hears that one is gone', async () => {
    const { room, disk } = await tight(8, ['a', 'b'])
    const { put, get, remote } = room.tab('driver').api
    const ref = put(bytesOf(3))
    const Keeper = room.tab('driver').api.actor(
      class {
        kept: unknown
        keep(list: readonly ObjectRef<Uint8Array>[]): void {
          this.kept = list
        }
        fill(): number {
          return 0
        }
      },
    )
    const keeper = Keeper.options(at('a')).remote()
    // A copy in a, which holds a ref to it.
    const length = remote((bytes: Uint8Array) => bytes.length, at('a'))
    await room.settle(get(keeper.keep.remote([ref])))
    await room.settle(get(length.remote(ref)))
    const more = Array.from({ length: 10 }, (_, n) => put(bytesOf(n)))
    await room.pass(500)
    disk('driver').wipe()
    expect((await room.settle(get(ref)))[5]).toBe(3)
    room.tab('driver').api.kill(keeper)
    for (const each of [ref, ...more]) each.release()
    expect(await room.left()).toEqual([])
    room.close()
  })
})

describe('a tab that can take no more', () => {
  it('[OS12] refuses a put with an error that says what to do, and takes it when something was released', async () => {
    const { room } = await tight(9, ['a'], { driver: 0 })
    const { put, get } = room.tab('driver').api
    const refs: ObjectRef<Uint8Array>[] = []
    for (let n = 0; n < 6; n++) {
      refs.push(put(bytesOf(n)))
      await room.pass(50)
    }
    const error: unknown = await room.settle(get(refs[5] as ObjectRef<Uint8Array>)).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ObjectStoreFullError)
    expect(String(error)).toMatch(/no room for an object of 0\.4 MB.*2\.0 MB.*objectStoreBytes/)
    expect(room.tab('driver').node.status().disk).toBe('full')
    expect((await room.settle(get(refs[0] as ObjectRef<Uint8Array>)))[5]).toBe(0)
    refs[0]?.release()
    await room.pass(50)
    const again = put(bytesOf(9))
    expect((await room.settle(get(again)))[5]).toBe(9)
    for (const ref of [...refs.slice(1), again]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS12][OS13] a result that it has no room for is made in another tab', async () => {
    const { room } = await tight(10, ['a', 'b'], { a: 0 })
    const { get, wait, remote } = room.tab('driver').api
    const make = remote((n: number) => new Uint8Array(400_000).fill(n))
    const full = Array.from({ length: 5 }, (_, n) => make.options(at('a')).remote(n))
    await room.settle(wait(full, { numReturns: 5 }))
    await room.pass(100)
    const here = make.options({ ...at('a'), maxRetries: 0 }).remote(7)
    await expect(room.settle(get(here))).rejects.toThrow(ObjectStoreFullError)
    const anywhere = Array.from({ length: 4 }, (_, n) =>
      make.options({ resources: { helper: 1 }, maxRetries: -1 }).remote(n),
    )
    await room.settle(wait(anywhere, { numReturns: 4 }))
    for (const [n, ref] of anywhere.entries()) expect((await room.settle(get(ref)))[5]).toBe(n)
    for (const ref of [...full, here, ...anywhere]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS12] cannot fetch what it has no room for, and says so', async () => {
    const { room } = await tight(11, ['a'], { driver: 0 })
    const { put, get, remote } = room.tab('driver').api
    const make = remote((n: number) => new Uint8Array(400_000).fill(n), at('a'))
    const kept = Array.from({ length: 4 }, (_, n) => put(bytesOf(n)))
    const ref = make.remote(5)
    await room.settle(room.tab('driver').api.wait([ref], { numReturns: 1 }))
    await room.pass(100)
    const last = put(bytesOf(9))
    await room.pass(100)
    await expect(room.settle(get(ref))).rejects.toThrow(ObjectStoreFullError)
    kept[0]?.release()
    await room.pass(100)
    expect((await room.settle(get(ref)))[5]).toBe(5)
    for (const each of [...kept.slice(1), last, ref]) each.release()
    expect(await room.left()).toEqual([])
    room.close()
  })
})

describe('who waits for the disk, or for room', () => {
  it('[OS9][A3] calls of an actor stay in their order when the argument of one is on its disk', async () => {
    const { room, disk } = await tight(12, ['a'])
    const { actor, get, wait, remote } = room.tab('driver').api
    const Log = actor(
      class {
        all: string[] = []
        weigh(name: string, bytes: Uint8Array): number {
          this.all.push(name)
          return bytes.length
        }
        say(name: string): string[] {
          this.all.push(name)
          return this.all
        }
      },
    )
    const log = Log.options(at('a')).remote()
    const make = remote((n: number) => new Uint8Array(400_000).fill(n), at('a'))
    const refs = Array.from({ length: 12 }, (_, n) => make.remote(n))
    await room.settle(wait(refs, { numReturns: 12 }))
    await room.pass(500)
    expect(disk('a').count).toBeGreaterThan(6)
    const calls = refs.slice(0, 3).flatMap((ref, n) => {
      const weighed = log.weigh.remote(`weigh ${n}`, ref)
      return [weighed, log.say.remote(`say ${n}`)]
    })
    const answers = await room.settle(get(calls))
    expect(answers.at(-1)).toEqual(['weigh 0', 'say 0', 'weigh 1', 'say 1', 'weigh 2', 'say 2'])
    room.tab('driver').api.kill(log)
    for (const ref of [...refs, ...calls]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS11] many who want one object of another tab need room for it once', async () => {
    const { room } = await tight(13, ['a'], { driver: 0 })
    const { get, wait, remote } = room.tab('driver').api
    const make = remote((n: number) => new Uint8Array(1_500_000).fill(n), at('a'))
    const first = remote((bytes: Uint8Array) => bytes[0], at('driver'))
    const ref = make.remote(5)
    await room.settle(wait([ref]))
    const runs = Array.from({ length: 3 }, () => first.remote(ref))
    const gets = [get(ref), get(ref)]
    expect(await room.settle(get(runs))).toEqual([5, 5, 5])
    for (const each of gets) expect((await room.settle(each))[7]).toBe(5)
    for (const each of [ref, ...runs]) each.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[OS9][O1] what is inside of an object that is released while it is read lives on for who reads it', async () => {
    const { room, disk } = await tight(14, ['a'])
    const { put, get } = room.tab('driver').api
    const outer = put([put('inside'), bytesOf(1)] as const)
    const more = Array.from({ length: 8 }, (_, n) => put(bytesOf(n)))
    await room.pass(300)
    expect(disk('driver').count).toBeGreaterThan(2)
    const reading = get(outer)
    await room.pass(1)
    outer.release()
    const [inner] = await room.settle(reading)
    expect(await room.settle(get(inner))).toBe('inside')
    for (const ref of [inner, ...more]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })
})

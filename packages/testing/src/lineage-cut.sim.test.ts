import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { at, LineageRoom } from './lineage-room.ts'
import type { LineageRoomOptions } from './lineage-room.ts'

declare const simSleep: (ms: number) => Promise<void>

/** What copies are on their way for one cut: its own two, and what is being made meanwhile. */
const MEANWHILE = 12

let room: LineageRoom
async function opened(options: LineageRoomOptions): Promise<void> {
  room = new LineageRoom(options)
  await room.open()
}
afterEach(() => room.close())

type Refs = readonly ObjectRef<Uint8Array>[]

describe('a chain that is longer than what is kept of it', () => {
  it('[O9] keeps a thousand recipes of 2,500, few values, and what one tab had', { timeout: 120_000 }, async () => {
    await opened({ seed: 1 })
    const refs: Refs = await room.chain({ steps: 2_500, held: [999] })
    await room.pass(2_000)
    expect(room.most.recipes).toBeGreaterThan(990)
    expect(room.most.recipes).toBeLessThan(1_000 + MEANWHILE)
    expect(room.most.large).toBeLessThan(MEANWHILE)
    const before = room.runs.length
    room.kill(room.placeOf(2_499))
    const values: number[] = []
    for (const ref of refs) values.push(await room.valueOf(ref))
    expect(values).toEqual([1_000, 2_500])
    expect(Math.max(...room.runsSince(before).values())).toBe(1)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
  })

  it.each([['a'], ['b'], ['c']])('[O1] answers every ref that is held when %s dies', async (victim) => {
    await opened({ seed: 2, lineage: { depth: 10, bytes: 1e9 } })
    const held = [3, 9, 10, 11, 24, 38]
    const refs: Refs = await room.chain({ steps: 45, held })
    room.kill(victim)
    await room.pass(8_000)
    const values: number[] = []
    for (const ref of refs) values.push(await room.valueOf(ref))
    expect(values).toEqual([...held, 44].map((step) => step + 1))
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] is rebuilt back to the last that was cut, and no further', async () => {
    await opened({ seed: 3, lineage: { depth: 10, bytes: 1e9 } })
    const [last] = (await room.chain({ steps: 35, options: (step) => at(step === 34 ? 'c' : 'b') })) as [
      ObjectRef<Uint8Array>,
    ]
    await room.pass(2_000)
    // The thirtieth in two tabs, and the last.
    expect(room.large()).toBe(3)
    expect(room.driver.node.holdings().recipes).toBe(5)
    room.kill('c')
    await room.enter('c')
    expect(await room.valueOf(last)).toBe(35)
    expect([...room.runsSince(35).keys()]).toEqual(['30', '31', '32', '33', '34'])
  })

  it('[O9] has another second copy of what was cut when one is lost, from whoever comes', async () => {
    await opened({ seed: 4, helpers: ['a', 'b'], lineage: { depth: 10, bytes: 1e9 } })
    const [last] = (await room.chain({ steps: 15, options: (step) => at(step === 14 ? 'b' : 'a') })) as [
      ObjectRef<Uint8Array>,
    ]
    for (const victim of ['a', 'b', 'a', 'b', 'a']) {
      await room.pass(3_000)
      room.kill(victim)
      await room.enter(victim)
      await room.pass(10_000)
    }
    expect(await room.valueOf(last)).toBe(15)
    // Never from before the cut.
    expect([...room.runsSince(15).keys()].every((label) => Number(label) >= 10)).toBe(true)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] in a room of two has its second copy at its owner', async () => {
    await opened({ seed: 5, helpers: ['a'], lineage: { depth: 10, bytes: 1e9 } })
    const [last] = (await room.chain({ steps: 35 })) as [ObjectRef<Uint8Array>]
    await room.pass(2_000)
    expect(room.driver.node.holdings().recipes).toBe(5)
    expect([room.large(['driver']), room.large(['a'])]).toEqual([1, 2])
    room.kill('a')
    await room.enter('a')
    expect(await room.valueOf(last)).toBe(35)
    expect(room.runsSince(35).size).toBe(5)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] is cut by the bytes of its specs as well', async () => {
    await opened({ seed: 6, lineage: { depth: 1_000, bytes: 200_000 } })
    const [last] = (await room.chain({ steps: 100, beside: () => new Uint8Array(10_000) })) as [ObjectRef<Uint8Array>]
    await room.pass(2_000)
    expect(room.most.recipes).toBeGreaterThan(15)
    expect(room.most.recipes).toBeLessThan(20 + MEANWHILE)
    expect(room.most.large).toBeLessThan(2 * MEANWHILE)
    room.kill(room.placeOf(99))
    expect(await room.valueOf(last)).toBe(100)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] of many results of one level each is cut result by result when their specs are too many', async () => {
    await opened({ seed: 7, lineage: { depth: 1_000, bytes: 100_000 } })
    const { remote, wait, get } = room.driver.api
    const make = remote((n: number, _beside: Uint8Array) => new Uint8Array(110_000).fill(n))
    const refs = Array.from({ length: 30 }, (_, n) => make.remote(n, new Uint8Array(10_000)))
    await room.settle(wait(refs, { numReturns: 30 }))
    await room.pass(3_000)
    // Nine times 10 kB are within the limit.
    expect(room.driver.node.holdings().recipes).toBe(9)
    expect(room.large()).toBe(9 + 2 * 21)
    room.kill('a')
    await room.pass(8_000)
    for (const [n, ref] of refs.entries()) expect((await room.settle(get(ref)))[0]).toBe(n)
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] outlives its owner, whose successor finds what was cut', async () => {
    await opened({ seed: 9, helpers: ['a', 'b', 'c', 'd', 'e'], lineage: { depth: 10, bytes: 1e9 } })
    const { remote, get } = room.driver.api
    const step = remote(
      (former: Uint8Array | undefined, bytes: number) => new Uint8Array(bytes).fill((former?.[0] ?? 0) + 1),
      { numCpus: 0, resources: { b: 1 } },
    )
    await room.settle(get(step.options(at('a')).remote(undefined, 1)))
    const make = remote(
      { step },
      async ({ step: next, wait }, steps: number) => {
        let ref = next.remote(undefined, 110_000)
        for (let n = 1; n < steps; n++) {
          const following = (n === steps - 1 ? next.options({ resources: { c: 1 } }) : next).remote(ref, 110_000)
          await wait([following])
          ref.release()
          ref = following
        }
        return [ref]
      },
      at('a'),
    )
    const [last] = (await room.settle(get(make.remote(35)))) as [ObjectRef<Uint8Array>]
    for (const worker of room.tab('a').workers.workers) worker.collector.collect()
    await room.pass(5_000)
    expect(room.tab('a').node.holdings().recipes).toBe(5)
    room.kill('a')
    room.kill('c')
    await room.enter('c')
    expect((await room.settle(get(last)))[0]).toBe(35)
    last.release()
    expect(await room.left()).toEqual([])
  })
})

describe('3,000 levels', () => {
  it('[O9] are made again one after another, not one within the other', { timeout: 120_000 }, async () => {
    await opened({ seed: 10, lineage: { depth: 1e9, bytes: 1e9 } })
    const steps = 3_000
    const [last] = (await room.chain({ steps })) as [ObjectRef<Uint8Array>]
    await room.pass(2_000)
    room.kill(room.placeOf(steps - 1))
    await room.pass(300_000)
    expect(await room.valueOf(last)).toBe(steps)
    expect(room.runs.length).toBe(2 * steps)
    // And let go in the same way.
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[O9] that wait for one task fail with it, and are recorded and taken over', { timeout: 120_000 }, async () => {
    await opened({ seed: 11, helpers: ['a', 'b', 'c'] })
    const { remote, get } = room.driver.api
    const step = remote(async (n: number) => {
      await simSleep(10)
      return n + 1
    })
    await room.settle(get(step.options(at('a')).remote(0)))
    const make = remote(
      { step },
      ({ step: next }, count: number) => {
        let ref = next.remote(0)
        for (let n = 1; n < count; n++) ref = next.remote(ref)
        return [ref]
      },
      at('a'),
    )
    const [last] = (await room.settle(get(make.remote(3_000)))) as [ObjectRef<number>]
    await room.pass(500)
    expect(room.tab('a').node.holdings().pendingTasks).toBeGreaterThan(2_900)
    room.kill('a')
    expect(await room.settle(get(last), 120_000)).toBe(3_000)
    const fails = remote(
      (_n: number): number => {
        throw new RangeError('the first one')
      },
      { maxRetries: 0 },
    )
    let ref = fails.remote(0)
    for (let n = 1; n < 3_000; n++) ref = step.remote(ref)
    await expect(room.settle(get(ref))).rejects.toThrow('the first one')
  })
})

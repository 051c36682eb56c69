import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { at, LARGE, LineageRoom } from './lineage-room.ts'
import type { LineageRoomOptions } from './lineage-room.ts'
import { takenBy } from './sim-node.ts'

declare const simRan: (label: string) => void

const STEPS = 50
const ONCE_EACH = new Map(Array.from({ length: STEPS }, (_, step) => [String(step), 1]))

let room: LineageRoom
async function opened(options: LineageRoomOptions): Promise<void> {
  room = new LineageRoom(options)
  await room.open()
}
afterEach(() => room.close())

describe('results of a chain whose last one alone is held', () => {
  it('[O8] are in no tab any more, and are made again from the first on when the last is lost', async () => {
    await opened({ seed: 1 })
    const [last] = (await room.chain({ steps: STEPS })) as [ObjectRef<Uint8Array>]
    await room.pass(1_000)
    expect(room.large()).toBe(1)
    expect(room.most.large).toBeLessThan(8)
    expect(room.driver.node.holdings().recipes).toBe(STEPS)
    room.kill(room.placeOf(STEPS - 1))
    expect(await room.valueOf(last)).toBe(STEPS)
    expect(room.runsSince(STEPS)).toEqual(ONCE_EACH)
    await room.pass(1_000)
    // The driver fetched it.
    expect(room.large()).toBe(2)
  })

  it('[O8] are not made again while the last one is left, whatever else is lost', async () => {
    await opened({ seed: 2 })
    const [last] = (await room.chain({ steps: STEPS })) as [ObjectRef<Uint8Array>]
    const keeper = room.placeOf(STEPS - 1)
    for (const other of room.helpers) if (other !== keeper) room.kill(other)
    await room.pass(15_000)
    expect(await room.valueOf(last)).toBe(STEPS)
    expect(room.runs.length).toBe(STEPS)
  })

  it('[T4] are made again back to the nearest that somebody else holds', async () => {
    await opened({ seed: 3 })
    const middle = 20
    const refs = await room.chain({ steps: STEPS, held: [middle], options: (step) => at(step === middle ? 'a' : 'b') })
    const [, last] = refs as [ObjectRef<Uint8Array>, ObjectRef<Uint8Array>]
    await room.pass(1_000)
    expect(room.large()).toBe(2)
    // What may run in b alone waits for the next tab of that name.
    room.kill('b')
    await room.enter('b')
    expect(await room.valueOf(last)).toBe(STEPS)
    const again = [...ONCE_EACH.keys()].slice(middle + 1)
    expect(room.runsSince(STEPS)).toEqual(new Map(again.map((label) => [label, 1])))
  })

  it('[O8] keep what no task can make again: a put, and the result of a task that may not run twice', async () => {
    await opened({ seed: 4 })
    const put = room.driver.api.put(new Uint8Array(LARGE))
    const refs = await room.chain({
      steps: STEPS,
      options: (step) => (step === 10 ? { maxRetries: 0, ...at('a') } : at(step === STEPS - 1 ? 'c' : 'b')),
      beside: (step) => (step === 30 ? put : undefined),
    })
    put.release()
    await room.pass(1_000)
    // The put, the tenth and the last; and before the tenth there is no recipe, since nothing could use it.
    expect(room.large(['driver'])).toBe(1)
    expect(room.large(['a'])).toBe(1)
    expect(room.large(['b'])).toBe(0)
    expect(room.driver.node.holdings().recipes).toBe(STEPS - 11)
    room.kill('c')
    await room.enter('c')
    const [last] = refs as [ObjectRef<Uint8Array>]
    expect(await room.valueOf(last)).toBe(STEPS)
    const again = [...ONCE_EACH.keys()].slice(11)
    expect(room.runsSince(STEPS)).toEqual(new Map(again.map((label) => [label, 1])))
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[T3] are given up for as long as their retries last, and kept after', async () => {
    await opened({ seed: 5 })
    const [last] = (await room.chain({
      steps: 3,
      options: (step) => ({ ...at(step === 2 ? 'c' : 'b'), maxRetries: step === 2 ? 30 : 2 }),
    })) as [ObjectRef<Uint8Array>]
    await room.pass(1_000)
    const seen: unknown[] = []
    for (let death = 1; death <= 3; death++) {
      room.kill('c')
      await room.enter('c')
      await room.pass(10_000)
      const runs = room.runsSince(0)
      seen.push([runs.get('2'), runs.get('1'), runs.get('0'), room.large(['b'])])
    }
    // The second time the last of their retries is used: from then on the value is there.
    expect(seen).toEqual([
      [2, 2, 2, 0],
      [3, 3, 3, 1],
      [4, 3, 3, 1],
    ])
    expect(await room.valueOf(last)).toBe(3)
  })

  it.each([
    ['within the grace, and has everything', 7_000, 0],
    ['after it, when all of it was freed', 25_000, STEPS],
  ])('[G2][T4] are the same to their owner that stood still and comes back %s', async (_when, ms, again) => {
    await opened({ seed: 7 })
    const [last] = (await room.chain({ steps: STEPS })) as [ObjectRef<Uint8Array>]
    await room.pass(1_000)
    const { clock } = room.driver.ports
    clock.freeze(true)
    await room.pass(ms)
    clock.freeze(false)
    await room.pass(20_000)
    expect(room.runs.length).toBe(STEPS + again)
    expect(room.large()).toBe(1)
    room.kill(room.placeOf(STEPS - 1))
    expect(await room.valueOf(last)).toBe(STEPS)
    expect(room.runsSince(STEPS + again)).toEqual(ONCE_EACH)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[R1] leave nothing behind, made again or not', async () => {
    await opened({ seed: 6 })
    const [last] = (await room.chain({ steps: STEPS })) as [ObjectRef<Uint8Array>]
    room.kill('a')
    await room.pass(5_000)
    await room.valueOf(last)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[X1] without what recipes count, the last one cannot be made again', async () => {
    await opened({ seed: 1, guards: { countsRecipes: false } })
    const [last] = (await room.chain({ steps: STEPS })) as [ObjectRef<Uint8Array>]
    await room.pass(1_000)
    room.kill(room.placeOf(STEPS - 1))
    await expect(room.valueOf(last)).rejects.toThrow('gone')
  })
})

describe('a task of two large results', () => {
  it('[O8] keeps the one that only a recipe needs while somebody holds the other, and lets both go together', async () => {
    await opened({ seed: 7 })
    const { remote, get, wait } = room.driver.api
    const pair = remote(
      (bytes: number) => {
        simRan('pair')
        return [new Uint8Array(bytes).fill(1), new Uint8Array(bytes).fill(2)] as const
      },
      { numReturns: 2, ...at('a') },
    )
    const next = remote((one: Uint8Array, bytes: number) => {
      simRan('next')
      return new Uint8Array(bytes).fill((one[0] ?? 0) + 2)
    }, at('b'))
    const [one, two] = pair.remote(LARGE)
    const three = next.remote(one, LARGE)
    await room.settle(wait([three]))
    one.release()
    await room.pass(1_000)
    expect(room.large(['a'])).toBe(2)
    two.release()
    await room.pass(1_000)
    expect(room.large(['a'])).toBe(0)
    room.kill('b')
    await room.enter('b')
    expect((await room.settle(get(three)))[0]).toBe(3)
    await room.pass(1_000)
    expect(room.runs.map(({ label }) => label)).toEqual(['pair', 'next', 'pair', 'next'])
    // Also of the second one, which nobody has a ref to.
    expect(room.large(['a'])).toBe(0)
    three.release()
    expect(await room.left()).toEqual([])
  })
})

/** The driver has the last ref of a chain that is a's: it ran in b, but for the last of it, which ran in c. */
async function chainOfA(): Promise<ObjectRef<Uint8Array>> {
  const { remote, get } = room.driver.api
  const step = remote(
    (former: Uint8Array | undefined, n: number, bytes: number) => {
      simRan(String(n))
      return new Uint8Array(bytes).fill((former?.[0] ?? 0) + 1)
    },
    { numCpus: 0, resources: { b: 1 } },
  )
  await room.settle(get(step.options(at('a')).remote(undefined, -1, 1)))
  const make = remote(
    { step },
    async ({ step: next, wait }, steps: number, bytes: number, last: Record<string, number>) => {
      let ref = next.remote(undefined, 0, bytes)
      for (let n = 1; n < steps; n++) {
        const following = (n === steps - 1 ? next.options({ resources: last }) : next).remote(ref, n, bytes)
        await wait([following])
        ref.release()
        ref = following
      }
      return [ref]
    },
    at('a'),
  )
  const [last] = (await room.settle(get(make.remote(STEPS, LARGE, { c: 1 })))) as [ObjectRef<Uint8Array>]
  for (const worker of room.tab('a').workers.workers) worker.collector.collect()
  await room.pass(5_000)
  expect(room.large()).toBe(1)
  return last
}

describe('the owner of a chain that dies', () => {
  it('[O1][T4] with the tab that has its last result has a successor, which makes each again once, from the first on', async () => {
    await opened({ seed: 9, helpers: ['a', 'b', 'c', 'd', 'e'] })
    const last = await chainOfA()
    const before = room.runs.length
    room.kill('a')
    room.kill('c')
    await room.enter('c')
    expect((await room.settle(room.driver.api.get(last)))[0]).toBe(STEPS)
    expect(room.runsSince(before)).toEqual(ONCE_EACH)
    await room.pass(10_000)
    // The successor is another than who runs them, and keeps specs as the owner did.
    expect(takenBy(room.tab('b'))).toEqual([])
    expect(room.large()).toBe(2)
    last.release()
    expect(await room.left()).toEqual([])
  })

  it('[O1][T4] has a successor that makes it again from the records when the only copy goes right after', async () => {
    await opened({ seed: 9, helpers: ['a', 'b', 'c', 'd', 'e'] })
    const last = await chainOfA()
    const before = room.runs.length
    const owner = room.tab('a').ports.node
    room.kill('a')
    const isTaken = (): boolean =>
      ['d', 'e'].some((name) => takenBy(room.tab(name)).length > 0 && !room.tab(name).node.isGathering(owner))
    await room.world.clock.runUntil(isTaken, 10_000)
    expect(isTaken()).toBe(true)
    room.kill('c')
    await room.enter('c')
    expect((await room.settle(room.driver.api.get(last)))[0]).toBe(STEPS)
    expect(room.runsSince(before)).toEqual(ONCE_EACH)
    last.release()
    expect(await room.left()).toEqual([])
  })
})

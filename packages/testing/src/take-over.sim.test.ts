// Long because each death is a story of its own, told over the same room.
import { describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { takenBy } from './sim-node.ts'
import { at, StoryRoom } from './story-room.ts'

declare const simSleep: (ms: number) => Promise<void>
declare const simRan: (name: string) => void

/** A task that runs in b, also when one in a submits it: a task may send on what its own tab was given leave to run. */
async function slowIn(room: StoryRoom) {
  const { remote, get } = room.tab('driver').api
  const slow = remote(
    async (name: string, ms: number) => {
      simRan(name)
      await simSleep(ms)
      return `${name} is done`
    },
    { resources: { b: 1 }, numCpus: 0 },
  )
  await room.settle(get(slow.options(at('a')).remote('first', 1)))
  return slow
}

describe('the death of an owner whose refs others hold', () => {
  it('[O1] loses nothing that was put in its tab, small or large', async () => {
    const room = new StoryRoom(1)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const make = remote({}, ({ put }) => [put('small'), put(new Uint8Array(300_000).fill(7))], at('a'))
    const [small, large] = (await room.settle(get(make.remote()))) as [ObjectRef<string>, ObjectRef<Uint8Array>]
    // The second copy of what is large is on its way within a second.
    await room.pass(2_500)
    room.kill('a')
    expect(await room.settle(get(small))).toBe('small')
    expect((await room.settle(get(large))).reduce((sum, byte) => sum + byte, 0)).toBe(2_100_000)
    small.release()
    large.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[T3] takes the outcome of its tasks that run elsewhere, and runs none of them twice', async () => {
    const room = new StoryRoom(2)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const slow = await slowIn(room)
    const make = remote(
      { slow },
      ({ slow: child }) => [child.remote('slow', 8_000), child.remote('quick', 10)],
      at('a'),
    )
    const refs = await room.settle(get(make.remote()))
    await room.pass(500)
    room.kill('a')
    expect(await room.settle(get(refs))).toEqual(['slow is done', 'quick is done'])
    expect(room.runs.sort()).toEqual(['first at a', 'quick at b', 'slow at b'])
    for (const ref of refs) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[X1][T3] without the wait for reports runs what still runs elsewhere again', async () => {
    const room = new StoryRoom(2, { gathers: false })
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const slow = await slowIn(room)
    const make = remote({ slow }, ({ slow: child }) => [child.remote('slow', 8_000)], at('a'))
    const refs = await room.settle(get(make.remote()))
    await room.pass(500)
    room.kill('a')
    await room.settle(get(refs))
    expect(room.runs.filter((run) => run.startsWith('slow')).length).toBeGreaterThan(1)
    room.close()
  })

  it('[T3] takes an outcome that was told to it when it was dead already', async () => {
    const room = new StoryRoom(8)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const slow = await slowIn(room)
    const make = remote({ slow }, ({ slow: child }) => [child.remote('soon', 1_000)], at('a'))
    const [ref] = (await room.settle(get(make.remote()))) as [ObjectRef<string>]
    await room.pass(500)
    room.kill('a')
    // It ends before anybody knows of the death.
    expect(await room.settle(get(ref))).toBe('soon is done')
    expect(room.runs.sort()).toEqual(['first at a', 'soon at b'])
    ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[T2] runs again what was lost with it, with what that needs, and no more', async () => {
    const room = new StoryRoom(3)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const step = remote((name: string, n: number) => {
      simRan(name)
      return n + 1
    })
    // Both run in the owner's own tab, and wait for a third that never ends there.
    const hang = remote(
      async (name: string, n: number) => {
        simRan(name)
        await simSleep(20_000)
        return n
      },
      { numCpus: 1 },
    )
    await room.settle(get([step.options(at('a')).remote('first', 1), hang.options(at('a')).remote('first', 0)]), 90_000)
    const make = remote(
      { step, hang },
      ({ step: inc, hang: wait, put }) => {
        const one = inc.remote('one', 1)
        return [wait.remote('wait', inc.remote('two', one)), put(5)]
      },
      at('a'),
    )
    const [result, kept] = (await room.settle(get(make.remote()))) as [ObjectRef<number>, ObjectRef<number>]
    await room.pass(3_000)
    const before = [...room.runs]
    room.kill('a')
    expect(await room.settle(get(result), 90_000)).toBe(3)
    expect(await room.settle(get(kept))).toBe(5)
    const again = room.runs.slice(before.length)
    // What ran elsewhere goes on there; what ran with the owner is begun again.
    expect(again.filter((run) => run.startsWith('wait')).length).toBeLessThanOrEqual(1)
    expect(again.length).toBeLessThanOrEqual(3)
    result.release()
    kept.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[G2] survives its successors as well, one after another', async () => {
    const room = new StoryRoom(4)
    await room.open(['a', 'b', 'c', 'd', 'e'])
    const { remote, get } = room.tab('driver').api
    const make = remote({}, ({ put }) => [put({ deep: [1, 2, 3] })], at('a'))
    const [ref] = await room.settle(get(make.remote()))
    await room.pass(1_000)
    for (const name of ['a', 'b', 'c', 'd']) {
      room.kill(name)
      await room.pass(7_500)
    }
    expect(await room.settle(get(ref as ObjectRef<unknown>))).toEqual({ deep: [1, 2, 3] })
    ref?.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it.each([20, 300])('[O1] makes a chain of %i tasks again of which only the last is held', async (length) => {
    const room = new StoryRoom(12)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const step = remote(async (n: number) => {
      await simSleep(20)
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
    const [last] = (await room.settle(get(make.remote(length)))) as [ObjectRef<number>]
    await room.pass(10)
    room.kill('a')
    expect(await room.settle(get(last))).toBe(length)
    last.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[G6] what had no record yet when its ref left has one as soon as it is computed', async () => {
    const room = new StoryRoom(14)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    // What a makes up itself may not leave its tab, so that nothing can be said of it before its value is there.
    const make = remote({}, ({ remote: define }) => [define(() => 'computed').remote()], at('a'))
    const [ref] = (await room.settle(get(make.remote()))) as [ObjectRef<string>]
    // Its driver has refused it leave by then; records are sent every 50 ms.
    await room.pass(40)
    room.kill('a')
    expect(await room.settle(get(ref))).toBe('computed')
    ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[O1] what was freed while its holder was cut off is lost in words, and nobody waits for it', async () => {
    const room = new StoryRoom(13)
    await room.open(['a'])
    const { remote, get } = room.tab('driver').api
    const make = remote({}, ({ put }) => [put(new Uint8Array(300_000))], at('a'))
    const [large] = (await room.settle(get(make.remote()))) as [ObjectRef<Uint8Array>]
    const [a, driver] = [room.tab('a').ports.node, room.tab('driver').ports.node]
    // Before a second copy is made; what only a dead tab held is freed 10 s after the verdict.
    room.world.network.partition([[a], [driver]])
    await room.pass(25_000)
    expect(room.tab('a').node.holdings().ownObjects).toBe(0)
    room.world.network.healAll()
    await expect(room.settle(get(large))).rejects.toThrow('is gone')
    large.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[G6] a record rides with the ref: the owner may die at once', async () => {
    const room = new StoryRoom(5)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    const make = remote({}, ({ put }) => [put('just in time')], at('a'))
    const [ref] = await room.settle(get(make.remote()))
    room.kill('a')
    expect(await room.settle(get(ref as ObjectRef<string>))).toBe('just in time')
    room.close()
  })

  it('[O1] what nobody else has fails with OwnerDiedError, and says which tab', async () => {
    const room = new StoryRoom(6)
    await room.open(['a', 'b'])
    const { remote, get } = room.tab('driver').api
    // Large, and its owner dies before anybody could have a copy.
    const make = remote({}, ({ put }) => [put(new Uint8Array(400_000))], at('a'))
    const [ref] = await room.settle(get(make.remote()))
    room.kill('a')
    await expect(room.settle(get(ref as ObjectRef<Uint8Array>))).rejects.toMatchObject({ code: 'owner-died' })
    room.close()
  })
})

describe('a take-over', () => {
  it('[G5] waits for the report of a tab that is merely slow, and runs nothing again before', async () => {
    let waited = 0
    for (const seed of [11, 12, 13, 14]) {
      const room = new StoryRoom(seed)
      await room.open(['a', 'b', 'c'])
      const { remote, get } = room.tab('driver').api
      const slow = await slowIn(room)
      const make = remote({ slow }, ({ slow: inner }) => [inner.remote('once', 12_000)], at('a'))
      const [ref] = (await room.settle(get(make.remote()))) as [ObjectRef<string>]
      await room.pass(500)
      room.kill('a')
      // Asked for its report, the only tab that knows of the run stands still.
      const others = ['driver', 'c'].map((name) => room.tab(name))
      const isTaken = (): boolean => others.some((tab) => takenBy(tab).length > 0)
      await room.world.clock.runUntil(isTaken, 4_000)
      room.tab('b').ports.clock.freeze(true)
      await room.pass(3_500)
      // Where it is the slow one's turn to take over, nobody has to wait for it.
      if (isTaken()) waited++
      room.tab('b').ports.clock.freeze(false)
      expect(await room.settle(get(ref))).toBe('once is done')
      expect(room.runs).toEqual(['first at a', 'once at b'])
      room.close()
    }
    expect(waited).toBeGreaterThan(0)
  })

  it('[N1] keeps the refs inside an outcome that comes while others still have to report', async () => {
    const room = new StoryRoom(3)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const late = remote(
      {},
      async ({ put }, ms: number) => {
        await simSleep(ms)
        return [put('inside')]
      },
      { resources: { b: 1 }, numCpus: 0 },
    )
    await room.settle(get(late.options(at('a')).remote(1)))
    const make = remote({ late }, ({ late: inner }) => [inner.remote(2_500)], at('a'))
    const [ref] = (await room.settle(get(make.remote()))) as [ObjectRef<ObjectRef<string>[]>]
    await room.pass(300)
    room.kill('a')
    await room.world.clock.runUntil(
      () => ['driver', 'b', 'c'].some((name) => takenBy(room.tab(name)).length > 0),
      4_000,
    )
    const taker = ['driver', 'b', 'c'].find((name) => takenBy(room.tab(name)).length > 0)
    // Its report is missing while the outcome comes in, and whoever made what is inside lets go of it.
    const missing = taker === 'c' ? 'driver' : 'c'
    room.tab(missing).ports.clock.freeze(true)
    await room.pass(2_000)
    for (const worker of room.tab('b').workers.workers) worker.collector.collect()
    await room.pass(1_000)
    room.tab(missing).ports.clock.freeze(false)
    const [inner] = (await room.settle(get(ref))) as [ObjectRef<string>]
    expect(await room.settle(get(inner))).toBe('inside')
    expect(taker).not.toBe('b')
    room.close()
  })

  it('[G10] ends what nobody waits for when the grace is over', async () => {
    const room = new StoryRoom(9)
    await room.open(['a', 'b', 'c'])
    const { remote, get } = room.tab('driver').api
    const slow = await slowIn(room)
    const orphan = remote({ slow }, ({ slow: inner }) => void inner.remote('orphan', 300_000), at('a'))
    await room.settle(get(orphan.remote()))
    await room.pass(200)
    expect(room.tab('b').node.status().running).toBe(1)
    room.kill('a')
    // A crash is known within 2 s; the grace here is 3 s.
    await room.pass(2_500)
    expect(room.tab('b').node.status().running).toBe(1)
    await room.pass(4_000)
    expect(room.tab('b').node.status().running).toBe(0)
    expect([...room.tabs.values()].flatMap(takenBy)).toEqual([])
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[G10] lets a job go on for as long as its driver may come back, and ends it at once when it left for good', async () => {
    for (const isForGood of [false, true]) {
      const room = new StoryRoom(10)
      await room.open(['a', 'b'], 5_000)
      const { remote } = room.tab('driver').api
      const nap = remote(async (ms: number) => simSleep(ms))
      const refs = ['a', 'b'].map((name) => nap.options(at(name)).remote(300_000))
      await room.pass(500)
      const running = (): number => ['a', 'b'].reduce((sum, name) => sum + room.tab(name).node.status().running, 0)
      expect(running()).toBe(2)
      if (isForGood) room.tab('driver').close('left')
      else room.kill('driver')
      room.tabs.delete('driver')
      await room.pass(4_000)
      expect(running()).toBe(isForGood ? 0 : 2)
      await room.pass(5_000)
      expect(running()).toBe(0)
      expect(refs.length).toBe(2)
      expect(await room.left()).toEqual([])
      room.close()
    }
  })
})

describe('a driver that leaves for good', () => {
  it('[G10] leaves nothing, whichever tab hears of it first and whichever has something of it', async () => {
    for (let seed = 20; seed < 26; seed++) {
      const room = new StoryRoom(seed)
      await room.open(['a', 'b'], 60_000)
      const { remote, get } = room.tab('driver').api
      const count = remote((list: unknown[]) => list.length, at('a'))
      expect(await room.settle(get(count.remote([room.tab('driver').api.put(1), 2])))).toBe(2)
      room.tab('driver').close('left')
      room.tabs.delete('driver')
      await room.pass(2_000)
      for (const { node } of room.tabs.values()) expect(node.status()).toMatchObject({ objects: 0, ledgers: [] })
      room.close()
    }
  })
})

describe('an owner that stood still', () => {
  it('[G2] takes its ledger back, and its tasks are run once', async () => {
    const room = new StoryRoom(7)
    await room.open(['a', 'b', 'c'], 60_000)
    const { remote, get } = room.tab('driver').api
    const slow = remote(async (name: string, ms: number) => {
      simRan(name)
      await simSleep(ms)
      return name
    })
    const refs = ['a', 'b', 'c'].flatMap((name) => [
      slow.options(at(name)).remote(`quick ${name}`, 3_000),
      slow.options(at(name)).remote(`slow ${name}`, 30_000),
    ])
    await room.pass(1_000)
    const driver = room.tab('driver')
    driver.ports.clock.freeze(true)
    await room.pass(9_000)
    driver.ports.clock.freeze(false)
    expect(await room.settle(get(refs))).toEqual(['a', 'b', 'c'].flatMap((name) => [`quick ${name}`, `slow ${name}`]))
    expect(room.runs.length).toBe(6)
    for (const ref of refs) ref.release()
    await room.pass(70_000)
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[O6] twice keeps the copy of a run whose outcome was told to it in between', async () => {
    const room = new StoryRoom(15)
    await room.open(['a', 'b', 'c'], 60_000)
    const { remote, wait, get } = room.tab('driver').api
    const slow = remote(async (ms: number) => {
      simRan('slow')
      await simSleep(ms)
      return new Uint8Array(200_000).fill(3)
    }, at('b'))
    const ref = slow.remote(11_500)
    await room.pass(500)
    const driver = room.tab('driver')
    const owner = driver.ports.node
    driver.ports.clock.freeze(true)
    await room.pass(9_000)
    driver.ports.clock.freeze(false)
    await room.world.clock.runUntil(() => driver.node.isGathering(owner), 4_000)
    // One report is missing, so that what b says meanwhile waits; then the driver stands still once more, and hears of b's copy
    // by its report as well.
    room.tab('c').ports.clock.freeze(true)
    const isDone = (): boolean => room.tab('b').node.status().running === 0
    await room.world.clock.runUntil(isDone, 6_000)
    await room.pass(100)
    expect([isDone(), driver.node.isGathering(owner)]).toEqual([true, true])
    driver.ports.clock.freeze(true)
    room.tab('c').ports.clock.freeze(false)
    await room.pass(9_000)
    driver.ports.clock.freeze(false)
    await room.pass(5_000)
    await room.settle(wait([ref]))
    expect(room.tab('b').node.holdings().objectBytes).toBeGreaterThan(200_000)
    expect((await room.settle(get(ref)))[0]).toBe(3)
    expect(room.runs).toEqual(['slow at b'])
    ref.release()
    await room.pass(70_000)
    expect(await room.left()).toEqual([])
    room.close()
  })
})

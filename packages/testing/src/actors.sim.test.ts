// Long because every story of an actor stands here: what it loses, who owned it, its name, and how it is killed.
import { describe, expect, it } from 'vitest'
import type { ActorHandle, ObjectRef } from '@shoal/core-worker'
import { ActorDiedError, ActorNotFoundError, ActorUnavailableError } from '@shoal/protocol'
import { at, StoryRoom } from './story-room.ts'

declare const simRan: (name: string) => void
declare const simCrash: () => never
declare const simHang: () => Promise<never>
declare const simSleep: (ms: number) => Promise<void>

/** Its code ships: it stands alone. */
class Counter {
  count = 0
  constructor() {
    simRan('made')
  }
  add(n: number): number {
    return (this.count += n)
  }
  async slowly(n: number, ms: number): Promise<number> {
    await simSleep(ms)
    return (this.count += n)
  }
}

const spread = { numCpus: 0, schedulingStrategy: 'SPREAD' } as const

async function open(seed: number, helpers: readonly string[]): Promise<StoryRoom> {
  const room = new StoryRoom(seed)
  await room.open(helpers)
  return room
}

/** In which tab the actor was made last. */
function placeOf(room: StoryRoom): string {
  return room.runs.at(-1)?.replace('made at ', '') ?? ''
}

describe('an actor whose tab dies', () => {
  it('[SA10] is made again elsewhere, and calls wait for it', async () => {
    const room = await open(1, ['a', 'b', 'c'])
    const { actor, get } = room.tab('driver').api
    const counter = actor(Counter, { ...spread, resources: { helper: 1 }, maxRestarts: 1 }).remote()
    expect(await room.settle(get(counter.add.remote(5)))).toBe(5)
    const first = placeOf(room)
    room.kill(first)
    // What is called before the death is known may have run.
    await room.pass(8_000)
    const calls = [1, 1, 1].map((n) => counter.add.remote(n))
    expect(await room.settle(get(calls))).toEqual([1, 2, 3])
    expect(room.runs).toHaveLength(2)
    expect(placeOf(room)).not.toBe(first)
    room.kill(placeOf(room))
    await expect(room.settle(get(counter.add.remote(1)))).rejects.toThrow(ActorDiedError)
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[SA11] gives a call that was under way an error, or makes it again with retries', async () => {
    const room = await open(2, ['a', 'b'])
    const { actor, get } = room.tab('driver').api
    const counter = actor(Counter, { ...spread, resources: { helper: 1 }, maxRestarts: -1 }).remote()
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    const once = counter.slowly.remote(10, 60_000)
    const again = counter.slowly.options({ maxTaskRetries: 1 }).remote(100, 1_000)
    await room.pass(500)
    room.kill(placeOf(room))
    await expect(room.settle(get(once))).rejects.toThrow(ActorUnavailableError)
    expect(await room.settle(get(again))).toBe(100)
    room.close()
  })

  it('[SA11] loses no call of eight callers in other tabs that may make them again', async () => {
    const room = await open(3, ['a', 'b', 'c'])
    const { actor, get, remote } = room.tab('driver').api
    const options = { ...spread, resources: { helper: 1 }, maxRestarts: -1, maxTaskRetries: -1 } as const
    const counter = actor(Counter, options).remote()
    await room.settle(get(counter.add.remote(0)))
    const host = placeOf(room)
    const others = ['a', 'b', 'c'].filter((name) => name !== host)
    const calls = remote({}, async ({ get }, counter: ActorHandle<Counter>) => {
      let sum = 0
      for (let i = 0; i < 20; i++) sum += (await get(counter.slowly.remote(1, 20))) > 0 ? 1 : 0
      return sum
    })
    const callers = Array.from({ length: 8 }, (_, i) => calls.options(at(others[i % 2] ?? '')).remote(counter))
    await room.pass(700)
    room.kill(host)
    expect(await room.settle(get(callers), 120_000)).toEqual(Array(8).fill(20))
    counter[Symbol.dispose]()
    for (const ref of callers) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[SA11] a call that crossed its death goes before one that waits for the next incarnation', async () => {
    class Fragile {
      count = 0
      add(): number {
        return ++this.count
      }
      crash(): number {
        return simCrash()
      }
    }
    const room = await open(15, ['a', 'b'])
    const { actor, get } = room.tab('driver').api
    const options = { ...spread, resources: { helper: 1 }, maxRestarts: -1, maxTaskRetries: -1 } as const
    const fragile = actor(Fragile, options).remote()
    await room.settle(get(fragile.add.remote()))
    for (let first = 0; first < 100; first += 4)
      for (const second of [4, 12, 24, 48]) {
        const crash = fragile.crash.options({ maxTaskRetries: 0 }).remote()
        await room.pass(first)
        const earlier = fragile.add.remote()
        await room.pass(second)
        const later = fragile.add.remote()
        const [one, two] = await room.settle(get([earlier, later]))
        expect([first, second, two]).toEqual([first, second, one + 1])
        await expect(room.settle(get(crash))).rejects.toThrow(ActorUnavailableError)
      }
    room.close()
  })

  it('[SA11] keeps the order of calls that are made again, also where an argument has to be made again first', async () => {
    const room = await open(30, ['a', 'b', 'c'])
    const { actor, get, remote } = room.tab('driver').api
    class Order {
      async take(n: number | Uint8Array): Promise<number> {
        await simSleep(20_000)
        const number = typeof n === 'number' ? n : (n[0] ?? 0)
        simRan(`took ${number}`)
        return number
      }
    }
    const make = remote(
      {},
      async () => {
        await simSleep(3_000)
        return new Uint8Array(300_000).fill(2)
      },
      { resources: { other: 1 }, numCpus: 0 },
    )
    const order = actor(Order, { ...at('a'), maxRestarts: -1, maxTaskRetries: -1 }).remote()
    const large = make.remote()
    const calls = [order.take.remote(1), order.take.remote(large), order.take.remote(3), order.take.remote(4)]
    await room.pass(5_000)
    for (const name of ['b', 'c']) room.kill(name)
    await room.pass(10_000)
    // With its tab goes the last copy of the argument.
    room.kill('a')
    await room.add('a', 3_000)
    await room.add('b', 3_000)
    expect(await room.settle(get(calls), 120_000)).toEqual([1, 2, 3, 4])
    expect(room.runs.slice(-4)).toEqual(['took 1', 'took 2', 'took 3', 'took 4'].map((run) => `${run} at a`))
    room.close()
  })

  it('[SA10] while it is being made again: a constructor that is lost is made elsewhere, too', async () => {
    const room = await open(4, ['a', 'b', 'c'])
    const { actor, get } = room.tab('driver').api
    class Slow {
      ready: Promise<void>
      constructor() {
        simRan('made')
        this.ready = simSleep(2_000)
      }
      async ping(): Promise<number> {
        await this.ready
        return 1
      }
    }
    const slow = actor(Slow, { ...spread, resources: { helper: 1 }, maxRestarts: 2 }).remote()
    const call = slow.ping.options({ maxTaskRetries: -1 }).remote()
    await room.pass(1_000)
    room.kill(placeOf(room))
    await room.pass(4_000)
    const second = placeOf(room)
    if (room.tabs.has(second)) room.kill(second)
    expect(await room.settle(get(call))).toBe(1)
    room.close()
  })
})

describe('an actor and what its tabs miss', () => {
  it('[SA13] is made once more when it is killed so while nobody could make it yet', async () => {
    const room = await open(12, ['a', 'b'])
    const { actor, get, kill } = room.tab('driver').api
    const counter = actor(Counter, { ...at('late'), maxRestarts: 2 }).remote()
    await room.pass(500)
    kill(counter, { noRestart: false })
    await room.add('late', 3_000)
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    expect(room.runs).toEqual(['made at late'])
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it("[SA10] in its owner's own tab goes on, with what it runs, when that enters its room again", async () => {
    const room = await open(13, ['a', 'b', 'c'])
    const { actor, get } = room.tab('driver').api
    const counter = actor(Counter, { ...at('driver'), maxRestarts: 1, maxTaskRetries: 3 }).remote()
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    const running = counter.slowly.remote(1, 20_000)
    await room.pass(500)
    const { clock } = room.tab('driver').ports
    clock.freeze(true)
    await room.pass(9_000)
    clock.freeze(false)
    expect(await room.settle(get(running), 120_000)).toBe(2)
    expect(await room.settle(get(counter.add.remote(1)))).toBe(3)
    expect(room.runs).toEqual(['made at driver'])
    counter[Symbol.dispose]()
    running.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[A9] is dead to a handle from `getActor` that nobody kept it alive for', async () => {
    const room = await open(15, ['a', 'b'])
    const { actor, get, getActor } = room.tab('driver').api
    const counter = actor(Counter, { ...at('a'), name: 'one', namespace: 'shared' }).remote()
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    const found = (await room.settle(getActor('one', { namespace: 'shared' }))) as unknown as typeof counter
    counter[Symbol.dispose]()
    await room.pass(3_000)
    await expect(room.settle(get(found.add.remote(1)))).rejects.toThrow(ActorDiedError)
    room.close()
  })

  it('[SA14] gets its name though its tab enters the room again while it is claimed', async () => {
    const room = await open(14, ['a', 'b', 'c'])
    const { actor, get } = room.tab('driver').api
    const { clock } = room.tab('driver').ports
    clock.freeze(true)
    await room.pass(9_000)
    clock.freeze(false)
    // It does not know yet that it was given up.
    const counter = actor(Counter, { ...at('driver'), name: 'one', namespace: 'shared' }).remote()
    expect(await room.settle(get(counter.add.remote(1)), 120_000)).toBe(1)
    await room.pass(2_000)
    const { api } = room.tab('a')
    const found = (await room.settle(api.getActor('one', { namespace: 'shared' }))) as unknown as typeof counter
    expect(await room.settle(api.get(found.add.remote(1)))).toBe(2)
    room.close()
  })
})

describe('an actor whose owner dies', () => {
  /** One whose owner is tab a; the driver has a handle. */
  async function ownedByA(room: StoryRoom, options: object): Promise<ActorHandle<Counter>> {
    const { actor, get, remote } = room.tab('driver').api
    const Class = actor(Counter, { ...options })
    // A tab may send on what it was given leave to run itself.
    const leave = Class.options(at('a')).remote()
    await room.settle(get(leave.add.remote(0)))
    leave[Symbol.dispose]()
    await room.pass(1_000)
    room.runs.length = 0
    const make = remote({ Class }, ({ Class, actor }) => [actor(Class).remote()], at('a'))
    const [handle] = (await room.settle(get(make.remote()))) as [ActorHandle<Counter>]
    return handle
  }

  it('[SA10] lives on where it is, and is reached as before', async () => {
    const room = await open(5, ['a', 'b', 'c'])
    const { get } = room.tab('driver').api
    const counter = await ownedByA(room, at('b'))
    expect(await room.settle(get(counter.add.remote(2)))).toBe(2)
    room.kill('a')
    await room.pass(8_000)
    expect(await room.settle(get(counter.add.remote(2)))).toBe(4)
    expect(room.runs).toEqual(['made at b'])
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
    expect(room.tab('b').node.holdings().actors).toBe(0)
    room.close()
  })

  it('[G6] is made again by whoever took the ledger over when its own tab dies later', async () => {
    const room = await open(6, ['a', 'b', 'c', 'd'])
    const { get } = room.tab('driver').api
    const counter = await ownedByA(room, { ...spread, resources: { other: 1 }, maxRestarts: 3 })
    expect(await room.settle(get(counter.add.remote(2)))).toBe(2)
    room.kill('a')
    await room.pass(8_000)
    expect(await room.settle(get(counter.add.remote(2)))).toBe(4)
    room.kill(placeOf(room))
    await room.pass(8_000)
    expect(await room.settle(get(counter.add.remote(7)))).toBe(7)
    expect(room.runs).toHaveLength(2)
    counter[Symbol.dispose]()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[G6] is made again when it dies with its owner, or is dead where that is not allowed', async () => {
    for (const [resource, maxRestarts] of [
      ['other', 1],
      ['helper', 1],
      ['helper', 0],
    ] as const) {
      const room = await open(7, ['a', 'b', 'c', 'd'])
      const { get } = room.tab('driver').api
      const counter = await ownedByA(room, { ...spread, resources: { [resource]: 1 }, maxRestarts })
      expect(await room.settle(get(counter.add.remote(2)))).toBe(2)
      const host = placeOf(room)
      room.kill('a')
      if (room.tabs.has(host)) room.kill(host)
      await room.pass(8_000)
      const call = room.settle(get(counter.add.remote(7)))
      if (maxRestarts === 1) expect(await call).toBe(7)
      else await expect(call).rejects.toThrow(ActorDiedError)
      counter[Symbol.dispose]()
      expect(await room.left()).toEqual([])
      room.close()
    }
  })
})

describe('a named actor', () => {
  it('[SA14] is found from every tab, and gone with its driver unless it is detached', async () => {
    const room = await open(8, ['a', 'b', 'c'])
    const { actor, get, remote } = room.tab('driver').api
    const name = { namespace: 'shared', ...at('b') }
    const plain = actor(Counter, { ...name, name: 'plain' }).remote()
    const detached = actor(Counter, { ...name, name: 'kept', lifetime: 'detached' }).remote()
    expect(await room.settle(get([plain.add.remote(1), detached.add.remote(1)]))).toEqual([1, 1])
    const find = remote(
      {},
      async ({ get, getActor }, name: string) => {
        const counter = (await getActor(name, { namespace: 'shared' })) as unknown as ActorHandle<Counter>
        return get(counter.add.remote(1))
      },
      at('c'),
    )
    expect(await room.settle(get([find.remote('plain'), find.remote('kept')]))).toEqual([2, 2])
    room.tab('driver').close('left')
    room.tabs.delete('driver')
    await room.pass(8_000)
    expect(room.tab('b').node.holdings().actors).toBe(1)
    const helper = room.tab('c').api
    await expect(room.settle(helper.getActor('plain', { namespace: 'shared' }))).rejects.toThrow(ActorNotFoundError)
    const kept = (await room.settle(
      helper.getActor('kept', { namespace: 'shared' }),
    )) as unknown as ActorHandle<Counter>
    expect(await room.settle(helper.get(kept.add.remote(1)))).toBe(3)
    helper.kill(kept)
    await expect(room.settle(helper.get(kept.add.remote(1)))).rejects.toThrow(ActorDiedError)
    await room.pass(3_000)
    expect(room.tab('b').node.holdings().actors).toBe(0)
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[SA14] that is detached is not ended with its driver, though a call of that driver runs', async () => {
    const room = await open(10, ['a', 'b', 'c'])
    const { actor, get } = room.tab('driver').api
    const options = { ...at('b'), namespace: 'shared', name: 'kept', lifetime: 'detached' } as const
    const kept = actor(Counter, options).remote()
    expect(await room.settle(get(kept.add.remote(1)))).toBe(1)
    const running = kept.slowly.remote(1, 20_000)
    await room.pass(500)
    room.tab('driver').close('left')
    room.tabs.delete('driver')
    await expect(room.settle(get(running))).rejects.toThrow()
    await room.pass(30_000)
    const helper = room.tab('c').api
    const found = (await room.settle(helper.getActor('kept', { namespace: 'shared' }))) as unknown as typeof kept
    expect(await room.settle(helper.get(found.add.remote(1)))).toBe(3)
    expect(room.runs).toEqual(['made at b'])
    helper.kill(found)
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[SA14] that ended with its last handle is dead to whoever has found it by its name, in its own tab too', async () => {
    const room = await open(12, ['a', 'b'])
    const { actor, get, remote } = room.tab('driver').api
    const name = { namespace: 'shared', name: 'short', ...at('b') }
    const counter = actor(Counter, name).remote()
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    const found = await room.settle(room.tab('driver').api.getActor('short', { namespace: 'shared' }))
    const late = remote(
      {},
      async ({ get, getActor }) => {
        const counter = (await getActor('short', { namespace: 'shared' })) as unknown as ActorHandle<Counter>
        await simSleep(3_000)
        return get(counter.add.remote(1)).then(String, (error: Error) => error.name)
      },
      at('a'),
    )
    const told = late.remote()
    await room.pass(1_000)
    counter[Symbol.dispose]()
    expect(await room.settle(get(told))).toBe('ActorDiedError')
    const again = (found as unknown as ActorHandle<Counter>).add.remote(1)
    await expect(room.settle(get(again))).rejects.toThrow(ActorDiedError)
    for (const ref of [told, again]) ref.release()
    expect(await room.left()).toEqual([])
    room.close()
  })

  it('[D3] of two tabs that want one name at once one has it, and getIfExists gives both the same actor', async () => {
    const room = new StoryRoom(9)
    await room.open(['a', 'b'])
    const { actor, get, remote } = room.tab('driver').api
    const Class = actor(Counter, { name: 'one', namespace: 'shared', getIfExists: true, numCpus: 0 })
    const ask = remote({ Class }, async ({ Class, actor, get }) => {
      const counter = actor(Class).remote()
      return get(counter.add.remote(1))
    })
    const refs: ObjectRef<number>[] = ['a', 'b', 'a', 'b'].map((name) => ask.options(at(name)).remote())
    const first = actor(Class).remote()
    const own = await room.settle(get(first.add.remote(1)))
    const values = [own, ...(await room.settle(get(refs)))]
    expect(room.runs.length).toBeGreaterThan(0)
    expect(new Set(values).size).toBe(values.length / room.runs.length)
    room.close()
  })
})

describe('an actor that is killed while it is made', () => {
  class Slow {
    constructor() {
      simRan('made')
    }
    ping(): number {
      return 1
    }
  }

  for (const place of ['a', 'driver'])
    it(`[SA13] at ${place}: lives with a restart left, is dead without, and is nowhere in the end`, async () => {
      // At many moments from its making on: its code is on the way, it is queued, born, and told of.
      for (let ms = 0; ms < 240; ms += 12) {
        const room = await open(11, ['a'])
        const { actor, get, kill } = room.tab('driver').api
        const Class = actor(Slow, { ...at(place), maxRestarts: 1 })
        const [again, dead, spent] = [Class.remote(), Class.remote(), Class.remote()]
        await room.pass(ms)
        kill(again, { noRestart: false })
        kill(dead)
        kill(spent, { noRestart: false })
        kill(spent, { noRestart: false })
        expect(await room.settle(get(again.ping.remote()))).toBe(1)
        await expect(room.settle(get(dead.ping.remote()))).rejects.toThrow(ActorDiedError)
        await expect(room.settle(get(spent.ping.remote()))).rejects.toThrow(ActorDiedError)
        for (const handle of [again, dead, spent]) handle[Symbol.dispose]()
        expect(await room.left()).toEqual([])
        expect([...room.tabs.values()].map(({ node }) => node.holdings().actors)).toEqual([0, 0])
        room.close()
      }
    })
})

describe('an actor that is killed to be made again', () => {
  it('[A2] has ended before its next incarnation begins, in another tab too', async () => {
    const room = await open(31, ['a', 'b', 'c'])
    const { actor, get, kill } = room.tab('driver').api
    class Ticking {
      constructor() {
        simRan('made')
      }
      async tick(): Promise<never> {
        for (;;) {
          simRan('tick')
          await simSleep(1)
        }
      }
      ping(): number {
        return 1
      }
    }
    const options = { ...spread, resources: { helper: 1 }, maxRestarts: -1, maxConcurrency: 2 } as const
    const ticking = actor(Ticking, options).remote()
    for (let round = 0; round < 6; round++) {
      const tick = ticking.tick.remote()
      await room.pass(300)
      const before = room.runs.length
      kill(ticking, { noRestart: false })
      await room.settle(get(tick).catch(() => undefined))
      expect(await room.settle(get(ticking.ping.remote()))).toBe(1)
      const after = room.runs.slice(before)
      expect(after.slice(after.findIndex((run) => run.startsWith('made')))).toHaveLength(1)
    }
    kill(ticking)
    room.close()
  })

  it('[SA13] is killed after all when the word was lost, since its owner had been given up meanwhile', async () => {
    const room = new StoryRoom(32)
    await room.open(['a', 'b'], 60_000)
    const { actor, get, kill } = room.tab('driver').api
    const counter = actor(Counter, { ...at('a'), maxRestarts: -1 }).remote()
    expect(await room.settle(get(counter.add.remote(5)))).toBe(5)
    const { clock } = room.tab('driver').ports
    clock.freeze(true)
    await room.pass(9_000)
    clock.freeze(false)
    kill(counter, { noRestart: false })
    await room.pass(20_000)
    expect(room.runs).toEqual(['made at a', 'made at a'])
    expect(await room.settle(get(counter.add.remote(1)))).toBe(1)
    room.close()
  })
})

describe('a light actor in code that never comes to an end', () => {
  class Cell {
    count = 0
    add(): number {
      return ++this.count
    }
    hang(): Promise<never> {
      return simHang()
    }
  }

  it('[SA22] is killed with its thread: those that shared it begin again, and it costs them no restart', async () => {
    const room = await open(14, ['a'])
    const { actor, get, kill } = room.tab('driver').api
    const options = { ...at('a'), maxRestarts: 1, maxTaskRetries: -1 }
    // As many threads as the tab has CPUs, and six in each.
    const cells = Array.from({ length: 24 }, () => actor(Cell, options).remote())
    await room.settle(get(cells.map((cell) => cell.add.remote())))
    const [guilty, ...others] = cells.reverse()
    if (guilty === undefined) throw new Error('there are 24')
    const never = guilty.hang.options({ maxTaskRetries: 0 }).remote()
    await room.pass(500)
    const seconds = others.map((cell) => cell.add.remote())
    await room.pass(20_000)
    kill(guilty)
    await expect(room.settle(get(never))).rejects.toThrow(ActorDiedError)
    const counts = await room.settle(get(seconds))
    // Five were beside it.
    expect(counts.toSorted()).toEqual([...Array<number>(5).fill(1), ...Array<number>(18).fill(2)])
    for (const cell of others) kill(cell, { noRestart: false })
    const thirds = await room.settle(get(others.map((cell) => cell.add.remote())))
    expect(thirds).toEqual(Array(23).fill(1))
    for (const cell of cells) cell[Symbol.dispose]()
    for (const ref of seconds) ref.release()
    room.close()
  })
})

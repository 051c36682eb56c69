// Long because each thing that whole nodes do together is a story of its own.
import { createRoomLink } from '@shoal/node'
import { describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simRan: (name: string) => void
declare const simSleep: (ms: number) => Promise<void>

/** Runs simulated time until the promise settles. */
async function settle<T>(world: SimWorld, promise: Promise<T>, limitMs = 60_000): Promise<T> {
  let isOpen = true
  promise.then(
    () => (isOpen = false),
    () => (isOpen = false),
  )
  const end = world.clock.now() + limitMs
  while (isOpen && world.clock.now() < end) await world.clock.run(world.clock.now() + 10)
  if (isOpen) throw new Error(`nothing settled within ${limitMs} simulated ms`)
  return promise
}

describe('one simulated tab', () => {
  async function alone(slots = 1): Promise<{ world: SimWorld; tab: SimNode }> {
    const world = new SimWorld({ seed: 1 })
    const tab = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true, slots })
    return { world, tab }
  }

  it('runs a task, resolves refs among arguments and returns the value', async () => {
    const { world, tab } = await alone()
    const { remote, get } = tab.api
    const add = remote((a: number, b: number) => a + b)
    expect(await settle(world, get(add.remote(1, add.remote(2, 3))))).toBe(6)
  })

  it('runs 1,000 tasks in bulk', async () => {
    const { world, tab } = await alone()
    const { remote, get } = tab.api
    const square = remote((n: number) => n * n)
    const refs = Array.from({ length: 1000 }, (_, n) => square.remote(n))
    const values = await settle(world, get(refs))
    expect(values).toEqual(refs.map((_, n) => n * n))
  })

  it('runs 1,000 x f -> g -> h on one slot, with few workers', async () => {
    const { world, tab } = await alone()
    const { remote, get } = tab.api
    const h = remote((n: number) => n + 1)
    const g = remote({ h }, async ({ h: inner, get: fetch }, n: number) => (await fetch(inner.remote(n))) + 1)
    const f = remote({ g }, async ({ g: inner, get: fetch }, n: number) => (await fetch(inner.remote(n))) + 1)
    const refs = Array.from({ length: 1000 }, (_, n) => f.remote(n))
    const values = await settle(world, get(refs), 600_000)
    expect(values).toEqual(refs.map((_, n) => n + 3))
    expect(tab.workers.workers.size).toBeLessThanOrEqual(4)
  })

  it('calls an actor in order', async () => {
    const { world, tab } = await alone()
    const { actor, get } = tab.api
    const Counter = actor(
      class Counter {
        count = 0
        add(n: number): number {
          this.count += n
          return this.count
        }
      },
    )
    const counter = Counter.remote()
    const refs = [1, 2, 3].map((n) => counter.add.remote(n))
    expect(await settle(world, get(refs))).toEqual([1, 3, 6])
  })

  it('reports errors with the remote cause, and captures before anything runs', async () => {
    const { world, tab } = await alone()
    const { remote, get } = tab.api
    const fail = remote(() => {
      throw new RangeError('too far')
    })
    await expect(settle(world, get(fail.remote()))).rejects.toMatchObject({
      name: 'TaskError(RangeError)',
      code: 'task-failed',
      cause: { name: 'RangeError', message: 'too far' },
    })
    const outside = { limit: 3 }
    const captures = remote((n: number) => n + outside.limit)
    await expect(settle(world, get(captures.remote(1)))).rejects.toMatchObject({ name: 'CaptureError' })
  })

  it('refuses a wrong number of arguments at the call', async () => {
    const { tab } = await alone()
    const { remote, actor } = tab.api
    const add = remote((a: number, b: number) => a + b)
    expect(() => (add as unknown as { remote(...args: number[]): void }).remote(1)).toThrow(
      'anonymous takes 2 arguments',
    )
    const handedIn = remote({ add }, async ({ add: inner, get }, a: number) => get(inner.remote(a, 1)), {
      name: 'plus',
    })
    expect(() => (handedIn as unknown as { remote(...args: number[]): void }).remote(1, 2)).toThrow(
      'plus takes 1 argument, got 2',
    )
    const Counter = actor(
      class Counter {
        readonly start: number
        constructor(start: number) {
          this.start = start
        }
        add(n: number, times = 1): number {
          return this.start + n * times
        }
      },
    )
    expect(() => (Counter as unknown as { remote(): void }).remote()).toThrow(
      'the constructor of Counter takes 1 argument, got 0',
    )
    const counter = Counter.remote(1) as unknown as { add: { remote(...args: number[]): void } }
    expect(() => counter.add.remote()).toThrow('Counter.add takes 1 to 2 arguments, got 0')
    expect(() => counter.add.remote(1, 2, 3)).toThrow(TypeError)
  })

  it('runs a task again after the errors named by retryExceptions, and after no others', async () => {
    const world = new SimWorld({ seed: 1 })
    const runs: string[] = []
    const ports = world.ports(await world.identity('a'), 1)
    const tab = await createSimNode(ports, { isAlone: true, globals: { simRan: (name: string) => runs.push(name) } })
    const { remote, get, context } = tab.api
    expect(context().attempt).toBe(0)
    const flaky = remote({}, ({ context: inner }, name: string, failures: number) => {
      simRan(name)
      if (inner().attempt >= failures) return name
      class TooFar extends RangeError {}
      throw new TooFar('not yet')
    })
    const wrapped = remote({ flaky }, async ({ flaky: inner, get: fetch }, name: string) => {
      simRan(name)
      await fetch(inner.options({ maxRetries: 0 }).remote('inner', 1))
    })
    const outcome = async (ref: ObjectRef): Promise<unknown> =>
      settle(world, get(ref)).catch((error: Error) => error.name)
    const counted = async (name: string, ref: ObjectRef): Promise<[unknown, number]> => [
      await outcome(ref),
      runs.filter((run) => run === name).length,
    ]
    const all = flaky.options({ retryExceptions: true })
    expect(await counted('all', all.remote('all', 3))).toEqual(['all', 4])
    expect(await counted('used up', all.remote('used up', 4))).toEqual(['TaskError(RangeError)', 4])
    expect(await counted('one', all.options({ maxRetries: 1 }).remote('one', 2))).toEqual(['TaskError(RangeError)', 2])
    expect(await counted('off', flaky.remote('off', 1))).toEqual(['TaskError(RangeError)', 1])
    const some = (retryExceptions: NonNullable<Parameters<typeof flaky.options>[0]['retryExceptions']>) =>
      flaky.options({ retryExceptions })
    expect(await counted('base class', some([RangeError]).remote('base class', 1))).toEqual(['base class', 2])
    expect(await counted('name', some(['TooFar']).remote('name', 1))).toEqual(['name', 2])
    expect(await counted('other', some([TypeError]).remote('other', 1))).toEqual(['TaskError(RangeError)', 1])
    const outer = wrapped.options({ retryExceptions: [RangeError], maxRetries: 2 })
    expect(await counted('outer', outer.remote('outer'))).toEqual(['TaskError(RangeError)', 3])
    const argument = some([RangeError]).remote('argument', flaky.remote('failing', 9) as unknown as number)
    expect(await counted('argument', argument)).toEqual(['TaskError(RangeError)', 0])
    await expect(outcome(some([]).remote('none', 0))).resolves.toBe('none')
    expect(() => flaky.options({ retryExceptions: [3 as unknown as string] })).toThrow('retryExceptions[0]')
    expect(() => flaky.options({ retryExceptions: 'all' as unknown as boolean })).toThrow('retryExceptions must be')
  })

  it('logs the errors that nobody fetched, once, when their refs end or the job does', async () => {
    const { world, tab } = await alone()
    const { remote, get, wait } = tab.api
    const fail = remote(
      (what: string) => {
        throw new RangeError(what)
      },
      { name: 'fail' },
    )
    const pair = fail.options({ numReturns: 2, name: 'pair' })
    const use = remote((value: unknown) => value, { name: 'use' })
    const dropped = fail.remote('dropped')
    const fetched = fail.remote('fetched')
    const kept = fail.remote('kept')
    const used = use.remote(fail.remote('used'))
    const returned = pair.remote('pair') as unknown as ObjectRef[]
    await settle(world, wait([dropped, fetched, kept, used, ...returned], { numReturns: 6 }))
    const lines = (): string[] =>
      tab.lines.map(({ name, level, text }) => `${name} ${level} ${text.split('\n')[0] ?? ''}`)
    expect(lines()).toEqual([])
    await expect(settle(world, get(fetched))).rejects.toThrow('fetched')
    await expect(settle(world, get(used))).rejects.toThrow('used')
    await expect(settle(world, get(returned[1] as ObjectRef))).rejects.toThrow('pair')
    for (const ref of [dropped, fetched, used, ...returned]) ref.release()
    await world.clock.run(world.clock.now() + 100)
    expect(lines()).toEqual(['fail error nobody fetched this error: fail failed: RangeError: dropped'])
    tab.close('closed')
    expect(lines().slice(1)).toEqual(['fail error nobody fetched this error: fail failed: RangeError: kept'])
  })

  it('takes the error of an actor that could not be made for fetched when a call of it was', async () => {
    const { world, tab } = await alone()
    const { actor, get } = tab.api
    const Broken = actor(
      class Broken {
        constructor() {
          throw new RangeError('oops')
        }
        ping(): number {
          return 1
        }
      },
    )
    await expect(settle(world, get(Broken.remote().ping.remote()))).rejects.toThrow('oops')
    tab.close('closed')
    expect(tab.lines).toEqual([])
  })

  it('runs a task again when its worker crashes', async () => {
    const { world, tab } = await alone()
    const { remote, get, context } = tab.api
    expect(context().nodeId).toHaveLength(32)
    const slow = remote(async (n: number) => {
      await simSleep(1000)
      return n
    })
    const ref = slow.remote(7)
    await world.clock.run(world.clock.now() + 200)
    for (const worker of tab.workers.workers) worker.crash('test')
    expect(await settle(world, get(ref))).toBe(7)
  })
})

describe('three simulated tabs', () => {
  it('spreads tasks over the room and survives the loss of a tab', async () => {
    const world = new SimWorld({ seed: 3 })
    const owner = await world.identity('owner key')
    const roomOf = world.ports(owner, 1)
    expect(roomOf.room).toHaveLength(32)
    const tabs: SimNode[] = []
    for (const name of ['a', 'b', 'c']) {
      const ports = world.ports(await world.identity(name), 1)
      tabs.push(await createSimNode(ports, name === 'a' ? { ownerKeyPair: world.ownerKeyPair } : {}))
    }
    await world.clock.run(world.clock.now() + 5000)
    const driver = tabs[0] as SimNode
    expect(driver.node.status().members).toHaveLength(2)
    const { remote, get } = driver.api
    const where = remote({}, async ({ context }, n: number) => {
      await simSleep(20)
      return { node: context().nodeId, n }
    })
    const refs = Array.from({ length: 60 }, (_, n) => where.remote(n))
    await world.clock.run(world.clock.now() + 100)
    world.kill((tabs[2] as SimNode).ports)
    const values = await settle(world, get(refs))
    expect(values.map((value) => value.n)).toEqual(refs.map((_, n) => n))
    expect(new Set(values.map((value) => value.node)).size).toBeGreaterThan(1)
    const big = remote({}, (_, length: number) => new Float64Array(length).fill(1))
    const sizes = remote((array: Float64Array) => array.length)
    const bigs = Array.from({ length: 4 }, () => big.remote(100_000))
    expect(await settle(world, get(bigs.map((ref) => sizes.remote(ref))))).toEqual([1e5, 1e5, 1e5, 1e5])
    const arrays = await settle(world, get(bigs))
    expect(arrays.every((array) => array.length === 1e5 && array[5] === 1)).toBe(true)
  })

  it('lets tasks go to others that were queued before the room was entered', async () => {
    const world = new SimWorld({ seed: 4 })
    const driver = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true })
    const { remote, get } = driver.api
    const where = remote({}, async ({ context }, ms: number) => {
      await simSleep(ms)
      return context().nodeId
    })
    const refs = Array.from({ length: 10 }, () => where.remote(2_000))
    await world.clock.run(world.clock.now() + 500)
    const { room, roomKey, connector, signaling } = driver.ports
    await driver.node.join({ room, roomKey, connector, signaling, createRoomLink, ownerKeyPair: world.ownerKeyPair })
    const helper = await createSimNode(world.ports(await world.identity('b'), 1))
    expect(new Set(await settle(world, get(refs)))).toEqual(new Set([driver.ports.node, helper.ports.node]))
  })

  it('leaves nothing of a driver that is gone, nested tasks included', async () => {
    const world = new SimWorld({ seed: 5 })
    const driver = await createSimNode(world.ports(await world.identity('a'), 1), { ownerKeyPair: world.ownerKeyPair })
    const helper = await createSimNode(world.ports(await world.identity('b'), 1))
    await world.clock.run(world.clock.now() + 3_000)
    const { remote } = driver.api
    const inner = remote(async (ms: number) => {
      await simSleep(ms)
    })
    const outer = remote({ inner }, async ({ inner: nested, get }, count: number) => {
      await get(Array.from({ length: count }, () => nested.remote(60_000)))
    })
    // The driver's own slot is taken, so that the other goes to the helper.
    inner.remote(60_000)
    outer.remote(5)
    await world.clock.run(world.clock.now() + 2_000)
    expect(helper.node.status().pending).toBeGreaterThan(0)
    world.kill(driver.ports)
    await world.clock.run(world.clock.now() + 10_000)
    const { pending, running, queued } = helper.node.status()
    expect({ pending, running, queued }).toEqual({ pending: 0, running: 0, queued: 0 })
  })

  it('takes thousands of calls that were made before the actor was there', async () => {
    const world = new SimWorld({ seed: 6 })
    const tab = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true })
    const { actor, get } = tab.api
    const Counter = actor(
      class Counter {
        count = 0
        add(): number {
          return ++this.count
        }
      },
    )
    const counter = Counter.remote()
    const refs = Array.from({ length: 5_000 }, () => counter.add.remote())
    const values = await settle(world, get(refs))
    expect(values.at(-1)).toBe(5_000)
  })

  it('signs its code anew for a second room', async () => {
    const world = new SimWorld({ seed: 7 })
    const driver = await createSimNode(world.ports(await world.identity('a'), 1), { ownerKeyPair: world.ownerKeyPair })
    const { remote, get } = driver.api
    const where = remote({}, async ({ context }, ms: number) => {
      await simSleep(ms)
      return context().nodeId
    })
    const spread = async (node: SimNode): Promise<void> => {
      await world.clock.run(world.clock.now() + 3_000)
      const places = await settle(world, get(Array.from({ length: 10 }, () => where.remote(100))))
      expect(new Set(places)).toEqual(new Set([driver.ports.node, node.ports.node]))
    }
    const first = await createSimNode(world.ports(await world.identity('b'), 1))
    await spread(first)
    driver.node.leave('left')
    first.close('left')
    const other = new SimWorld({ seed: 8 })
    const { room, roomKey } = other.ports(await other.identity('a'), 1)
    const [a, c] = [world.ports(await world.identity('a'), 2), world.ports(await world.identity('c'), 1)]
    const { connector, signaling } = a
    await driver.node.join({
      room,
      roomKey,
      connector,
      signaling,
      createRoomLink,
      ownerKeyPair: other.ownerKeyPair,
      session: 2,
    })
    await spread(await createSimNode({ ...c, room, roomKey }))
  })
})

import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>

/** What does not fit into one message between tabs goes beside it, however it is made up. */
describe('arguments and results larger than a message', () => {
  async function room(): Promise<{ world: SimWorld; driver: SimNode; helper: SimNode }> {
    const world = new SimWorld({ seed: 2 })
    const { ownerKeyPair } = world
    const driver = await createSimNode(world.ports(await world.identity('driver'), 1), { ownerKeyPair })
    const helper = await createSimNode(world.ports(await world.identity('helper'), 1))
    const isLinked = (): boolean =>
      [driver, helper].every(({ node }) => node.status().members[0]?.state === 'connected')
    if (!(await world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
    return { world, driver, helper }
  }

  async function settle<T>(world: SimWorld, promise: Promise<T>): Promise<T> {
    let isOpen = true
    const end = (): boolean => (isOpen = false)
    promise.then(end, end)
    if (!(await world.clock.runUntil(() => !isOpen, 60_000))) throw new Error('open after a minute')
    return promise
  }

  it('[T1] plain arguments of any size reach tasks and actors in every tab', async () => {
    const { world, driver, helper } = await room()
    const { remote, actor, get, put } = driver.api
    const measure = remote({}, async ({ context }, picture: { bytes: Uint8Array; twin: Uint8Array }, extra: number) => {
      await simSleep(100)
      const isOne = picture.bytes === picture.twin
      return { node: context().nodeId, length: picture.bytes.length, last: picture.bytes.at(-1), extra, isOne }
    })
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
    const refs = Array.from({ length: 6 }, (_, n) => measure.remote({ bytes, twin: bytes }, put(n)))
    const results = await settle(world, get(refs))
    expect(new Set(results.map(({ node }) => node))).toEqual(new Set([driver.ports.node, helper.ports.node]))
    results.forEach((result, n) =>
      expect(result).toMatchObject({ length: 300_000, last: 299_999 % 251, extra: n, isOne: true }),
    )
    const Holder = actor(
      class {
        readonly first: string
        constructor(first: string) {
          this.first = first
        }
        add(text: string): number {
          return this.first.length + text.length
        }
      },
    )
    const holders = Array.from({ length: 4 }, () => Holder.remote('a'.repeat(260_000)))
    const sums = await settle(world, get(holders.map((holder) => holder.add.remote('b'.repeat(270_000)))))
    expect(sums).toEqual(Array(4).fill(530_000))
    for (const ref of refs) ref.release()
    await world.clock.run(world.clock.now() + 1_000)
    driver.close('left')
    helper.close('left')
  })

  it('[T1] many values that are small one by one are no message too large', async () => {
    const { world, driver, helper } = await room()
    const { remote, get, put } = driver.api
    const join = remote({}, async ({ context }, ...parts: Uint8Array[]) => {
      await simSleep(100)
      return { node: context().nodeId, length: parts.reduce((sum, part) => sum + part.length, 0) }
    })
    const parts = Array.from({ length: 6 }, (_, n) => put(new Uint8Array(90_000).fill(n)))
    const joined = await settle(world, get(Array.from({ length: 6 }, () => join.remote(...parts))))
    expect(new Set(joined.map(({ node }) => node)).size).toBe(2)
    expect(joined.every(({ length }) => length === 540_000)).toBe(true)
    const split = remote(
      {},
      async () => {
        await simSleep(100)
        return Array.from({ length: 5 }, (_, n) => new Uint8Array(90_000).fill(n))
      },
      { numReturns: 5 },
    )
    const pieces = Array.from({ length: 4 }, () => split.remote()).flat() as unknown as ReturnType<
      typeof put<Uint8Array>
    >[]
    const lengths = await settle(world, get(pieces))
    expect(lengths.map(({ length }) => length)).toEqual(Array(20).fill(90_000))
    driver.close('left')
    helper.close('left')
  })
})

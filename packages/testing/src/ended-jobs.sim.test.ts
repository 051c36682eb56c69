import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>

/** A driver that does nothing itself, two helpers, and what the helpers are left with when it goes. */
describe('the end of a job', () => {
  async function room(): Promise<{ world: SimWorld; driver: SimNode; helpers: SimNode[] }> {
    const world = new SimWorld({ seed: 4 })
    const { ownerKeyPair } = world
    const driver = await createSimNode(world.ports(await world.identity('driver'), 1), { ownerKeyPair })
    const helpers: SimNode[] = []
    for (const name of ['b', 'c'])
      helpers.push(await createSimNode(world.ports(await world.identity(name), 1), { slots: 2 }))
    const isLinked = (): boolean =>
      [driver, ...helpers].every(
        ({ node }) => node.status().members.filter((m) => m.state === 'connected').length === 2,
      )
    if (!(await world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
    return { world, driver, helpers }
  }

  it('[R1] frees what its tasks owned in other tabs, whoever holds refs to it there', async () => {
    const { world, driver, helpers } = await room()
    const { remote, get } = driver.api
    const make = remote({}, async (_, bytes: number) => {
      await simSleep(20)
      return new Uint8Array(bytes)
    })
    const spread = remote({ make }, async ({ make: child, get: fetch, put }, bytes: number) => {
      const stored = put(new Uint8Array(bytes))
      const parts = await fetch([child.remote(bytes), child.remote(bytes), child.remote(bytes)])
      return parts.length + (await fetch(stored)).length
    })
    let isDone = false
    const results = get(Array.from({ length: 12 }, () => spread.remote(200_000))).finally(() => (isDone = true))
    await world.clock.runUntil(() => isDone, 60_000)
    expect(await results).toEqual(Array(12).fill(200_003))
    const objects = (): number => helpers.reduce((sum, { node }) => sum + node.status().objects, 0)
    expect(objects()).toBeGreaterThan(0)
    driver.close('left')
    await world.clock.runUntil(() => objects() === 0, 10_000)
    for (const { node } of helpers) expect(node.status()).toMatchObject({ objects: 0, objectBytes: 0, running: 0 })
    for (const helper of helpers) helper.close('left')
  })
})

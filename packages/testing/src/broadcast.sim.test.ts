import { expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

const MEGABYTES = 16
const BYTES_PER_SECOND = 4e6

/** A driver and tabs with a resource each, on links of which each tab has 4 MB/s for all that it sends. */
async function room(tabs: number): Promise<{ world: SimWorld; driver: SimNode; all: SimNode[] }> {
  const network = { bytesPerSecond: BYTES_PER_SECOND, sharesRate: true, latency: { minMs: 5, maxMs: 10 } }
  const world = new SimWorld({ seed: 7, network })
  const all: SimNode[] = []
  for (let i = 0; i <= tabs; i++) {
    const ports = world.ports(await world.identity(`tab ${i}`), 1)
    const owner = i === 0 ? { ownerKeyPair: world.ownerKeyPair } : {}
    all.push(await createSimNode(ports, { slots: 1, resources: { [`tab${i}`]: 1 }, ...owner }))
  }
  await world.clock.run(world.clock.now() + 5_000)
  return { world, driver: all[0] as SimNode, all }
}

/** How long it takes until so many tabs have the object. */
async function broadcastMs(tabs: number): Promise<number> {
  const { world, driver, all } = await room(tabs)
  const { put, get, remote } = driver.api
  const lengthOf = remote((bytes: Uint8Array) => bytes.length, { numCpus: 0 })
  const ref = put(new Uint8Array(MEGABYTES * 1e6).fill(7))
  const startedAt = world.clock.now()
  const lengths = Array.from({ length: tabs }, (_, i) =>
    lengthOf.options({ resources: { [`tab${i + 1}`]: 1 } }).remote(ref),
  )
  let isOpen = true
  const values = get(lengths).finally(() => (isOpen = false))
  await world.clock.runUntil(() => !isOpen, 120_000)
  expect(await values).toEqual(Array.from({ length: tabs }, () => MEGABYTES * 1e6))
  const ms = world.clock.now() - startedAt
  for (const tab of all) tab.close('closed')
  return ms
}

it('[OS8] 16 MB reach six tabs in at most 1.5 times the time of one, though their owner sends no faster', async () => {
  const one = await broadcastMs(1)
  expect(one).toBeGreaterThan((MEGABYTES * 1e6) / BYTES_PER_SECOND)
  expect(await broadcastMs(6)).toBeLessThan(1.5 * one)
})

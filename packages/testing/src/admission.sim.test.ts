import { createRoomLink } from '@shoal/node'
import type { KeyPair } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

const GRANT_LATE_MS = 8_000

interface LateGrant {
  readonly world: SimWorld
  readonly driver: SimNode
  readonly helper: SimNode
}

/** A room whose directory lists its driver only `GRANT_LATE_MS` after it entered. */
async function lateGrant(seed: number): Promise<LateGrant> {
  const world = new SimWorld({ seed })
  const driver = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true })
  const helper = await createSimNode(world.ports(await world.identity('b'), 1))
  const { room, roomKey, connector, signaling, clock } = driver.ports
  const { publicKey } = world.ownerKeyPair
  const ownerKeyPair: KeyPair = {
    publicKey,
    sign: async (bytes) => {
      await new Promise<void>((resolve) => clock.after(GRANT_LATE_MS, resolve))
      return world.ownerKeyPair.sign(bytes)
    },
  }
  void driver.node.join({ room, roomKey, connector, signaling, createRoomLink, ownerKeyPair })
  return { world, driver, helper }
}

async function pass(world: SimWorld, ms: number): Promise<void> {
  await world.clock.run(world.clock.now() + ms)
}

describe('a grant that the directory brings late', () => {
  it('is asked for again: tasks after it run, those before it fail', async () => {
    const { world, driver, helper } = await lateGrant(11)
    const { remote, get } = driver.api
    await pass(world, 1_000)
    expect(driver.node.status().members.map(({ state }) => state)).toEqual(['connected'])
    const where = remote({}, async ({ context }, ms: number) => {
      await simSleep(ms)
      return context().nodeId
    })
    const ask = (): Promise<PromiseSettledResult<string>[]> =>
      Promise.allSettled(Array.from({ length: 6 }, () => get(where.remote(200))))
    const early = ask()
    await pass(world, 5_000)
    expect((await early).filter(({ status }) => status === 'rejected')).not.toHaveLength(0)
    await pass(world, GRANT_LATE_MS)
    const late = ask()
    await pass(world, 5_000)
    const places = (await late).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))
    expect(new Set(places)).toEqual(new Set([driver.ports.node, helper.ports.node]))
  })
})

declare const simSleep: (ms: number) => Promise<void>

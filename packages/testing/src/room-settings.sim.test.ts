import type { RoomSettings } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

describe("a room's settings", () => {
  it('[SS9] reach who is there and who comes later, and only the owner may write them', async () => {
    const world = new SimWorld({ seed: 21 })
    const heard: Record<string, RoomSettings[]> = { b: [], c: [] }
    const settings: RoomSettings = {
      iceServers: [{ urls: ['turn:relay:3478'], username: 'u', credential: 'c' }],
    }
    await createSimNode(world.ports(await world.identity('b'), 1), {
      onRoomSettings: (it) => heard['b']?.push(it),
      settings: { iceServers: [] },
    })
    await world.clock.run(world.clock.now() + 2_000)
    expect(heard['b']).toEqual([])
    await createSimNode(world.ports(await world.identity('a'), 1), { ownerKeyPair: world.ownerKeyPair, settings })
    await world.clock.run(world.clock.now() + 3_000)
    await createSimNode(world.ports(await world.identity('c'), 1), { onRoomSettings: (it) => heard['c']?.push(it) })
    await world.clock.run(world.clock.now() + 5_000)
    expect(heard).toEqual({ b: [settings], c: [settings] })
  })
})

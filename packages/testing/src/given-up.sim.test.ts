import { describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

describe('two nodes that have given each other up', () => {
  it('[TR15] are told so through the server, and find each other under new sessions', async () => {
    const world = new SimWorld({ seed: 15 })
    const told: string[] = []
    const open = async (name: string, session: number): Promise<Awaited<ReturnType<typeof createSimNode>>> =>
      createSimNode(world.ports(await world.identity(name), session), {
        onOver: () => told.push(`${name}/${session}`),
        ...(name === 'a' && { ownerKeyPair: world.ownerKeyPair }),
      })
    const first = [await open('a', 1), await open('b', 1)] as const
    await world.clock.run(world.clock.now() + 3_000)
    expect(first.map((tab) => tab.node.status().members.length)).toEqual([1, 1])
    // Both stand still for longer than the other waits; neither its socket nor its link ends.
    for (const tab of first) tab.ports.clock.freeze(true)
    await world.clock.run(world.clock.now() + 8_000)
    first[0].ports.clock.freeze(false)
    await world.clock.run(world.clock.now() + 8_000)
    first[1].ports.clock.freeze(false)
    await world.clock.run(world.clock.now() + 8_000)
    expect(told).toContain('b/1')
    for (const tab of first) tab.close('left')
    const second = [await open('a', 2), await open('b', 2)] as const
    await world.clock.run(world.clock.now() + 5_000)
    expect(second.map((tab) => tab.node.status().members.map((member) => member.state))).toEqual([
      ['connected'],
      ['connected'],
    ])
    for (const tab of second) tab.close('left')
  })

  it('[M4] are seen as connected when one is back under a new session before its old one was over', async () => {
    const world = new SimWorld({ seed: 16 })
    const [a, b] = [
      await createSimNode(world.ports(await world.identity('a'), 1), { ownerKeyPair: world.ownerKeyPair }),
      await createSimNode(world.ports(await world.identity('b'), 1)),
    ]
    await world.clock.run(3_000)
    // Without a goodbye, as after a verdict that the other has not heard of.
    world.network.cut(b.ports.node, a.ports.node)
    await b.enterAgain(world.nextSession(b.ports))
    world.network.failLinks(a.ports.node, b.ports.node)
    world.network.heal(b.ports.node, a.ports.node)
    await world.clock.run(world.clock.now() + 3_000)
    for (const { node } of [a, b]) expect(node.status().members.map(({ state }) => state)).toEqual(['connected'])
    for (const tab of [a, b]) tab.close('left')
  })
})

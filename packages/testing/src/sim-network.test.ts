import type { Link } from '@shoal/transport'
import { describe, expect, it } from 'vitest'
import { simRandom } from './sim-random.ts'
import { SimWorld } from './sim-world.ts'
import type { SimPorts } from './sim-world.ts'

async function setUp() {
  const world = new SimWorld({ seed: 11, network: { loseFirst: 0 } })
  const a = world.ports(await world.identity('a'), 1)
  const b = world.ports(await world.identity('b'), 1)
  const link = async (): Promise<[Link, Link]> => {
    const opened: Link[] = []
    const relay: { toA?: (data: string) => void; toB?: (data: string) => void } = {}
    const make = (ports: SimPorts, peer: SimPorts, place: number, signal: (data: string) => void) =>
      ports.connector.connect(peer.node, peer.session, place === 0, {
        signal,
        open: ({ link: it }) => {
          opened[place] = it
        },
        failed() {},
      })
    const one = make(a, b, 0, (data) => relay.toB?.(data))
    const other = make(b, a, 1, (data) => relay.toA?.(data))
    relay.toA = (data) => one.accept(data)
    relay.toB = (data) => other.accept(data)
    await world.clock.runUntil(() => opened[0] !== undefined && opened[1] !== undefined, 5_000)
    return [opened[0] as Link, opened[1] as Link]
  }
  const listen = (it: Link): string[] => {
    const heard: string[] = []
    it.start({
      control: (bytes) => heard.push(String(bytes[0])),
      bulk() {},
      ended: (why) => heard.push(why),
    })
    return heard
  }
  const pass = (ms: number): Promise<void> => world.clock.run(world.clock.now() + ms)
  return { world, a, b, link, listen, pass }
}

describe('the simulated network', () => {
  it('[X4] a cut path holds back, one way, and loses nothing when healed', async () => {
    const { world, a, b, link, listen, pass } = await setUp()
    const [one, other] = await link()
    const [heardA, heardB] = [listen(one), listen(other)]
    world.network.cut(a.node, b.node)
    one.sendControl(Uint8Array.of(1))
    other.sendControl(Uint8Array.of(2))
    await pass(5_000)
    expect([heardA, heardB]).toEqual([['2'], []])
    world.network.heal(a.node, b.node)
    await pass(100)
    expect(heardB).toEqual(['1'])
  })

  it('[X4] a path that stays cut fails after 15 s', async () => {
    const { world, a, b, link, listen, pass } = await setUp()
    const [one, other] = await link()
    const [heardA, heardB] = [listen(one), listen(other)]
    world.network.partition([[a.node], [b.node]])
    await pass(14_900)
    expect(heardA).toEqual([])
    await pass(200)
    expect([heardA, heardB]).toEqual([['failed'], ['failed']])
    expect(world.network.linkCount).toBe(0)
  })

  it('[X4] a frozen node takes nothing until it thaws, a dead one never', async () => {
    const { world, b, link, listen, pass } = await setUp()
    const [one, other] = await link()
    const [heardA, heardB] = [listen(one), listen(other)]
    b.clock.freeze(true)
    one.sendControl(Uint8Array.of(1))
    one.sendControl(Uint8Array.of(2))
    await pass(3_000)
    expect(heardB).toEqual([])
    b.clock.freeze(false)
    await pass(1)
    expect(heardB).toEqual(['1', '2'])
    world.kill(b)
    one.sendControl(Uint8Array.of(3))
    await pass(20_000)
    expect(heardB).toEqual(['1', '2'])
    expect(heardA).toEqual(['failed'])
  })

  it('[R1] sees links and sockets that were left open', async () => {
    const { world, a, link, listen, pass } = await setUp()
    const [one] = await link()
    listen(one)
    a.signaling.start({ welcome() {}, joined() {}, left() {}, relay() {}, down() {} })
    await pass(100)
    expect(world.leaks()).toEqual(['R1: 1 links are left', 'R1: 2 connections are left', 'R1: 1 sockets are left'])
    a.signaling.close()
    expect(world.leaks().length).toBe(2)
  })

  it('[R2] forked streams depend on their names alone', () => {
    const first = simRandom(5)
    const before = first.fork('x').float()
    first.float()
    first.fork('y').bytes(10)
    expect(first.fork('x').float()).toBe(before)
    expect(first.fork('y').float()).not.toBe(before)
    expect(simRandom(6).fork('x').float()).not.toBe(before)
  })
})

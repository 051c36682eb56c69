import type { NodeId, NodeMessage } from '@shoal/protocol'
import { simCrypto, simRandom, SimWorld } from '@shoal/testing'
import type { SimIdentity, SimPorts } from '@shoal/testing'
import { describe, expect, it } from 'vitest'
import type { Overlay } from '../overlay.ts'
import { createOverlay } from './overlay-impl.ts'
import { SLOW_RETRY_FIRST_MS, UNREACHABLE_MS } from './timing.ts'

interface Seat {
  readonly ports: SimPorts
  readonly overlay: Overlay
  readonly events: string[]
  readonly heard: number[]
}

function createRoom(seed = 1) {
  const world = new SimWorld({ seed })
  const seats: Seat[] = []
  const sit = (identity: SimIdentity, session = 1, changes: Partial<SimPorts> = {}): Seat => {
    const ports = { ...world.ports(identity, session), ...changes }
    const overlay = createOverlay({ ...ports, self: ports })
    const events: string[] = []
    const heard: number[] = []
    const name = (node: NodeId | undefined): string =>
      seats.find((seat) => seat.ports.node === node)?.ports.name ?? 'stranger'
    overlay.start({
      member: (node, _session, state) => events.push(`${state} ${name(node)}`),
      linked: (peer) => events.push(`linked ${name(peer.node)}/${peer.session}`),
      unlinked: (node, at) => events.push(`unlinked ${name(node)}/${at}`),
      goodbye: (node, at) => events.push(`goodbye ${name(node)}/${at}`),
      heard() {},
      hint: (node, at, state) => {
        if (state !== 'present') events.push(`hint ${node === undefined ? 'server' : `${name(node)}/${at}`} ${state}`)
      },
      message: (_from, message) => {
        if (message.type === 'directory.update') heard.push(message.update[0] ?? -1)
      },
      bulk: (_from, pull, offset, bytes) => events.push(`bulk ${pull} ${offset} ${bytes.join()}`),
    })
    const seat = { ports, overlay, events, heard }
    seats.push(seat)
    return seat
  }
  const named = async (name: string): Promise<SimIdentity> => world.identity(name)
  const pass = (ms: number): Promise<void> => world.clock.run(world.clock.now() + ms)
  const areLinked = (...some: Seat[]): boolean =>
    some.every((one) => some.every((other) => one === other || isLinked(one, other)))
  const untilLinked = (...some: Seat[]): Promise<boolean> => world.clock.runUntil(() => areLinked(...some), 20_000)
  return { world, sit, named, pass, areLinked, untilLinked }
}

function isLinked(one: Seat, other: Seat): boolean {
  return one.overlay.peers().some((peer) => peer.node === other.ports.node)
}

const message = (number: number): NodeMessage => ({ type: 'directory.update', update: Uint8Array.of(number) })

describe('an overlay', () => {
  it('[TR9] links everybody, and carries messages and chunks', async () => {
    const { sit, named, pass, untilLinked } = createRoom()
    const [a, b, c] = [sit(await named('a')), sit(await named('b')), sit(await named('c'))]
    expect(await untilLinked(a, b, c)).toBe(true)
    for (let i = 0; i < 10; i++) a.overlay.send(b.ports.node, message(i))
    a.overlay.sendBulk(c.ports.node, 7, 65536, Uint8Array.of(1, 2, 3))
    await pass(100)
    expect(b.heard).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(c.events).toContain('bulk 7 65536 1,2,3')
    expect(a.overlay.bulkRoom(b.ports.node)).toBeGreaterThan(0)
    expect(a.overlay.bulkRoom('f'.repeat(32) as NodeId)).toBe(0)
    const stats = a.overlay.stats(b.ports.node)
    expect(stats?.unacknowledgedBytes).toBe(0)
    expect(stats?.bytesSent).toBeGreaterThan(0)
  })

  it('[TR9] makes a failed link anew, and nothing is lost by it', async () => {
    const { world, sit, named, pass, untilLinked } = createRoom()
    const [a, b] = [sit(await named('a')), sit(await named('b'))]
    await untilLinked(a, b)
    for (let i = 0; i < 5; i++) {
      world.network.failLinks(a.ports.node, b.ports.node)
      a.overlay.send(b.ports.node, message(2 * i))
      await pass(3)
      a.overlay.send(b.ports.node, message(2 * i + 1))
      expect(await untilLinked(a, b)).toBe(true)
    }
    await pass(1_000)
    expect(b.heard).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(a.events.filter((event) => event === 'unlinked b/1').length).toBe(5)
  })

  it('[TR9] needs the signaling server for new links only', async () => {
    const { world, sit, named, pass, untilLinked } = createRoom()
    const [a, b] = [sit(await named('a')), sit(await named('b'))]
    await untilLinked(a, b)
    world.network.signaling.restart(10_000)
    await pass(5_000)
    a.overlay.send(b.ports.node, message(1))
    await pass(100)
    expect(b.heard).toEqual([1])
    expect(a.events).toContain('hint server down')
    world.network.failLinks(a.ports.node, b.ports.node)
    await pass(3_000)
    expect(isLinked(a, b)).toBe(false)
    expect(await untilLinked(a, b)).toBe(true)
  })

  it('[TR10] reports who cannot be reached, and finds them when the path is back', async () => {
    const { world, sit, named, pass, untilLinked } = createRoom()
    const [a, b] = [sit(await named('a')), sit(await named('b'))]
    world.network.cut(b.ports.node, a.ports.node)
    await pass(UNREACHABLE_MS - 500)
    expect(a.events).not.toContain('unreachable b')
    await pass(1_500)
    expect(a.events.filter((event) => event === 'unreachable b').length).toBe(1)
    expect(b.events.filter((event) => event === 'unreachable a').length).toBe(1)
    world.network.healAll()
    expect(await world.clock.runUntil(() => isLinked(a, b), SLOW_RETRY_FIRST_MS + 1_000)).toBe(true)
    expect(await untilLinked(a, b)).toBe(true)
  })

  it('[L2] lets nothing of a forgotten session in, and lets the next session in', async () => {
    const { world, sit, named, pass, untilLinked } = createRoom()
    const identity = await named('b')
    const [a, b] = [sit(await named('a')), sit(identity)]
    await untilLinked(a, b)
    a.overlay.forget(b.ports.node, 1)
    for (let i = 0; i < 40; i++) {
      b.overlay.send(a.ports.node, message(i))
      await pass(500)
    }
    expect(a.heard).toEqual([])
    expect(isLinked(a, b)).toBe(false)
    world.kill(b.ports)
    const reborn = sit(identity, 2)
    expect(await untilLinked(a, reborn)).toBe(true)
    reborn.overlay.send(a.ports.node, message(7))
    await pass(100)
    expect(a.heard).toEqual([7])
    expect(a.events).toContain('linked b/2')
  })

  it('[TR8] does not end a session because the server announced a higher one', async () => {
    const { world, sit, named, pass, untilLinked, areLinked } = createRoom()
    const identity = await named('b')
    const [a, b] = [sit(await named('a')), sit(identity)]
    await untilLinked(a, b)
    // The server's word for a session that no key ever vouched for.
    const claim = world.network.signalingFor(b.ports.node, 99, world.clock.forNode('claim'))
    claim.start({ welcome() {}, joined() {}, left() {}, relay() {}, down() {} })
    await pass(2_000)
    expect(areLinked(a, b)).toBe(true)
    b.overlay.send(a.ports.node, message(3))
    await pass(100)
    expect(a.heard).toEqual([3])
    claim.close()
  })

  it('[TR12] says goodbye, is not called back, and leaves nothing', async () => {
    const { world, sit, named, pass, untilLinked } = createRoom()
    const [a, b] = [sit(await named('a')), sit(await named('b'))]
    await untilLinked(a, b)
    a.overlay.send(b.ports.node, message(5))
    a.overlay.close('left')
    await pass(300)
    expect(b.heard).toEqual([5])
    expect(b.events).toContain('goodbye a/1')
    expect(b.events).not.toContain('unlinked a/1')
    await pass(20_000)
    expect(b.events.filter((event) => event.startsWith('linked a')).length).toBe(1)
    b.overlay.close('closed')
    await pass(2_000)
    expect(world.leaks()).toEqual([])
  })

  it("[TR12] takes a peer's page at its word when that says goodbye", async () => {
    const { world, sit, named, untilLinked } = createRoom()
    const identity = await named('a')
    const pages: (() => void)[] = []
    const inner = world.network.connector(identity.node, 1, world.clock.forNode('a again'))
    const connector: SimPorts['connector'] = {
      isAvailable: true,
      connect: (peer, session, isInitiator, handlers) => {
        pages.push(() => handlers.goodbye?.())
        return inner.connect(peer, session, isInitiator, handlers)
      },
    }
    const [a, b] = [sit(identity, 1, { connector }), sit(await named('b'))]
    await world.clock.runUntil(() => pages.length > 0, 5_000)
    pages[0]?.()
    expect(a.events).not.toContain('goodbye b/1')
    expect(await untilLinked(a, b)).toBe(true)
    pages.at(-1)?.()
    expect(a.events).toContain('goodbye b/1')
    expect(isLinked(a, b)).toBe(false)
  })

  it("[TR14] never links a member that speaks with another node's id", async () => {
    const { sit, named, pass } = createRoom()
    const [a, b, c] = [await named('a'), await named('b'), await named('c')]
    const honest = sit(a)
    // In the room, with the room's key, under b's id, with a key of its own.
    const impostor = sit({ ...c, name: 'impostor', node: b.node })
    await pass(30_000)
    expect(honest.overlay.peers()).toEqual([])
    expect(impostor.overlay.peers()).toEqual([])
    const faults = [honest, impostor].map((seat) => seat.overlay.stats(seat === honest ? b.node : a.node)?.faults ?? 0)
    expect(Math.max(...faults)).toBeGreaterThan(0)
  })

  it('[TR14] keeps signals in order though the cryptography takes its time', async () => {
    const { world, sit, named, untilLinked } = createRoom(5)
    const slow = (name: string): SimPorts['crypto'] => {
      const random = simRandom(1).fork(name)
      const crypto = simCrypto(random)
      const later = async <T>(value: Promise<T>): Promise<T> => {
        await new Promise<void>((resolve) => world.clock.after(random.float() * 30, resolve))
        return value
      }
      return {
        ...crypto,
        seal: (key, plain, context) => later(crypto.seal(key, plain, context)),
        open: (key, sealed, context) => later(crypto.open(key, sealed, context)),
        verify: (key, text, signature) => later(crypto.verify(key, text, signature)),
      }
    }
    const seats = []
    for (const name of ['a', 'b', 'c', 'd']) seats.push(sit(await named(name), 1, { crypto: slow(name) }))
    expect(await untilLinked(...seats)).toBe(true)
  })

  it('[TR13] goes on when a handler throws', async () => {
    const { world, sit, named, pass } = createRoom()
    const a = sit(await named('a'))
    const identity = await named('b')
    const ports = world.ports(identity, 1)
    const overlay = createOverlay({ ...ports, self: ports })
    const heard: number[] = []
    const broken = (): never => {
      throw new Error('a bug above')
    }
    overlay.start({
      member: broken,
      linked: broken,
      unlinked: broken,
      goodbye: broken,
      heard: broken,
      hint: broken,
      message: (_from, told) => {
        if (told.type === 'directory.update') heard.push(told.update[0] ?? -1)
        broken()
      },
      bulk: broken,
    })
    await pass(3_000)
    for (let i = 0; i < 5; i++) a.overlay.send(identity.node, message(i))
    await pass(1_000)
    expect(heard).toEqual([0, 1, 2, 3, 4])
    expect(a.overlay.peers().length).toBe(1)
  })
})

import type { NodeId, NodeMessage } from '@shoal/protocol'
import { SimWorld } from '@shoal/testing'
import type { SimIdentity, SimPorts } from '@shoal/testing'
import { describe, expect, it } from 'vitest'
import type { Overlay } from '../overlay.ts'
import { createOverlay } from './overlay-impl.ts'
import { DETOURED_BULK_BYTES, LINK_FIRST_MS, LINK_SILENCE_MS } from './timing.ts'

interface Seat {
  readonly node: NodeId
  readonly ports: SimPorts
  readonly overlay: Overlay
  readonly events: string[]
  readonly heard: number[]
  readonly chunks: string[]
}

/** Nodes that all link each other, after which the server may go. */
async function room(names: string, options: { readonly apart?: readonly (readonly [string, string])[] } = {}) {
  const world = new SimWorld({ seed: 4 })
  const seats: Record<string, Seat> = {}
  const identities: [string, SimIdentity][] = []
  for (const name of names) identities.push([name, await world.identity(name)])
  const ids = Object.fromEntries(identities.map(([name, { node }]) => [name, node])) as Record<string, NodeId>
  const cut = (one: string, other: string): void => world.network.cut(ids[one] as NodeId, ids[other] as NodeId)
  const cutBoth = (one: string, other: string): void => {
    cut(one, other)
    cut(other, one)
  }
  for (const [one, other] of options.apart ?? []) cutBoth(one, other)
  const nameOf = (node: NodeId): string => identities.find(([, identity]) => identity.node === node)?.[0] ?? '?'
  for (const [name, identity] of identities) {
    const ports = world.ports(identity, 1)
    const overlay = createOverlay({ ...ports, self: ports })
    const seat: Seat = { node: identity.node, ports, overlay, events: [], heard: [], chunks: [] }
    seats[name] = seat
    overlay.start({
      member: (node, _session, state) => seat.events.push(`${state} ${nameOf(node)}`),
      linked: ({ node, isNeighbour }) => seat.events.push(`${isNeighbour ? 'linked' : 'detoured'} ${nameOf(node)}`),
      unlinked: (node) => seat.events.push(`unlinked ${nameOf(node)}`),
      goodbye: (node) => seat.events.push(`goodbye ${nameOf(node)}`),
      heard() {},
      hint() {},
      accused: (node, _session, why) => seat.events.push(`accused ${nameOf(node)} ${why}`),
      message: (_from, message) => {
        if (message.type === 'directory.update') seat.heard.push(message.update[0] ?? -1)
      },
      bulk: (from, pull, offset, bytes) => seat.chunks.push(`${nameOf(from)} ${pull} ${offset} ${bytes.length}`),
    })
  }
  const seat = (name: string): Seat => seats[name] as Seat
  const path = (one: string, other: string): 'link' | 'detour' | undefined => {
    const peer = seat(one)
      .overlay.peers()
      .find(({ node }) => node === ids[other])
    return peer && (peer.isNeighbour ? 'link' : 'detour')
  }
  const pass = (ms: number): Promise<void> => world.clock.run(world.clock.now() + ms)
  const until = (holds: () => boolean, ms: number): Promise<boolean> => world.clock.runUntil(holds, ms)
  const isMesh = (): boolean =>
    [...names].every((one) => [...names].every((other) => one === other || path(one, other) !== undefined))
  expect(await until(isMesh, 20_000)).toBe(true)
  return { world, seat, path, pass, until, cut, cutBoth }
}

const message = (number: number): NodeMessage => ({ type: 'directory.update', update: Uint8Array.of(number) })
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('a path over other members', () => {
  it('[L1] stands in for a link that never came, and all messages arrive once and in order', async () => {
    const { seat, path, pass, until } = await room('abc', { apart: [['a', 'b']] })
    expect(path('a', 'b')).toBe('detour')
    expect(seat('a').events).toContain('detoured b')
    for (const number of upTo(200)) {
      seat('a').overlay.send(seat('b').node, message(number))
      if (number % 10 === 0) await pass(5)
    }
    expect(await until(() => seat('b').heard.length === 200, 5_000)).toBe(true)
    expect(seat('b').heard).toEqual(upTo(200))
    expect(
      seat('a')
        .overlay.peers()
        .find(({ node }) => node === seat('b').node)?.isDirect,
    ).toBe(false)
    await pass(15_000)
    // It is there, if not by a link of its own.
    expect(seat('a').events).not.toContain('unreachable b')
  })

  it.each([
    ['both ways', 'ab ba'],
    ['one way', 'ab'],
    ['the other way', 'ba'],
  ])('[L1] brings what a link cut %s holds back within 5 s', async (_name, cuts) => {
    const { seat, until, cut, pass } = await room('abc')
    for (const [from, to] of cuts.split(' ')) cut(from as string, to as string)
    for (const number of upTo(20)) {
      seat('a').overlay.send(seat('b').node, message(number))
      seat('b').overlay.send(seat('a').node, message(number))
    }
    expect(await until(() => seat('a').heard.length + seat('b').heard.length === 40, 5_000)).toBe(true)
    await pass(10_000)
    expect([seat('a').heard, seat('b').heard]).toEqual([upTo(20), upTo(20)])
    expect(seat('a').overlay.stats(seat('b').node)?.unacknowledgedBytes).toBe(0)
  })

  it('[TR18] carries signals: a failed link is made anew while the server is down', async () => {
    const { world, seat, path, pass, until } = await room('abc')
    world.network.signaling.restart(60_000)
    await pass(1_000)
    world.network.failLinks(seat('a').node, seat('b').node)
    await pass(20)
    expect(path('a', 'b')).toBe('detour')
    expect(seat('a').events).not.toContain('unlinked b')
    expect(await until(() => path('a', 'b') === 'link' && path('b', 'a') === 'link', 5_000)).toBe(true)
  })

  it('[TR18] goes over as many members as it needs, and follows when one of them is gone', async () => {
    // a - c - d - b, and a - e - b.
    const apart = ['ab', 'ad', 'cb', 'ec', 'ed'].map(([one, other]) => [one, other] as [string, string])
    const { world, seat, path, pass, until } = await room('abcde', { apart })
    expect(path('a', 'b')).toBe('detour')
    for (const number of upTo(20)) seat('a').overlay.send(seat('b').node, message(number))
    world.kill(seat('e').ports)
    await pass(6_000)
    for (const number of upTo(20)) seat('a').overlay.send(seat('b').node, message(20 + number))
    expect(await until(() => seat('b').heard.length === 40, 5_000)).toBe(true)
    expect(seat('b').heard).toEqual(upTo(40))
  })

  it('[TR18] says that the last path is gone', async () => {
    const { world, seat, path, until } = await room('abc', { apart: [['a', 'b']] })
    world.kill(seat('c').ports)
    expect(await until(() => path('a', 'b') === undefined, LINK_SILENCE_MS + 1_000)).toBe(true)
    expect(seat('a').events.at(-1)).toMatch(/unlinked/)
    expect(seat('a').events).toContain('unlinked b')
  })

  it('[TR19] takes bulk after a link was tried for, under a window, in order', async () => {
    const { seat, pass, until } = await room('abc', { apart: [['a', 'b']] })
    const [a, b] = [seat('a').overlay, seat('b').node]
    expect(a.bulkRoom(b)).toBe(0)
    let sent = 0
    const pump = (): void => {
      while (a.bulkRoom(b) > 0 && sent < 100) a.sendBulk(b, 5, 50_000 * sent++, new Uint8Array(50_000))
      if (sent < 100) a.onBulkRoom(b, pump)
    }
    pump()
    await pass(LINK_FIRST_MS + 300)
    expect(sent).toBeGreaterThan(0)
    expect(sent * 50_000).toBeLessThan(4 * DETOURED_BULK_BYTES + seat('b').chunks.length * 50_000)
    expect(await until(() => seat('b').chunks.length === 100, 20_000)).toBe(true)
    expect(seat('b').chunks).toEqual(upTo(100).map((number) => `a 5 ${50_000 * number} 50000`))
  })

  it('[TR19] begins bulk again at both ends when a relay died with it', async () => {
    const { world, seat, pass, until } = await room('abcd', { apart: [['a', 'b']] })
    const [a, b] = [seat('a').overlay, seat('b').node]
    expect(a.bulkRoom(b)).toBe(0)
    await pass(LINK_FIRST_MS + 300)
    a.sendBulk(b, 1, 0, new Uint8Array(10))
    await pass(500)
    const [saidA, saidB] = [seat('a').events.length, seat('b').events.length]
    for (const relay of ['c', 'd']) world.network.cut(seat(relay).node, b)
    for (let i = 1; i <= 3; i++) a.sendBulk(b, 1, i, new Uint8Array(10))
    for (const relay of ['c', 'd']) world.network.failLinks(seat(relay).node, b)
    world.network.healAll()
    world.network.cut(seat('a').node, b)
    world.network.cut(b, seat('a').node)
    const isAgain = (name: string, other: string, since: number): boolean =>
      seat(name).events.slice(since).includes(`detoured ${other}`)
    expect(await until(() => isAgain('a', 'b', saidA) && isAgain('b', 'a', saidB), 10_000)).toBe(true)
    a.sendBulk(b, 2, 0, new Uint8Array(10))
    expect(await until(() => seat('b').chunks.at(-1) === 'a 2 0 10', 5_000)).toBe(true)
  })

  it('[M1] brings a goodbye to those who have no link to it', async () => {
    const { seat, until } = await room('abc', { apart: [['a', 'b']] })
    seat('b').overlay.close('left')
    expect(await until(() => seat('a').events.includes('goodbye b'), 500)).toBe(true)
  })

  it('[M1] accuses who fell silent once all its neighbours say so, and not before', async () => {
    const { world, seat, pass } = await room('abcd', { apart: [['a', 'b']] })
    world.kill(seat('b').ports)
    await pass(5_000)
    seat('c').overlay.doubt(seat('b').node, 1, 'silent')
    await pass(200)
    expect(seat('a').events).not.toContain('accused b silent')
    seat('d').overlay.doubt(seat('b').node, 1, 'silent')
    await pass(200)
    for (const name of 'acd') expect(seat(name).events).toContain('accused b silent')
  })
})

import { seededRandom } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { NodeId } from '@shoal/protocol'
import { byRendezvous } from '../rendezvous.ts'
import { nameKey } from './name-key.ts'
import type { ActorName } from './name-key.ts'
import { NameMachine } from './name-machine.ts'
import type { NameMessage } from './name-machine.ts'
import { NameRoom } from '../testing/name-room.ts'
import type { NameNode as Node } from '../testing/name-room.ts'
import { compareObjectIds } from './object-order.ts'

/** Where a name is at home in a view. */
const homeOf = (text: string, nodes: Iterable<NodeId>): NodeId | undefined => byRendezvous(text, nodes)[0]

const SEEDS = 200
const NAMES: ActorName[] = ['store', 'log', 'é/ü'].map((name) => ({ namespace: 'app', name }))
/** When quiet: no open claims, and each name held at most once, by whoever the machines say too. */
function expectSettled(room: NameRoom): void {
  expect([...room.open]).toEqual([])
  for (const [, holders] of room.holders) expect(holders.size).toBeLessThanOrEqual(1)
  const held = room.nodes.flatMap(({ machine }) => machine.held().map(nameKey)).sort()
  expect(held).toEqual(
    [...room.holders]
      .filter(([, holders]) => holders.size > 0)
      .map(([name]) => name)
      .sort(),
  )
}

describe('names of actors', () => {
  it('[D3] the first claim wins, others are told who holds it, and a released name can be won again', () => {
    const room = new NameRoom(1, 4)
    const [a, b] = room.nodes as [Node, Node]
    const [name] = NAMES as [ActorName]
    const actor = room.claim(a, name)
    room.settle()
    const late = room.claim(b, name)
    room.settle()
    expect(room.told).toEqual([
      { type: 'won', name, actor, at: a.id },
      { type: 'taken', name, actor: late, holder: actor, at: b.id },
    ])
    room.release(a, name)
    room.claim(b, name)
    room.settle()
    expect(room.told.at(-1)).toMatchObject({ type: 'won', at: b.id })
    expectSettled(room)
  })

  it('[D3] after a partition the lower actor id keeps the name and the other owner is told', () => {
    for (let seed = 0; seed < 50; seed++) {
      const room = new NameRoom(seed, 6)
      const [name] = NAMES as [ActorName]
      room.partition()
      room.settle()
      const actors = room.nodes.map((node) => room.claim(node, name))
      room.settle()
      const winners = room.told.filter(({ type }) => type === 'won').map(({ actor }) => actor)
      const lowest = winners.toSorted(compareObjectIds)[0]
      room.heal()
      room.settle()
      expectSettled(room)
      const lost = room.told.filter(({ type }) => type === 'lost')
      expect(lost).toHaveLength(winners.length - 1)
      for (const each of lost) expect(each).toMatchObject({ winner: lowest })
      expect(actors).toContain(lowest)
    }
  })

  it('[D3] without a partition nobody but one is ever told won, however views differ while nodes come and go', () => {
    let contested = 0
    let moved = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const room = new NameRoom(seed, 3 + (seed % 4))
      for (let round = 0; round < 40; round++) {
        const dice = room.random.float()
        const node = room.pick(room.nodes)
        const name = room.pick(NAMES)
        const before = homeOf(
          nameKey(name),
          room.nodes.map(({ id }) => id),
        )
        if (dice < 0.5) room.claim(node, name)
        else if (dice < 0.6) room.release(node, name)
        // One that is met by all before it claims: who is alone in its own view has a room of its own, as after a partition.
        else if (dice < 0.7) for (const met = room.join(); met.view.size < room.nodes.length && room.step(););
        else if (dice < 0.8 && room.nodes.length > 2) room.leave(node)
        const after = homeOf(
          nameKey(name),
          room.nodes.map(({ id }) => id),
        )
        if (before !== after) moved++
        for (let steps = Math.floor(room.random.float() * 30); steps > 0; steps--) {
          room.step()
          for (const [key, holders] of room.holders)
            if (holders.size > 1) throw new Error(`D3: seed ${seed}: ${key} is held by ${[...holders].join(' and ')}`)
        }
      }
      room.settle()
      expectSettled(room)
      expect(room.told.filter(({ type }) => type === 'lost')).toEqual([])
      contested += room.told.filter(({ type }) => type === 'taken').length
    }
    expect(contested).toBeGreaterThan(200)
    expect(moved).toBeGreaterThan(200)
  }, 600_000)

  it('[D3] over partitions, heals, joins and leaves everybody is told once, and one holds each name in the end', () => {
    const counts = { won: 0, taken: 0, lost: 0 }
    for (let seed = 1_000; seed < 1_000 + SEEDS; seed++) {
      const room = new NameRoom(seed, 4 + (seed % 5))
      for (let round = 0; round < 60; round++) {
        const dice = room.random.float()
        const node = room.pick(room.nodes)
        if (dice < 0.5) room.claim(node, room.pick(NAMES))
        else if (dice < 0.6) room.release(node, room.pick(NAMES))
        else if (dice < 0.68) room.join()
        else if (dice < 0.76 && room.nodes.length > 2) room.leave(node)
        else if (dice < 0.82) room.partition()
        else if (dice < 0.9) room.heal()
        for (let steps = Math.floor(room.random.float() * 40); steps > 0; steps--) room.step()
      }
      room.heal()
      room.settle()
      // Whoever was given up while its new session was on its way begins another one.
      room.heal()
      room.settle()
      expectSettled(room)
      for (const { type } of room.told) counts[type]++
    }
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(100)
  }, 600_000)

  it('[D3] claims cost their home one round of questions, and later ones of the name two messages', () => {
    const room = new NameRoom(7, 20)
    const [name] = NAMES as [ActorName]
    const home = homeOf(
      nameKey(name),
      room.nodes.map(({ id }) => id),
    )
    const [a, b] = room.nodes.filter(({ id }) => id !== home) as [Node, Node]
    const before = room.messages
    room.claim(a, name)
    room.settle()
    expect(room.messages - before).toBe(2 + 2 * 19)
    room.claim(b, name)
    room.settle()
    expect(room.messages - before).toBe(4 + 2 * 19)
  })

  it('[D3] a home counts only reports of its present round, and a claimant only answers of its present home', () => {
    const random = seededRandom(9)
    const [one, other, third] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]
    const view = new Map([one, other, third].map((id) => [id, 1]))
    const names = Array.from({ length: 50 }, (_, i) => ({ namespace: 'app', name: `${i}` }))
    const name = names.find((each) => homeOf(nameKey(each), view.keys()) === one) as ActorName
    const home = new NameMachine(one, 1)
    home.members(view)
    const actor = { owner: other, number: 1 }
    const sent = home.receive(other, { type: 'name.claim', ...name, actor, claim: 4, isHeld: false })
    const ask = sent.flatMap((effect) =>
      effect.type === 'send' && effect.message.type === 'name.ask' ? effect.message : [],
    )
    expect(ask).toHaveLength(2)
    const round = ask[0]?.round ?? 0
    const report = { type: 'name.report', ...name, actor: undefined, claim: 0 } as const
    for (const of of [round - 1, round + 1])
      for (const from of [other, third]) expect(home.receive(from, { ...report, round: of })).toEqual([])
    expect(home.receive(other, { ...report, round })).toEqual([])
    const answer = { type: 'name.answer', ...name, holder: actor, claim: 4 } as const
    expect(home.receive(third, { ...report, round })).toEqual([{ type: 'send', to: other, message: answer }])

    const claimant = new NameMachine(other, 1)
    claimant.members(view)
    claimant.claim(name, actor)
    const release = { type: 'name.release', ...name, claim: 1 } as const
    expect(claimant.receive(third, { ...answer, claim: 1 })).toEqual([{ type: 'send', to: third, message: release }])
    expect(claimant.receive(one, { ...answer, claim: 1 })).toEqual([{ type: 'won', name, actor }])
  })

  it('[D3] a claim counts at its home once more when the name was away from there and its claimant never saw that', () => {
    const random = seededRandom(11)
    const [home, claimant, other] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]
    const names = Array.from({ length: 200 }, (_, i) => ({ namespace: 'app', name: `${i}` }))
    // At home with the one, and, while it is there, with the other.
    const name = names.find((each) => {
      const text = nameKey(each)
      return homeOf(text, [home, claimant]) === home && homeOf(text, [home, claimant, other]) === other
    }) as ActorName
    const machine = new NameMachine(home, 1)
    const sessions = (...nodes: NodeId[]) => new Map(nodes.map((node) => [node, 1]))
    machine.members(sessions(home, claimant))
    const actor = { owner: claimant, number: 1 }
    // It has to wait for what the claimant itself holds.
    machine.receive(claimant, { type: 'name.claim', ...name, actor, claim: 1, isHeld: false })
    machine.members(sessions(home, claimant, other))
    const asked = machine
      .members(sessions(home, claimant))
      .flatMap((effect) => (effect.type === 'send' && effect.message.type === 'name.ask' ? effect.message : []))
    expect(asked).toHaveLength(1)
    const round = asked[0]?.round ?? 0
    const report = { type: 'name.report', ...name, round, actor: undefined, claim: 0 } as const
    const answer = { type: 'name.answer', ...name, holder: actor, claim: 1 } as const
    expect(machine.receive(claimant, report)).toEqual([{ type: 'send', to: claimant, message: answer }])
  })

  it('[R3] what strangers and liars send changes nothing for those who claim', () => {
    const room = new NameRoom(8, 4)
    const [a, liar] = room.nodes as [Node, Node]
    const [name] = NAMES as [ActorName]
    const actor = room.claim(a, name)
    room.settle()
    const other = { owner: liar.id, number: 1 }
    for (const message of [
      { type: 'name.answer', ...name, holder: other, claim: 1 },
      { type: 'name.answer', ...name, holder: other, claim: 99 },
      { type: 'name.lost', ...name, actor, winner: other },
      { type: 'name.report', ...name, round: 1, actor: other, claim: 1 },
      { type: 'name.release', ...name, claim: 1 },
    ] as NameMessage[]) {
      const isHome = homeOf(nameKey(name), a.view.keys()) === liar.id
      if (!isHome) room.apply(a, a.machine.receive(liar.id, message))
      room.apply(a, a.machine.receive(randomNodeId(room.random), message))
    }
    for (let i = 0; i < 10_000; i++)
      a.machine.receive(liar.id, {
        type: 'name.claim',
        namespace: 'x',
        name: `${i}`,
        actor: other,
        claim: i,
        isHeld: true,
      })
    room.settle()
    expect(a.machine.held()).toEqual([name])
  })
})

// Long because all rules about one life are one machine, and each has its histories here.
import { seededRandom, silentLog } from '@shoal/base'
import type { Timer } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { MembershipMachine } from './membership-machine.ts'
import type { MembershipEvent } from './membership-machine.ts'
import { createMembership } from './membership.ts'
import type { Membership } from './membership.ts'

const random = seededRandom(1)
const [self, a, b, c] = [0, 1, 2, 3].map(() => randomNodeId(random)) as [NodeId, NodeId, NodeId, NodeId]
const names = new Map<NodeId, string>([
  [self, 'self'],
  [a, 'a'],
  [b, 'b'],
  [c, 'c'],
])

interface Observer {
  readonly clock: FakeClock
  readonly members: Membership
  /** Told so far, with the time since the start. */
  readonly told: string[]
  /** Peers that speak every 300 ms until removed. */
  readonly speaking: Set<NodeId>
  /** Who others still hear, or wait for: our doubt does not make an accusation of them. */
  readonly vouched: Set<NodeId>
  /** Our votes, with the names. */
  readonly votes: string[]
  forgetTold(): void
}

/** An observer with a server and the given peers linked; each speaks at its own moment. */
function observe(peers: readonly NodeId[], options: { readonly withServer?: boolean } = {}): Observer {
  const clock = new FakeClock()
  const told: string[] = []
  const vouched = new Set<NodeId>()
  const votes: string[] = []
  const name = (node: NodeId): string | undefined => names.get(node)
  const members: Membership = createMembership({
    clock,
    self,
    log: silentLog,
    handlers: {
      alive: (node, session) => told.push(`${name(node)}${session} alive`),
      dead: (node, session, reason) => told.push(`${name(node)}${session} dead ${reason}`),
      // As the overlay does, where no other neighbour has a say.
      doubt: (node, session, why) => {
        votes.push(`${name(node)} ${why ?? 'heard'}`)
        if (why !== undefined && why !== 'unsure' && !vouched.has(node)) members.accused(node, session, why)
      },
      refused: (node, session) => told.push(`${name(node)}${session} refused`),
      connectivity: (isOffline) => told.push(isOffline ? 'offline' : 'online'),
    },
  })
  if (options.withServer ?? true) members.hint(undefined, 0, 'present')
  const speaking = new Set(peers)
  peers.forEach((peer, i) => {
    members.linked(peer, 1, true)
    const speak = (): Timer =>
      clock.after(300, () => {
        if (speaking.has(peer)) members.heard(peer, 1)
        speak()
      })
    clock.after(70 * i, speak)
  })
  told.length = 0
  return { clock, members, told, speaking, vouched, votes, forgetTold: () => void (told.length = 0) }
}

describe('membership', () => {
  it('[M1] a goodbye is a death at once', () => {
    const { members, told } = observe([a, b])
    members.goodbye(a, 1)
    expect(told).toEqual(['a1 dead goodbye'])
    expect(members.alive()).toEqual([b])
    expect(members.sessionOf(a)).toBeUndefined()
  })

  it('[M1] a crash is known within 2 s when the server saw the socket close', () => {
    const { clock, members, told, speaking } = observe([a, b])
    clock.advance(1_000)
    speaking.delete(a)
    clock.advance(100)
    members.hint(a, 1, 'closed')
    clock.advance(900)
    expect(told).toEqual([])
    clock.advance(1_000)
    expect(told).toEqual(['a1 dead closed'])
  })

  it('[M1] a crash or freeze is known after 5 s without a hint, in bounded time, with the server and without', () => {
    for (const withServer of [true, false]) {
      const { clock, told, speaking } = observe([a, b], { withServer })
      clock.advance(1_000)
      speaking.delete(a)
      clock.advance(4_600)
      expect(told).toEqual([])
      clock.advance(750)
      expect(told).toEqual(['a1 dead silent'])
    }
  })

  it('[M2] a socket that closes while its node speaks, or opens again, is no death', () => {
    const { clock, members, told, speaking } = observe([a, b])
    members.hint(a, 1, 'closed')
    members.hint(b, 1, 'closed')
    speaking.delete(b)
    clock.advance(500)
    members.hint(b, 1, 'present')
    clock.advance(3_000)
    expect(told).toEqual([])
  })

  it('[M2] a restart of the server during a pause of 3 s is no death', () => {
    const { clock, members, told, speaking } = observe([a, b])
    clock.advance(500)
    speaking.delete(a)
    members.hint(a, 1, 'closed')
    members.hint(b, 1, 'closed')
    clock.advance(50)
    members.hint(undefined, 0, 'down')
    clock.advance(500)
    members.hint(b, 1, 'present')
    clock.advance(2_450)
    members.heard(a, 1)
    speaking.add(a)
    clock.advance(10_000)
    expect(told).toEqual([])
  })

  it('[M2] a broken link is a detour: only silence decides', () => {
    const { clock, members, told } = observe([a, b])
    members.unlinked(a, 1)
    clock.advance(3_000)
    members.linked(a, 1, true)
    clock.advance(10_000)
    expect(told).toEqual([])
  })

  it('[M2] who was frozen itself accuses nobody for it, and later again at the usual pace', () => {
    for (const frozenMs of [4_000, 20_000, 3_600_000]) {
      const { clock, told, speaking } = observe([a, b])
      clock.advance(1_000)
      clock.freeze(frozenMs)
      clock.advance(10_000)
      expect(told).toEqual([])
      speaking.delete(a)
      clock.advance(5_600)
      expect(told).toEqual(['a1 dead silent'])
    }
  })

  it('[M2] missed ticks multiply the limits, up to nine times', () => {
    const machine = new MembershipMachine(self, 0)
    machine.step({ type: 'linked', node: a, session: 1, isNeighbour: true }, 0)
    // Every tick a second late: all of its lateness is forgiven, the rest counts against a limit of 45 s.
    const diedMs = (() => {
      for (let now = 1_250; now < 1_000_000; now += 1_250) {
        if (machine.step({ type: 'tick' }, now).some((effect) => effect.type === 'doubt' && effect.why === 'silent'))
          return now
      }
      return 0
    })()
    expect(diedMs / 1_250).toBeGreaterThanOrEqual(45_000 / 250)
    expect(diedMs / 1_250).toBeLessThan(45_000 / 250 + 8)
  })

  it('[M2] who is slow itself is unsure of whom it did not hear: it neither accuses nor vouches', () => {
    const { clock, told, votes, speaking } = observe([a, b])
    speaking.delete(a)
    clock.freeze(4_000)
    clock.advance(1_500)
    expect(votes).toEqual(['a unsure'])
    clock.advance(3_000)
    expect(told).toEqual([])
    // Once it is at its pace again, and has listened for the full time, it accuses.
    clock.advance(2_000)
    expect(votes).toEqual(['a unsure', 'a silent'])
    expect(told).toEqual(['a1 dead silent'])
  })

  it('[M2] is no verdict what others do not say as well, and is taken back when it is heard again', () => {
    const { clock, members, told, votes, speaking, vouched } = observe([a, b])
    vouched.add(a)
    speaking.delete(a)
    clock.advance(60_000)
    expect(votes).toEqual(['a silent'])
    members.heard(a, 1)
    expect(votes).toEqual(['a silent', 'a heard'])
    expect(told).toEqual([])
    expect(members.alive()).toEqual([a, b])
    // The others, too, hear nothing of it.
    clock.advance(5_500)
    members.accused(a, 1, 'silent')
    expect(told).toEqual(['a1 dead silent'])
  })

  it('[M2] who is no neighbour is not judged, and lives while there is a path to it', () => {
    const { clock, members, told, votes } = observe([a, b])
    members.linked(c, 1, false)
    clock.advance(60_000)
    expect([told, votes]).toEqual([['c1 alive'], []])
    members.unlinked(c, 1)
    clock.advance(4_000)
    members.linked(c, 1, false)
    clock.advance(4_000)
    members.unlinked(c, 1)
    clock.advance(4_900)
    expect(told).toEqual(['c1 alive'])
    clock.advance(500)
    expect(told).toEqual(['c1 alive', 'c1 dead silent'])
  })

  it('[M2] whose link is gone, but to whom a way over others leads, is theirs to judge', () => {
    const { clock, members, told, votes, speaking } = observe([a, b])
    speaking.delete(a)
    clock.advance(2_000)
    members.linked(a, 1, false)
    clock.advance(20_000)
    expect([told, votes]).toEqual([[], []])
    members.unlinked(a, 1)
    clock.advance(5_500)
    expect(told).toEqual(['a1 dead silent'])
  })

  it('[M1] a goodbye that others heard ends a neighbour who is silent from then on, and no other', () => {
    const { clock, members, told, speaking } = observe([a, b])
    clock.advance(1_000)
    speaking.delete(a)
    members.accused(a, 1, 'goodbye')
    members.accused(b, 1, 'goodbye')
    clock.advance(200)
    members.heard(b, 1)
    clock.advance(300)
    expect(told).toEqual(['a1 dead goodbye'])
    members.linked(c, 1, false)
    members.accused(c, 1, 'goodbye')
    expect(told.slice(1)).toEqual(['c1 alive', 'c1 dead goodbye'])
    clock.advance(5_000)
    expect(members.alive()).toEqual([b])
  })

  it('[M3] sessions never go down: the dead are refused, a higher one is a new life', () => {
    const { members, told, clock } = observe([a])
    members.linked(a, 3, true)
    expect(told).toEqual(['a1 dead replaced', 'a3 alive'])
    members.heard(a, 1)
    members.linked(a, 2, true)
    members.goodbye(a, 2)
    expect(told.slice(2)).toEqual(['a1 refused', 'a2 refused', 'a2 refused'])
    expect(members.sessionOf(a)).toBe(3)
    members.goodbye(a, 3)
    members.linked(a, 3, true)
    members.heard(a, 3)
    expect(told.slice(5)).toEqual(['a3 dead goodbye', 'a3 refused', 'a3 refused'])
    expect(members.isRefused(a, 3)).toBe(true)
    expect(members.isRefused(a, 4)).toBe(false)
    members.linked(a, 4, true)
    expect(told.slice(8)).toEqual(['a4 alive'])
    clock.advance(1_000)
    expect(members.alive()).toEqual([a])
  })

  it('[M3] a goodbye that comes before its link is remembered', () => {
    const { members, told } = observe([a])
    members.goodbye(b, 1)
    members.linked(b, 1, true)
    expect(told).toEqual(['b1 refused'])
    members.goodbye(a, 2)
    expect(told.slice(1)).toEqual(['a1 dead replaced'])
    expect(members.isRefused(a, 2)).toBe(true)
  })

  it('[M5] who loses the server and all peers at once is offline and gives no verdict', () => {
    const { clock, members, told, speaking } = observe([a, b, c])
    clock.advance(1_000)
    speaking.clear()
    members.hint(undefined, 0, 'down')
    for (const peer of [a, b, c]) members.unlinked(peer, 1)
    clock.advance(60_000)
    expect(told).toEqual(['offline'])
    expect(members.isOffline).toBe(true)
    // Back: the others get their full time to speak again.
    members.hint(b, 1, 'present')
    members.linked(b, 1, true)
    speaking.add(b)
    clock.advance(4_500)
    expect(told).toEqual(['offline', 'online'])
    clock.advance(1_000)
    expect(told.slice(2)).toEqual(['a1 dead silent', 'c1 dead silent'])
  })

  it('[M5] a lost server alone is no loss: deaths are still seen', () => {
    const { clock, members, told, speaking } = observe([a, b])
    members.hint(undefined, 0, 'down')
    speaking.delete(a)
    clock.advance(5_600)
    expect(told).toEqual(['a1 dead silent'])
    speaking.delete(b)
    clock.advance(5_600)
    expect(told).toEqual(['a1 dead silent', 'b1 dead silent'])
  })

  describe('[M6] who hears none of those whom the server sees', () => {
    const cutOff = (peers: readonly NodeId[]): Observer => {
      const observer = observe(peers)
      for (const peer of peers) observer.members.hint(peer, 1, 'present')
      observer.clock.advance(1_000)
      observer.speaking.clear()
      return observer
    }

    it('is cut off itself, and gives no verdict until somebody is heard', () => {
      const { clock, members, told, speaking } = cutOff([a, b, c])
      for (const peer of [a, b]) members.unlinked(peer, 1)
      clock.advance(60_000)
      // A word of the server is no word of theirs.
      members.hint(b, 1, 'present')
      clock.advance(1_000)
      expect(told).toEqual(['offline'])
      members.linked(b, 1, true)
      speaking.add(b)
      clock.advance(4_500)
      expect(told).toEqual(['offline', 'online'])
      clock.advance(1_000)
      expect(told.slice(2).sort()).toEqual(['a1 dead silent', 'c1 dead silent'])
    })

    it('judges again when their sockets close', () => {
      const { clock, members, told } = cutOff([a, b])
      clock.advance(20_000)
      members.hint(a, 1, 'closed')
      members.hint(b, 1, 'closed')
      clock.advance(2_000)
      expect(told).toEqual(['offline', 'online', 'a1 dead closed', 'b1 dead closed'])
    })

    it('judges as ever when it is only one, or when somebody speaks, or the server sees their sockets close at once', () => {
      const { clock, told } = cutOff([a])
      clock.advance(6_000)
      expect(told).toEqual(['a1 dead silent'])

      const some = cutOff([a, b, c])
      some.speaking.add(c)
      some.clock.advance(6_000)
      expect(some.told).toEqual(['a1 dead silent', 'b1 dead silent'])

      const closed = cutOff([a, b])
      for (const peer of [a, b]) closed.members.hint(peer, 1, 'closed')
      closed.clock.advance(2_000)
      expect(closed.told).toEqual(['a1 dead closed', 'b1 dead closed'])
    })
  })

  it('[M2] [M3] over random histories: none is taken for silent who speaks, no session lowered, one verdict a session', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const dice = seededRandom(seed)
      const machine = new MembershipMachine(self, 0)
      const highest = new Map<NodeId, number>()
      const ended = new Set<string>()
      const hinted = new Set<string>()
      let now = 0
      const step = (event: MembershipEvent): void => {
        if (event.type === 'hint' && event.state === 'closed') hinted.add(`${event.node}/${event.session}`)
        for (const effect of machine.step(event, now)) {
          if (effect.type === 'alive') {
            expect(effect.session).toBeGreaterThan(highest.get(effect.node) ?? -1)
            highest.set(effect.node, effect.session)
          }
          if (effect.type !== 'dead') continue
          const life = `${effect.node}/${effect.session}`
          expect(ended.has(life)).toBe(false)
          ended.add(life)
          expect(effect.reason).not.toBe('silent')
          if (effect.reason === 'closed') expect(hinted.has(life)).toBe(true)
        }
      }
      for (let i = 0; i < 2_000; i++) {
        now += 125
        const node = [a, b, c][Math.floor(dice.float() * 3)] as NodeId
        const session = Math.max(0, (highest.get(node) ?? 0) + Math.floor(dice.float() * 3) - 1)
        const kind = dice.float()
        if (kind < 0.02) step({ type: 'goodbye', node, session })
        else if (kind < 0.06) step({ type: 'linked', node, session, isNeighbour: dice.float() < 0.7 })
        else if (kind < 0.08) step({ type: 'unlinked', node, session })
        else if (kind < 0.12) step({ type: 'hint', node, session, state: kind < 0.1 ? 'closed' : 'present' })
        else if (kind < 0.13) step({ type: 'hint', node: undefined, session: 0, state: 'down' })
        // Everybody alive speaks at least every 4 s, most of the time twice a second.
        if (i % 4 === 0 && (i % 32 === 0 || dice.float() < 0.8)) {
          for (const peer of machine.alive()) step({ type: 'heard', node: peer, session: machine.sessionOf(peer) ?? 0 })
        }
        if (i % 2 === 0 && dice.float() < 0.95) step({ type: 'tick' })
      }
    }
  })

  it('leaves no timer behind', () => {
    const clock = new FakeClock()
    const handlers = { alive() {}, dead() {}, doubt() {}, refused() {}, connectivity() {} }
    const members = createMembership({ clock, self, log: silentLog, handlers })
    clock.advance(1_000)
    members.close()
    expect(clock.pending).toBe(0)
  })
})

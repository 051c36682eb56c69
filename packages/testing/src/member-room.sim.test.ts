import { describe, expect, it } from 'vitest'
import { randomInt } from '@shoal/base'
import type { NodeId } from '@shoal/protocol'
import type { MemberParticipant } from './member-participant.ts'
import { MemberRoom } from './member-room.ts'

/** A room in which all know all. */
async function roomOf(count: number, seed = 1, overlayLateMs = 0): Promise<MemberRoom> {
  const room = new MemberRoom({ seed, overlayLateMs })
  await room.enter(count)
  await room.pass(1_000)
  expect(await room.until(() => room.isAgreed(), 20_000)).toBe(true)
  await room.pass(2_000)
  expect(room.verdicts).toEqual([])
  return room
}

const at = (room: MemberRoom, place: number): MemberParticipant => room.lives[place] as MemberParticipant

/** When each of the others gave its verdict on a life, from now on; undefined: not within the limit. */
async function knownAfter(room: MemberRoom, node: NodeId, limitMs: number): Promise<number | undefined> {
  const from = room.world.clock.now()
  const isKnown = (): boolean => room.lives.every((life) => life.sessionOf(node) === undefined)
  return (await room.until(isKnown, limitMs)) ? room.world.clock.now() - from : undefined
}

describe('members', { timeout: 30_000 }, () => {
  it.each([3, 13, 30])('[M1] know a goodbye within 0.5 s, in a room of %i', async (count) => {
    const room = await roomOf(count)
    const leaver = at(room, 1)
    room.sayGoodbye(leaver)
    expect(await knownAfter(room, leaver.node, 500)).toBeDefined()
    expect(room.verdicts.every(({ reason }) => reason === 'goodbye')).toBe(true)
  })

  it.each([4, 13, 30])(
    '[M1] know a crash within 2 s with the server and 5 s and some without, of %i',
    async (count) => {
      const room = await roomOf(count)
      const first = at(room, 0)
      room.kill(first)
      expect(await knownAfter(room, first.node, 2_000)).toBeDefined()
      room.world.network.signaling.restart(60_000)
      await room.pass(1_000)
      const second = at(room, 0)
      room.kill(second)
      expect(await knownAfter(room, second.node, 5_750)).toBeDefined()
      expect(room.verdicts.length).toBe(count - 1 + count - 2)
      expect(room.isAgreed()).toBe(true)
    },
  )

  it('[M1] know a crash without the server as soon, whichever timer of a tab ticks first', async () => {
    const late: string[] = []
    for (const count of [3, 4])
      for (const lateMs of [1, 60, 125, 190, 249])
        for (const phaseMs of [0, 60, 125, 190]) {
          const room = await roomOf(count, count, lateMs)
          room.world.network.signaling.restart(60_000)
          await room.pass(1_000 + phaseMs)
          const gone = at(room, 0)
          room.kill(gone)
          const ms = await knownAfter(room, gone.node, 30_000)
          if (ms === undefined || ms > 5_750) late.push(`${count} members, ${lateMs} ms apart, at ${phaseMs}: ${ms}`)
        }
    expect(late).toEqual([])
  })

  it.each([6, 13])(
    '[M4] that were split, and gave each other up while the server was away for a moment, find each other, of %i',
    async (count) => {
      for (const restartedAtMs of [4_000, 4_700, 4_900, 5_100, 5_300, 5_600]) {
        const room = await roomOf(count)
        const all = room.lives.map((life) => life.node)
        const half = all.splice(0, count >> 1)
        room.world.network.partition([half, all])
        await room.pass(restartedAtMs)
        room.world.network.signaling.restart(400)
        await room.pass(3_000)
        room.world.network.healAll()
        expect(await room.until(() => room.isAgreed(), 15_000), `restarted after ${restartedAtMs} ms`).toBe(true)
        room.close()
      }
    },
  )

  it.each([5, 30])('[M1] know three that crash at once, who vouched for each other, of %i', async (count) => {
    const room = await roomOf(count)
    const gone = [0, 1, 2].map((place) => at(room, place))
    for (const life of gone) room.kill(life)
    await room.pass(2_000)
    expect(room.isAgreed()).toBe(true)
  })

  it('[M1] know a freeze within 5 s and some, and take the node back under a higher session', async () => {
    const room = await roomOf(6)
    const frozen = at(room, 2)
    frozen.ports.clock.freeze(true)
    const others = room.lives.filter((life) => life !== frozen)
    const isKnown = (): boolean => others.every((life) => life.sessionOf(frozen.node) === undefined)
    expect(await room.until(isKnown, 5_750)).toBe(true)
    frozen.ports.clock.freeze(false)
    expect(await room.until(() => room.isAgreed(), 10_000)).toBe(true)
    expect(at(room, 2).ports.session).toBe(2)
    expect(room.violations).toEqual([])
  })

  it('[M2] are not told dead for one cut link, however long, also while the server is down', async () => {
    const room = await roomOf(3)
    const [a, b] = [at(room, 0), at(room, 1)]
    room.world.network.signaling.restart(100_000)
    room.world.network.cut(a.node, b.node)
    room.world.network.cut(b.node, a.node)
    await room.pass(90_000)
    expect(room.verdicts).toEqual([])
    expect(a.neighbours()).not.toContain(b.node)
    room.world.network.healAll()
    expect(await room.until(() => a.neighbours().includes(b.node), 130_000)).toBe(true)
  })

  it('[M1] know that a node is gone though the slowest of its neighbours cannot tell', async () => {
    const room = await roomOf(6)
    const slow = at(room, 1)
    slow.ports.clock.slow(5)
    await room.pass(5_000)
    expect(room.verdicts).toEqual([])
    room.world.network.signaling.restart(60_000)
    const gone = at(room, 3)
    room.kill(gone)
    // The slow one abstains at its next tick: a second and a bit later.
    const others = room.lives.filter((life) => life !== slow)
    const isKnown = (): boolean => others.every((life) => life.sessionOf(gone.node) === undefined)
    expect(await room.until(isKnown, 13_000)).toBe(true)
  })

  it('[M2][M3][M4] give no verdict on the living over 30 seeds of cuts, pauses, slow nodes and restarts', async () => {
    const wrong: string[] = []
    const counts: Record<string, number> = {}
    for (let seed = 1; seed <= 30; seed++) {
      const room = await roomOf(3 + (seed % 7), seed)
      const random = room.world.random.fork('faults')
      const { clock, network } = room.world
      const pick = (): MemberParticipant => at(room, randomInt(random, room.lives.length))
      const later = (ms: number, then: () => void): void => void clock.after(ms, then)
      const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1)
      for (let round = 0; round < 8; round++) {
        const [one, other, third] = [pick(), pick(), pick()]
        if (one !== other) {
          network.cut(one.node, other.node)
          if (random.float() < 0.5) network.cut(other.node, one.node)
          count('cut')
          later(5_000 + random.float() * 4_000, () => network.healAll())
        }
        const kind = random.float()
        if (kind < 0.4) {
          count('pause')
          third.ports.clock.freeze(true)
          later(1_000 + random.float() * 2_500, () => third.ports.clock.freeze(false))
          if (kind < 0.2) {
            count('restart')
            later(random.float() * 1_000, () => network.signaling.restart(200 + random.float() * 2_500))
          }
        } else if (kind < 0.7) {
          count('slow')
          third.ports.clock.slow(5)
          later(8_000, () => third.ports.clock.slow(1))
        } else if (kind < 0.85) network.failLinks(one.node, third.node)
        await room.pass(10_000)
      }
      for (const { by, node, reason, atMs } of room.verdicts) {
        wrong.push(`seed ${seed} at ${atMs.toFixed(0)}: ${by.name} on ${node.slice(0, 4)}: ${reason}`)
      }
      await room.pass(15_000)
      if (!room.isAgreed()) wrong.push(`seed ${seed}: M4`)
      wrong.push(...room.violations)
      room.close()
      await room.pass(2_000)
      wrong.push(...room.world.leaks())
    }
    expect(wrong).toEqual([])
    for (const name of ['cut', 'pause', 'restart', 'slow']) expect(counts[name], name).toBeGreaterThan(20)
  }, 120_000)
})

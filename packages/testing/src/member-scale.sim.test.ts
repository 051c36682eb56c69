import { randomInt } from '@shoal/base'
import type { NodeMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { MemberParticipant } from './member-participant.ts'
import { MemberRoom } from './member-room.ts'

/** What a node sends when nothing happens, in a room of 13, which is a mesh: beats over 12 links. */
const MESH_BYTES_PER_SECOND = 288

const message = (number: number): NodeMessage => ({ type: 'directory.update', update: Uint8Array.of(number) })

/** Everybody enters within a second; then links that came of earlier views of the room are let go. */
async function settledRoom(count: number): Promise<MemberRoom> {
  const room = new MemberRoom({ seed: 7 })
  await room.enter(count)
  await room.pass(1_000)
  expect(await room.until(() => room.isAgreed(), 5_000)).toBe(true)
  await room.pass(13_000)
  return room
}

async function idleRates(room: MemberRoom, forMs: number): Promise<number[]> {
  const before = room.lives.map((life) => life.bytesSent())
  await room.pass(forMs)
  return room.lives.map((life, i) => ((life.bytesSent() - (before[i] ?? 0)) * 1000) / forMs)
}

describe.each([
  [13, 60_000],
  [50, 120_000],
  [200, 400_000],
])('a room of %i', (count, timeout) => {
  it(
    '[R4][L1][M1][M4] knows all, delivers, is as quiet a node as a mesh of 13, and learns of deaths',
    { timeout },
    async () => {
      const room = await settledRoom(count)
      const { lives } = room

      const degrees = lives.map((life) => life.neighbours().length)
      expect(Math.max(...degrees)).toBeLessThanOrEqual(12)
      expect(Math.min(...degrees)).toBeGreaterThanOrEqual(count === 13 ? 12 : 6)

      const rates = await idleRates(room, 1_000)
      expect(Math.max(...rates)).toBeLessThanOrEqual(1.05 * MESH_BYTES_PER_SECOND)

      // Between any two, most of whom have no link: once and in order.
      const random = room.world.random.fork('sends')
      const pairs = Array.from({ length: 30 }, () => {
        const from = lives[randomInt(random, count)] as MemberParticipant
        const others = lives.filter((life) => life !== from)
        return [from, others[randomInt(random, others.length)] as MemberParticipant] as const
      })
      expect(pairs.some(([from, to]) => !from.neighbours().includes(to.node))).toBe(count > 13)
      for (let i = 0; i < 5; i++) for (const [from, to] of pairs) from.send(to.node, message(i))
      expect(await room.until(() => room.heard.length === 150, 5_000)).toBe(true)
      const numbers = new Map<string, number[]>()
      for (const { by, from, message: told } of room.heard) {
        if (told.type !== 'directory.update') continue
        const pair = `${from}>${by.node}`
        numbers.set(pair, [...(numbers.get(pair) ?? []), told.update[0] ?? -1])
      }
      for (const heard of numbers.values()) expect(heard).toEqual([...heard].sort((a, b) => a - b))

      const leaver = lives[1] as MemberParticipant
      room.sayGoodbye(leaver)
      const isKnown = (node: MemberParticipant): boolean =>
        room.lives.every((life) => life.sessionOf(node.node) === undefined)
      expect(await room.until(() => isKnown(leaver), 500)).toBe(true)

      const crashed = room.lives[2] as MemberParticipant
      room.kill(crashed)
      expect(await room.until(() => isKnown(crashed), 2_000)).toBe(true)

      // The ring closes where they stood; nobody else was taken for dead.
      await room.pass(1_000)
      expect(room.isAgreed()).toBe(true)
      expect(room.verdicts.length).toBe(count - 1 + count - 2)
      expect(room.violations).toEqual([])
    },
  )
})

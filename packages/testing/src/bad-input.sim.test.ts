import { createLog } from '@shoal/base'
import type { LogEntry } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { createSimHostile, MESSAGE_TYPES } from './sim-hostile.ts'
import type { SimHostile } from './sim-hostile.ts'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

interface Room {
  readonly world: SimWorld
  readonly nodes: readonly SimNode[]
  readonly hostile: SimHostile
  readonly entries: LogEntry[]
  pass(ms: number): Promise<void>
}

async function openRoom(seed: number): Promise<Room> {
  const world = new SimWorld({ seed })
  const entries: LogEntry[] = []
  const nodes: SimNode[] = []
  for (const name of ['a', 'b', 'c']) {
    const log = createLog({ level: 'warn', scope: name, write: (entry) => entries.push(entry) })
    const ports = world.ports(await world.identity(name), 1, log)
    nodes.push(await createSimNode(ports, { slots: 2, ...(name === 'a' && { ownerKeyPair: world.ownerKeyPair }) }))
  }
  const ids = nodes.map(({ ports }) => ports.node)
  const hostile = createSimHostile(world.ports(await world.identity('hostile'), 1), ids)
  const pass = async (ms: number): Promise<void> => void (await world.clock.run(world.clock.now() + ms))
  await pass(2_000)
  return { world, nodes, hostile, entries, pass }
}

/** Work over all nodes: values through arguments, an actor, a large object and an error. */
function work(driver: SimNode): Promise<unknown[]> {
  const { remote, actor, put, get } = driver.api
  const square = remote((n: number) => n * n)
  const sum = remote((values: Float64Array, n: number) => values.length + n)
  const Counter = actor(
    class {
      count = 0
      add(n: number): number {
        return (this.count += n)
      }
    },
  )
  const large = put(new Float64Array(50_000))
  const counter = Counter.remote()
  const calls = [1, 2, 3].map((n) => counter.add.remote(n))
  const squares = Array.from({ length: 20 }, (_, n) => square.remote(n))
  return get([...squares, sum.remote(large, 5), ...calls])
}
const RIGHT = [...Array.from({ length: 20 }, (_, n) => n * n), 50_005, 1, 3, 6]

async function outcome(room: Room, limitMs: number): Promise<unknown[]> {
  const [driver] = room.nodes as [SimNode]
  let settled: unknown[] | undefined
  let failed: unknown
  work(driver).then(
    (values) => (settled = values),
    (error: unknown) => (failed = error),
  )
  const end = room.world.clock.now() + limitMs
  while (settled === undefined && failed === undefined && room.world.clock.now() < end) await room.pass(50)
  if (failed !== undefined) throw new Error('work failed', { cause: failed })
  return settled ?? [`nothing within ${limitMs} ms`]
}

const faultsOf = (node: SimNode): number =>
  node.node.status().members.reduce((sum, member) => sum + (member.stats?.faults ?? 0), 0)

describe('a member that sends what no member should', () => {
  for (const isDamaged of [false, true])
    it(`[R3] ${isDamaged ? 'damaged' : 'senseless'} messages of every type throw into no loop, and the room goes on`, async () => {
      let faults = 0
      for (let seed = 1; seed <= 4; seed++) {
        const room = await openRoom(seed)
        const { hostile, nodes } = room
        const [driver] = nodes as [SimNode]
        const during = work(driver).catch((error: unknown) => error)
        for (let round = 0; round < 6; round++)
          for (const type of MESSAGE_TYPES) {
            // Its links are closed for its faults, and made anew.
            for (let waits = 0; !hostile.isLinked && waits < 60; waits++) await room.pass(100)
            hostile.say(type, isDamaged)
            if (round % 3 === 0) hostile.sayBulk()
            if (isDamaged && round % 4 === 1) hostile.damageNextFrame()
            if (isDamaged && round % 4 === 2) hostile.replay()
            if (isDamaged && round === 3 && type.startsWith('task.')) hostile.sayTooMuch()
            await room.pass(15)
            for (const node of nodes) faults = Math.max(faults, faultsOf(node))
          }
        // Each type went out while a link stood: else this says nothing about it.
        expect([...hostile.said.keys()].sort()).toEqual([...MESSAGE_TYPES].sort())
        hostile.close('left')
        await room.pass(3_000)
        expect(await outcome(room, 30_000)).toEqual(RIGHT)
        await during
        expect(room.entries.filter(({ level }) => level === 'error')).toEqual([])
        for (const node of nodes) node.close('left')
        await room.pass(30_000)
        expect(room.world.leaks()).toEqual([])
      }
      expect(faults).toBeGreaterThan(0)
    }, 120_000)
})

import { seededRandom, silentLog } from '@shoal/base'
import { ByteWriter, nodeMessage } from '@shoal/protocol'
import type { NodeMessage } from '@shoal/protocol'
import { generate } from '@shoal/protocol/testing'
import { createFaults, createOverlay, FAULT_ACTIONS, faultTypes, refuseBadFaultRules } from '@shoal/transport'
import type { FaultRule, Overlay } from '@shoal/transport'
import { describe, expect, it } from 'vitest'
import { MESSAGE_TYPES } from './sim-hostile.ts'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'
import type { SimPorts } from './sim-world.ts'

const COUNT = 12

const written = (message: NodeMessage): string => {
  const writer = new ByteWriter()
  nodeMessage.write(writer, message)
  return writer.finish().join()
}

interface Sender {
  readonly world: SimWorld
  readonly overlay: Overlay
  readonly receiver: SimPorts
  readonly arrived: NodeMessage[]
  readonly chunks: string[]
  readonly seen: Map<string, number>
  close(): void
}

/** Two overlays, what the first sends going wrong by the rules. */
async function sender(seed: number, rules: readonly FaultRule[]): Promise<Sender> {
  const world = new SimWorld({ seed, network: { loseFirst: 0 } })
  const seen = new Map<string, number>()
  const arrived: NodeMessage[] = []
  const chunks: string[] = []
  const ports = world.ports(await world.identity('a'), 1)
  const receiver = world.ports(await world.identity('b'), 1)
  const withFaults = createFaults({
    rules,
    clock: ports.clock,
    random: seededRandom(seed),
    log: silentLog,
    onFault: (rule, types) => {
      for (const type of types) {
        const name = `${rule.action} ${type}`
        seen.set(name, (seen.get(name) ?? 0) + 1)
      }
    },
  })
  const start = (own: SimPorts, connector = own.connector): Overlay => {
    const overlay = createOverlay({ ...own, self: own, connector })
    const nothing = (): void => undefined
    overlay.start({
      member: nothing,
      linked: nothing,
      unlinked: nothing,
      goodbye: nothing,
      heard: nothing,
      hint: nothing,
      message: (_from, message) => own === receiver && arrived.push(message),
      bulk: (_from, pull, offset) => own === receiver && chunks.push(`${pull} ${offset}`),
    })
    return overlay
  }
  const other = start(receiver)
  const overlay = start(ports, withFaults(ports.connector))
  await world.clock.run(2_000)
  return {
    world,
    overlay,
    receiver,
    arrived,
    chunks,
    seen,
    close() {
      overlay.close('left')
      other.close('left')
    },
  }
}

describe('faults on purpose', () => {
  for (const action of FAULT_ACTIONS)
    it(`[TR21] ${action}: messages of every type arrive once and in order all the same`, async () => {
      for (const [index, type] of MESSAGE_TYPES.entries()) {
        const rule: FaultRule = {
          type,
          action,
          count: 3,
          ...(action === 'delay' && { delayMs: 300 }),
        }
        const room = await sender(100 + index, [rule])
        const { world, overlay, receiver } = room
        const random = seededRandom(index)
        const sent = Array.from({ length: COUNT }, (_, i) =>
          generate(nodeMessage, { random }, i % 3 === 0 ? 'job.ended' : type),
        )
        for (const message of sent) {
          overlay.send(receiver.node, message)
          await world.clock.run(world.clock.now() + 100)
        }
        await world.clock.run(world.clock.now() + 15_000)
        expect(room.arrived.map(written)).toEqual(sent.map(written))
        expect({ type, happened: room.seen.get(`${action} ${type}`) }).toMatchObject({ type, happened: 3 })
        room.close()
        await world.clock.run(world.clock.now() + 20_000)
        expect(world.leaks()).toEqual([])
      }
    }, 60_000)

  it('[TR21] frames of the link and chunks too, and nothing is left of a held lane', async () => {
    const others = faultTypes().filter((type) => !(MESSAGE_TYPES as string[]).includes(type))
    expect(others).toEqual(
      expect.arrayContaining(['link.hello', 'link.acknowledge', 'link.beat', 'link.goodbye', 'bulk']),
    )
    for (const action of FAULT_ACTIONS)
      for (const type of others) {
        const room = await sender(7, [{ type, action, count: 4 }])
        const { world, overlay, receiver } = room
        const sent = Array.from({ length: COUNT }, () =>
          generate(nodeMessage, { random: seededRandom(3) }, 'log.lines'),
        )
        for (const message of sent) {
          overlay.send(receiver.node, message)
          overlay.sendBulk(receiver.node, 1, room.chunks.length, new Uint8Array(100))
          await world.clock.run(world.clock.now() + 200)
        }
        await world.clock.run(world.clock.now() + 15_000)
        expect(room.arrived.map(written)).toEqual(sent.map(written))
        room.close()
        await world.clock.run(world.clock.now() + 20_000)
        expect(world.leaks()).toEqual([])
        // Acknowledgements ride on packets where there are any, and a goodbye is said once.
        if (type === 'bulk' || type === 'link.beat') expect(room.seen.get(`${action} ${type}`)).toBe(4)
      }
  })

  it('[R2] the same seed has the same faults, and another one others', async () => {
    const runs: string[] = []
    for (const seed of [5, 5, 6]) {
      const room = await sender(seed, [{ type: '*', action: 'duplicate', probability: 0.3 }])
      for (let i = 0; i < 200; i++) {
        room.overlay.send(room.receiver.node, { type: 'name.ask', namespace: '', name: `${i}`, round: 1 })
        await room.world.clock.run(room.world.clock.now() + 50)
      }
      runs.push(JSON.stringify([...room.seen]))
      room.close()
    }
    expect(runs[0]).toBe(runs[1])
    expect(runs[0]).not.toBe(runs[2])
  })

  it('[T2] a room whose tabs all lose, hold back and repeat messages of every kind gives the right values', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 6; seed++) {
      const world = new SimWorld({ seed })
      const nodes: SimNode[] = []
      for (const name of ['a', 'b', 'c']) {
        const ports = world.ports(await world.identity(name), 1)
        const withFaults = createFaults({
          rules: [
            { type: '*', action: 'drop', probability: 0.03, count: 8 },
            { type: '*', action: 'duplicate', probability: 0.1 },
            { type: '*', action: 'delay', probability: 0.05, delayMs: 200 },
          ],
          clock: ports.clock,
          random: seededRandom(seed),
          log: silentLog,
          onFault: ({ action }, types) => types.forEach((type) => seen.add(`${action} ${type}`)),
        })
        const connector = withFaults(ports.connector)
        const owner = name === 'a' && { ownerKeyPair: world.ownerKeyPair }
        nodes.push(await createSimNode({ ...ports, connector }, { slots: 2, ...owner }))
      }
      const [driver] = nodes as [SimNode]
      const { remote, put, get } = driver.api
      const square = remote(async (n: number) => {
        await simSleep(30)
        return n * n
      })
      const size = remote((values: Float64Array, n: number) => values.length + n)
      await world.clock.run(3_000)
      const large = put(new Float64Array(60_000))
      const refs = [
        ...Array.from({ length: 60 }, (_, n) => square.remote(n)),
        ...[1, 2, 3].map((n) => size.remote(large, n)),
      ]
      let values: number[] | undefined
      let failure: unknown
      get(refs).then(
        (all) => (values = all),
        (error: unknown) => (failure = error),
      )
      const end = world.clock.now() + 60_000
      while (values === undefined && failure === undefined && world.clock.now() < end)
        await world.clock.run(world.clock.now() + 100)
      expect(failure).toBeUndefined()
      expect(values).toEqual([...Array.from({ length: 60 }, (_, n) => n * n), 60_001, 60_002, 60_003])
      for (const node of nodes) node.close('left')
    }
    for (const kind of ['drop', 'delay', 'duplicate'])
      expect([...seen].filter((name) => name.startsWith(kind)).length).toBeGreaterThan(6)
  }, 60_000)

  it('[TR21] refuses rules that make no sense, and says which and why', () => {
    const refused: [unknown, string][] = [
      [{}, 'faults must be an array'],
      [[null], 'faults[0] must be an object'],
      [[{ type: 'task.results', action: 'drop' }], 'faults[0].type is task.results; known are *, task.template'],
      [[{ type: '*', action: 'lose' }], 'faults[0].action must be drop, delay or duplicate, got lose'],
      [[{ type: '*', action: 'drop', chance: 1 }], 'faults[0].chance is unknown'],
      [[{ type: '*', action: 'drop', probability: 2 }], 'faults[0].probability'],
      [[{ type: '*', action: 'drop', delayMs: 5 }], 'faults[0].delayMs is for action delay alone'],
      [[{ type: '*', action: 'delay', delayMs: 1e9 }], 'faults[0].delayMs'],
      [
        [
          { type: '*', action: 'drop' },
          { type: '*', action: 'drop', count: 0 },
        ],
        'faults[1].count',
      ],
      [[{ type: '*', action: 'drop', to: 'me' }], 'faults[0].to must be a node id'],
      [Array.from({ length: 101 }, () => ({ type: '*', action: 'drop' })), 'more than 100 rules'],
    ]
    for (const [rules, message] of refused) expect(() => refuseBadFaultRules(rules)).toThrow(message)
    for (const type of faultTypes())
      refuseBadFaultRules([{ type, action: 'delay', delayMs: 5, probability: 0.5, count: 1 }])
  })
})

declare const simSleep: (ms: number) => Promise<void>

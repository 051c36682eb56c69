import { seededRandom, silentLog } from '@shoal/base'
import { ByteReader, ByteWriter, linkFrame, PROTOCOL_VERSION, ProtocolError } from '@shoal/protocol'
import type { LinkFrame } from '@shoal/protocol'
import { SimWorld } from '@shoal/testing'
import type { SimPorts } from '@shoal/testing'
import { describe, expect, it } from 'vitest'
import type { Link } from '../link.ts'
import { createMemoryLinkPair } from '../memory/link.ts'
import { ALL_GUARDS } from './guards.ts'
import { ProvenLink } from './proven-link.ts'
import type { ProvenLinkEnd } from './proven-link.ts'
import { Traffic } from './traffic.ts'
import { BEAT_MS, LINK_SILENCE_MS, PROOF_MS } from './timing.ts'

interface Side {
  readonly link: ProvenLink
  readonly traffic: Traffic
  readonly events: string[]
  /** Raw access to this side's end of the link. */
  readonly raw: Link
  end: ProvenLinkEnd | undefined
}

interface Changes {
  readonly fingerprintSeenByB?: string
  readonly self?: SimPorts
  readonly provesKeys?: boolean
  readonly packet?: () => void
}

async function setUp() {
  const world = new SimWorld({ seed: 3 })
  const { clock } = world
  const portsOf = async (name: string): Promise<SimPorts> => world.ports(await world.identity(name), 1)
  const [a, b, c] = [await portsOf('a'), await portsOf('b'), await portsOf('c')]
  const side = (self: SimPorts, peer: SimPorts, raw: Link, changes: Changes = {}): Side => {
    const [local, remote] = self.node === b.node ? ['B', 'A'] : ['A', 'B']
    const traffic = new Traffic()
    const events: string[] = []
    const made: Side = {
      traffic,
      events,
      raw,
      end: undefined,
      link: new ProvenLink({
        self: changes.self ?? self,
        peer: peer.node,
        peerSession: 1,
        opened: {
          link: raw,
          localFingerprint: local,
          remoteFingerprint: changes.fingerprintSeenByB ?? remote,
          isDirect: true,
        },
        clock,
        crypto: self.crypto,
        guards: { ...ALL_GUARDS, provesKeys: changes.provesKeys ?? true },
        log: silentLog,
        traffic,
        handlers: {
          proven: () => events.push('proven'),
          packet: () => {
            events.push('packet')
            changes.packet?.()
          },
          acknowledged: () => events.push('acknowledged'),
          bulk: () => events.push('bulk'),
          room: (frame) => events.push(frame.type),
          routedChunk: () => events.push('routed chunk'),
          goodbye: () => events.push('goodbye'),
          heard() {},
          ended: (why) => {
            events.push(`ended ${why}`)
            made.end = why
          },
        },
      }),
    }
    made.link.start()
    return made
  }
  /** Beats of both sides for so long. */
  const pass = async (ms: number, ...sides: Side[]): Promise<void> => {
    const until = clock.now() + ms
    while (clock.now() < until) {
      await clock.run(Math.min(until, clock.now() + BEAT_MS))
      for (const { link } of sides) link.tick(clock.now(), false)
    }
    await clock.run(until)
  }
  const pair = createMemoryLinkPair({ clock, latencyMs: 5 })
  return { a, b, c, clock, side, pass, pair }
}

function encode(frame: LinkFrame): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter()
  linkFrame.write(writer, frame)
  return writer.finish()
}

/** The first `count` control messages sent through it are lost. */
function losing(link: Link, count: number): Link {
  let left = count
  return {
    start: (handlers) => link.start(handlers),
    sendControl: (bytes) => {
      if (left-- <= 0) link.sendControl(bytes)
    },
    sendBulk: (bytes) => link.sendBulk(bytes),
    bulkRoom: () => link.bulkRoom(),
    onBulkRoom: (callback) => link.onBulkRoom(callback),
    close: () => link.close(),
  }
}

describe('a proven link', () => {
  it('[TR3] opens on both sides once both keys are proven', async () => {
    const { a, b, side, pass, pair } = await setUp()
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b)]
    await pass(100, one, other)
    expect([one.events, other.events]).toEqual([['proven'], ['proven']])
  })

  it('[TR3] ends where somebody stands between: the fingerprints differ', async () => {
    const { a, b, side, pass, pair } = await setUp()
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b, { fingerprintSeenByB: 'X' })]
    await pass(100, one, other)
    expect(other.end).toBe('denied')
    expect(one.end).toBe('denied')
    expect(one.events).not.toContain('proven')
  })

  it('[TR3] ends where another key speaks for the node', async () => {
    const { a, b, c, side, pass, pair } = await setUp()
    const impostor = { ...c, node: a.node }
    const [one, other] = [side(a, b, pair.a, { self: impostor }), side(b, a, pair.b)]
    await pass(100, one, other)
    expect(other.end).toBe('denied')
    expect(other.events).not.toContain('proven')
  })

  it('[TR3] the guard is what stops it: without it the impostor is let in', async () => {
    const { a, b, c, side, pass, pair } = await setUp()
    const impostor = { ...c, node: a.node }
    const [one, other] = [side(a, b, pair.a, { self: impostor }), side(b, a, pair.b, { provesKeys: false })]
    await pass(100, one, other)
    expect(other.events).toContain('proven')
  })

  it('[TR3] takes nothing before the proof', async () => {
    const { a, b, side, clock, pair } = await setUp()
    const other = side(b, a, pair.b)
    const packet: LinkFrame = {
      type: 'packet',
      from: a.node,
      to: b.node,
      fromSession: 1,
      toSession: 1,
      number: 1,
      acknowledged: 0,
      body: new Uint8Array(0),
    }
    pair.a.sendControl(encode(packet))
    pair.a.sendBulk(Uint8Array.of(1, 0, 0))
    await clock.run(100)
    expect(other.traffic.faults).toBe(2)
    expect(other.events).toEqual([])
  })

  it('[TR4] comes about though the first frames of both sides are lost', async () => {
    for (const [lostA, lostB] of [
      [1, 1],
      [2, 0],
      [0, 3],
      [4, 4],
    ] as const) {
      const { a, b, side, pass, pair } = await setUp()
      const [one, other] = [side(a, b, losing(pair.a, lostA)), side(b, a, losing(pair.b, lostB))]
      await pass(3_000, one, other)
      expect([one.events, other.events]).toEqual([['proven'], ['proven']])
    }
  })

  it('[TR4] gives up on a side that never answers', async () => {
    const { a, b, side, pass, pair } = await setUp()
    const one = side(a, b, pair.a)
    pair.b.start({ control() {}, bulk() {}, ended() {} })
    await pass(PROOF_MS + 2 * BEAT_MS, one)
    expect(one.end).toBe('silent')
  })

  it('[TR5] says goodbye to another version before it reads the rest', async () => {
    const { a, b, side, clock, pair } = await setUp()
    const said: LinkFrame[] = []
    pair.a.start({ control: (bytes) => said.push(linkFrame.read(new ByteReader(bytes))), bulk() {}, ended() {} })
    const other = side(b, a, pair.b)
    const writer = new ByteWriter()
    writer.u8(0)
    writer.varint(PROTOCOL_VERSION + 1)
    writer.raw(Uint8Array.of(9, 9, 9))
    pair.a.sendControl(writer.finish())
    await clock.run(100)
    expect(other.end).toBe('version')
    expect(said.at(-1)).toEqual({ type: 'goodbye', session: 1, reason: 'version' })
  })

  it('[TR11] measures the round trip by beats', async () => {
    const { a, b, side, pass, pair } = await setUp()
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b)]
    await pass(3_000, one, other)
    expect(one.traffic.roundTripMs).toBeGreaterThan(8)
    expect(one.traffic.roundTripMs).toBeLessThan(12)
  })

  it('[TR11] gives a silent link up, but not after its own sleep', async () => {
    const { a, b, clock, side, pass, pair } = await setUp()
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b)]
    await pass(1_000, one, other)
    pair.hold('b-to-a', true)
    await clock.run(clock.now() + 60_000)
    one.link.tick(clock.now(), true)
    expect(one.end).toBeUndefined()
    await pass(LINK_SILENCE_MS - BEAT_MS, one)
    expect(one.end).toBeUndefined()
    await pass(3 * BEAT_MS, one)
    expect(one.end).toBe('silent')
  })

  it('[TR13] drops and counts what is malformed or misaddressed, and closes at the third', async () => {
    const { a, b, c, side, pass, clock, pair } = await setUp()
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b)]
    await pass(100, one, other)
    one.link.sendControl(Uint8Array.of(77))
    one.link.sendControl(encode({ type: 'beat', session: 9, sentAtMs: 1, echoMs: 0 }))
    await clock.run(clock.now() + 50)
    expect([other.traffic.faults, other.end]).toEqual([2, undefined])
    one.link.sendControl(
      encode({ type: 'acknowledge', from: c.node, to: b.node, fromSession: 1, toSession: 1, acknowledged: 0 }),
    )
    await clock.run(clock.now() + 50)
    expect([other.traffic.faults, other.end]).toEqual([3, 'faults'])
    expect(other.events).toEqual(['proven', 'ended faults'])
  })

  it('[TR13] forgives what is older than 10 s, and counts what handlers refuse', async () => {
    const { a, b, side, pass, clock, pair } = await setUp()
    const refuse = (): void => {
      throw new ProtocolError('denied', 'not entitled')
    }
    const [one, other] = [side(a, b, pair.a), side(b, a, pair.b, { packet: refuse })]
    await pass(100, one, other)
    const packet = encode({
      type: 'packet',
      from: a.node,
      to: b.node,
      fromSession: 1,
      toSession: 1,
      number: 1,
      acknowledged: 0,
      body: new Uint8Array(0),
    })
    for (let i = 0; i < 6; i++) {
      one.link.sendControl(packet.slice())
      await pass(6_000, one, other)
    }
    expect([other.traffic.faults, other.end]).toEqual([6, undefined])
    for (let i = 0; i < 3; i++) one.link.sendControl(packet.slice())
    await clock.run(clock.now() + 50)
    expect(other.end).toBe('faults')
  })

  it('[R3] hostile bytes change counters only', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed)
      const { a, b, side, pass, pair } = await setUp()
      const [one, other] = [side(a, b, pair.a), side(b, a, pair.b)]
      await pass(100, one, other)
      const good = encode({
        type: 'acknowledge',
        from: a.node,
        to: b.node,
        fromSession: 1,
        toSession: 1,
        acknowledged: 0,
      })
      for (let i = 0; i < 2; i++) {
        const bytes = random.float() < 0.5 ? random.bytes(1 + Math.floor(random.float() * 80)) : good.slice(0, -1)
        // A first byte that is a hello of another version, or a goodbye, ends the link by right.
        if (bytes[0] === 0 || bytes[0] === 4) bytes[0] = 200
        if (random.float() < 0.5) one.raw.sendControl(bytes)
        else one.raw.sendBulk(Uint8Array.of(255, ...bytes.slice(0, 3)))
      }
      await pass(200, one, other)
      expect(other.traffic.faults).toBe(2)
      expect(other.events).toEqual(['proven'])
    }
  })
})

import { seededRandom } from '@shoal/base'
import { ByteReader, LIMITS, linkFrame, ProtocolError, randomNodeId } from '@shoal/protocol'
import type { LinkFrame, LinkPacket, NodeMessage } from '@shoal/protocol'
import { SimClock } from '@shoal/testing'
import { describe, expect, it } from 'vitest'
import { ALL_GUARDS } from './guards.ts'
import { SessionChannel } from './session-channel.ts'

const random = seededRandom(1)
const from = randomNodeId(random)
const to = randomNodeId(random)

function setUp() {
  const clock = new SimClock()
  const delivered: NodeMessage[] = []
  const frames: LinkFrame[] = []
  const channel = new SessionChannel({
    pair: { from, fromSession: 1, to, toSession: 2 },
    clock,
    guards: ALL_GUARDS,
    deliver: (message) => delivered.push(message),
  })
  const attach = (): void => {
    channel.attach((bytes) => frames.push(linkFrame.read(new ByteReader(bytes))))
  }
  const packets = (): LinkPacket[] => frames.filter((frame) => frame.type === 'packet')
  const acknowledged = (): number[] =>
    frames.flatMap((frame) => (frame.type === 'acknowledge' ? frame.acknowledged : []))
  return { clock, channel, delivered, frames, attach, packets, acknowledged }
}

const message = (length: number): NodeMessage => ({ type: 'directory.update', update: new Uint8Array(length) })
const microtask = (): Promise<void> => Promise.resolve()

async function bodyOf(...messages: NodeMessage[]): Promise<LinkPacket['body']> {
  const other = setUp()
  other.attach()
  for (const each of messages) other.channel.send(each)
  await microtask()
  return other.packets()[0]?.body ?? new Uint8Array(0)
}

function incoming(number: number, body: LinkPacket['body'], acknowledged = 0): LinkPacket {
  return { type: 'packet', from: to, to: from, fromSession: 2, toSession: 1, number, acknowledged, body }
}

describe('a session channel', () => {
  it('[TR7] makes one packet of all messages of a microtask', async () => {
    const { channel, attach, packets } = setUp()
    attach()
    for (let i = 0; i < 100; i++) channel.send(message(i))
    expect(packets()).toEqual([])
    await microtask()
    expect(packets().map(({ number }) => number)).toEqual([1])
    channel.send(message(1))
    await microtask()
    expect(packets().map(({ number }) => number)).toEqual([1, 2])
  })

  it('[TR7] cuts packets below the limit, and loses no message by it', async () => {
    const { channel, attach, packets } = setUp()
    attach()
    const lengths = [150_000, 100_000, 5, 190_000, 60_000, 1]
    for (const length of lengths) channel.send(message(length))
    await microtask()
    for (const { body } of packets()) expect(body.length).toBeLessThanOrEqual(LIMITS.controlMessageBytes)
    const receiver = setUp()
    for (const packet of packets()) receiver.channel.receive(incoming(packet.number, packet.body))
    expect(receiver.delivered.map((each) => each.type === 'directory.update' && each.update.length)).toEqual(lengths)
  })

  it('[TR7] throws on what cannot be sent, and sends the rest', async () => {
    const { channel, attach, packets } = setUp()
    attach()
    channel.send(message(3))
    expect(() => {
      channel.send(message(LIMITS.controlMessageBytes))
    }).toThrow(/too large/)
    expect(() => {
      channel.send({ type: 'nonsense' } as unknown as NodeMessage)
    }).toThrow(RangeError)
    channel.send(message(4))
    await microtask()
    expect(packets()[0]?.body).toEqual(await bodyOf(message(3), message(4)))
  })

  it('[TR6] keeps what is not acknowledged, counts it, and sends it again over the next link', async () => {
    const { channel, attach, packets, frames } = setUp()
    for (let i = 0; i < 3; i++) {
      channel.send(message(1000))
      await microtask()
    }
    expect(channel.unacknowledgedBytes).toBeGreaterThan(3000)
    attach()
    expect(packets().map(({ number }) => number)).toEqual([1, 2, 3])
    channel.acknowledge(2)
    channel.detach()
    frames.length = 0
    attach()
    expect(packets().map(({ number }) => number)).toEqual([3])
    channel.acknowledge(3)
    expect(channel.unacknowledgedBytes).toBe(0)
  })

  it('[TR6] refuses an acknowledgement of what was never sent', () => {
    const { channel } = setUp()
    expect(() => {
      channel.acknowledge(1)
    }).toThrow(ProtocolError)
  })

  it('[TR6] delivers each packet once and in order, and calls a gap a gap', async () => {
    const { channel, delivered } = setUp()
    const body = await bodyOf(message(1), message(2))
    expect(channel.receive(incoming(1, body))).toBe('taken')
    expect(channel.receive(incoming(1, body))).toBe('repeated')
    expect(channel.receive(incoming(3, body))).toBe('gap')
    expect(channel.receive(incoming(2, body))).toBe('taken')
    expect(delivered.length).toBe(4)
  })

  it('[TR6] acknowledges 20 ms after a packet, and not again when nothing came', async () => {
    const { channel, clock, attach, acknowledged } = setUp()
    attach()
    channel.receive(incoming(1, await bodyOf(message(1))))
    await clock.run(19)
    expect(acknowledged()).toEqual([])
    await clock.run(21)
    expect(acknowledged()).toEqual([1])
    await clock.run(1000)
    expect(acknowledged()).toEqual([1])
    expect(clock.pending).toBe(0)
  })

  it('[TR6] acknowledges every 32 packets without waiting', async () => {
    const { channel, attach, acknowledged } = setUp()
    attach()
    const body = await bodyOf(message(1))
    for (let number = 1; number <= 64; number++) channel.receive(incoming(number, body))
    expect(acknowledged()).toEqual([32, 64])
  })

  it('[TR6] lets the acknowledgement ride on a packet', async () => {
    const { channel, clock, attach, packets, acknowledged } = setUp()
    attach()
    channel.receive(incoming(1, await bodyOf(message(1))))
    channel.send(message(1))
    await microtask()
    expect(packets()[0]?.acknowledged).toBe(1)
    await clock.run(100)
    expect(acknowledged()).toEqual([])
  })

  it('[TR6] counts a packet that cannot be read as received: it would never be readable', async () => {
    const { channel } = setUp()
    expect(() => channel.receive(incoming(1, Uint8Array.of(250, 1, 2)))).toThrow(ProtocolError)
    expect(channel.receive(incoming(2, await bodyOf(message(1))))).toBe('taken')
  })

  it('[L2] delivers nothing after close, also from the middle of a packet', async () => {
    const { clock } = setUp()
    const heard: NodeMessage[] = []
    const channel: SessionChannel = new SessionChannel({
      pair: { from, fromSession: 1, to, toSession: 2 },
      clock,
      guards: ALL_GUARDS,
      deliver: (each) => {
        heard.push(each)
        channel.close()
      },
    })
    channel.receive(incoming(1, await bodyOf(message(1), message(2))))
    channel.receive(incoming(2, await bodyOf(message(3))))
    expect(heard.length).toBe(1)
    expect(clock.pending).toBe(0)
  })
})

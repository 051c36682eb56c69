import { seededRandom } from '@shoal/base'
import { MAX_HOPS, randomNodeId } from '@shoal/protocol'
import type { LinkFrame, NodeId, RoutedFrame } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { ProvenLink } from './proven-link.ts'
import { Relay } from './relay.ts'
import { RELAY_BURST_BYTES, RELAY_BYTES_PER_SECOND } from './timing.ts'

const random = seededRandom(1)
const [self, a, b, c] = Array.from({ length: 4 }, () => randomNodeId(random)) as [NodeId, NodeId, NodeId, NodeId]

/** A relay with links to a and b; the way to c leads over b. */
function relayWith() {
  let now = 0
  const written: string[] = []
  const received: RoutedFrame[] = []
  const link = (to: string): ProvenLink =>
    ({ write: (frame: LinkFrame) => written.push(`${to} ${frame.type === 'routed' ? frame.hops : '?'}`) }) as never
  const links = new Map([
    [a, link('a')],
    [b, link('b')],
  ])
  const first = new Map([
    [a, a],
    [b, b],
    [c, b],
  ])
  const relay = new Relay({
    self,
    clock: { now: () => now, after: () => ({ cancel() {} }) },
    link: (node) => links.get(node),
    next: (to) => first.get(to),
    frame: (frame) => received.push(frame),
    chunk() {},
  })
  return { relay, written, received, pass: (ms: number) => (now += ms) }
}

const frame = (from: NodeId, to: NodeId, hops = 0, bytes = 10): RoutedFrame => ({
  type: 'routed',
  from,
  to,
  hops,
  frame: new Uint8Array(bytes),
})

describe('a relay', () => {
  it('[TR18] carries on by its own map, counting hops, and takes what is for itself', () => {
    const { relay, written, received } = relayWith()
    relay.onFrame(a, frame(a, c, 2))
    relay.onFrame(a, frame(a, self))
    expect(written).toEqual(['b 3'])
    expect(received.length).toBe(1)
    expect([relay.carriedCount, relay.droppedCount]).toEqual([1, 0])
  })

  it('[TR18] drops what went in a circle, would go back, has gone too far, or has no way', () => {
    const { relay, written } = relayWith()
    relay.onFrame(a, frame(self, c))
    relay.onFrame(b, frame(a, c))
    relay.onFrame(a, frame(a, c, MAX_HOPS - 1))
    relay.onFrame(a, frame(a, randomNodeId(random)))
    expect(written).toEqual([])
    expect(relay.droppedCount).toBe(4)
  })

  it('[TR18] carries for each neighbour up to a rate', () => {
    const { relay, written, pass } = relayWith()
    const bytes = RELAY_BURST_BYTES / 4
    for (let i = 0; i < 6; i++) relay.onFrame(a, frame(a, c, 0, bytes))
    expect(written.length).toBe(4)
    relay.onFrame(b, frame(b, a, 0, bytes))
    expect(written.length).toBe(5)
    pass((1000 * bytes) / RELAY_BYTES_PER_SECOND)
    relay.onFrame(a, frame(a, c, 0, bytes))
    relay.onFrame(a, frame(a, c, 0, bytes))
    expect(written.length).toBe(6)
  })
})

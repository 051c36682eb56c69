import { randomInt } from '@shoal/base'
import { ByteReader, ByteWriter, LIMITS, linkFrame, nodeMessage } from '@shoal/protocol'
import type { NodeId, NodeMessage } from '@shoal/protocol'
import { damaged, generate, typesOf } from '@shoal/protocol/testing'
import { createOverlay } from '@shoal/transport'
import type { Connector, Link, Overlay } from '@shoal/transport'
import type { SimParticipant, SimPorts } from './sim-world.ts'

type Bytes = Uint8Array<ArrayBuffer>

export const MESSAGE_TYPES = typesOf(nodeMessage) as NodeMessage['type'][]

export interface SimHostile extends SimParticipant {
  readonly ports: SimPorts
  readonly isLinked: boolean
  /** Says one message of the type to each member that it is linked to: whole, or with its bytes damaged. */
  say(type: NodeMessage['type'], isDamaged: boolean): void
  /** Sends a chunk that nobody asked for. */
  sayBulk(): void
  /** Damages a frame of the link itself: an acknowledgement, a beat, a goodbye, a hello, a packet as a whole. */
  damageNextFrame(): void
  /** Says again what it said before, byte for byte. */
  replay(): void
  /** A packet of more than any packet may be. */
  sayTooMuch(): void
  /** Messages by type that went out. */
  readonly said: ReadonlyMap<string, number>
}

/** A member with a proven key that says what no member should, and is otherwise a correct overlay: it comes back. */
export function createSimHostile(ports: SimPorts, nodes: readonly NodeId[]): SimHostile {
  const { random } = ports
  const said = new Map<string, number>()
  const sentFrames: Bytes[] = []
  const links = new Set<Link>()
  let isBodyDamaged = false
  let isFrameDamaged = false

  const spoil = (bytes: Bytes): Bytes => {
    if (isFrameDamaged) {
      isFrameDamaged = false
      return damaged(random, bytes)
    }
    if (!isBodyDamaged) return bytes
    const frame = linkFrame.read(new ByteReader(bytes))
    if (frame.type !== 'packet') return bytes
    isBodyDamaged = false
    const writer = new ByteWriter(256)
    // The packet itself is in order, so that its messages are read.
    linkFrame.write(writer, { ...frame, body: damaged(random, frame.body) })
    return writer.finish()
  }
  const connector: Connector = {
    ...ports.connector,
    connect: (peer, session, isInitiator, handlers) =>
      ports.connector.connect(peer, session, isInitiator, {
        ...handlers,
        open(opened) {
          const { link } = opened
          links.add(link)
          const spoiling: Link = {
            start: (linkHandlers) => link.start(linkHandlers),
            sendControl(bytes) {
              const out = spoil(bytes)
              if (sentFrames.length < 200) sentFrames.push(out.slice())
              else sentFrames[randomInt(random, 200)] = out.slice()
              link.sendControl(out)
            },
            sendBulk: (bytes) => link.sendBulk(random.float() < 0.5 ? damaged(random, bytes) : bytes),
            bulkRoom: () => link.bulkRoom(),
            onBulkRoom: (callback) => link.onBulkRoom(callback),
            close: () => {
              links.delete(link)
              link.close()
            },
          }
          handlers.open({ ...opened, link: spoiling })
        },
      }),
  }
  const overlay: Overlay = createOverlay({ ...ports, self: ports, connector })
  overlay.start({
    member() {},
    linked() {},
    unlinked() {},
    goodbye() {},
    heard() {},
    hint() {},
    message() {},
    bulk() {},
  })
  return {
    ports,
    said,
    get isLinked() {
      return overlay.peers().length > 0
    },
    say(type, isDamaged) {
      for (const { node } of overlay.peers()) {
        isBodyDamaged = isDamaged
        overlay.send(node, generate(nodeMessage, { random, nodes: [...nodes, ports.node] }, type))
        said.set(type, (said.get(type) ?? 0) + 1)
      }
    },
    sayBulk() {
      for (const { node } of overlay.peers())
        overlay.sendBulk(node, randomInt(random, 5), randomInt(random, 3), random.bytes(randomInt(random, 300)))
    },
    damageNextFrame() {
      isFrameDamaged = true
    },
    replay() {
      const old = sentFrames[randomInt(random, Math.max(1, sentFrames.length))]
      for (const link of links) if (old) link.sendControl(old.slice())
    },
    sayTooMuch() {
      for (const { node, session } of overlay.peers()) {
        const writer = new ByteWriter(LIMITS.controlMessageBytes + 1_000)
        const body = new Uint8Array(LIMITS.controlMessageBytes + 1)
        const ends = { from: ports.node, to: node, fromSession: ports.session, toSession: session }
        linkFrame.write(writer, { type: 'packet', ...ends, number: 1, acknowledged: 0, body })
        const frame = writer.finish()
        for (const link of links) link.sendControl(frame.slice())
      }
    },
    close(reason) {
      overlay.close(reason)
    },
  }
}

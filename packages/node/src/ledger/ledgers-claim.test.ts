import { createHash } from 'node:crypto'
import { seededRandom, silentLog } from '@shoal/base'
import { RecordStore } from '@shoal/control-store'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId, NodeMessage } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { Ledgers } from './ledgers.ts'

const random = seededRandom(3)
const [first, second, third, copy, helper, other] = Array.from({ length: 6 }, () => randomNodeId(random)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
]
const secretOf = new Map([first, second, third, copy].map((node) => [node, random.bytes(16)]))
const sha256 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash('sha256').update(bytes).digest())

function must(node: NodeId): Uint8Array<ArrayBuffer> {
  const secret = secretOf.get(node)
  if (secret === undefined) throw new Error('no driver')
  return secret
}

/** Nodes of which each knows only who answers for what; messages arrive in the order of their sending. */
class Room {
  readonly nodes = new Map<NodeId, Ledgers>()
  readonly refused: NodeId[] = []
  readonly #sent: (readonly [from: NodeId, to: NodeId, message: NodeMessage])[] = []

  add(self: NodeId): Ledgers {
    const log = { ...silentLog, child: () => log, warn: (_text: string) => void this.refused.push(self) }
    const ledgers: Ledgers = new Ledgers({
      self,
      log,
      graceMs: 1_000,
      records: new RecordStore(),
      sha256: (bytes) => Promise.resolve(sha256(bytes)),
      send: (to, message) => void this.#sent.push([self, to, message]),
      alive: () => [...this.nodes.keys()].filter((node) => node !== self),
      isAlive: (node) => node !== self && this.nodes.has(node),
      deviceOf: () => undefined,
      later: () => undefined,
      holdings: () => ({ refs: [], copies: [], runs: [], actors: [] }),
      owners: () => [],
      sendRecords: () => undefined,
      moved: () => undefined,
      reported: () => undefined,
      deposed: () => undefined,
      listed: () => undefined,
      counts: () => undefined,
      lateCopies: () => undefined,
      takenOver: () => undefined,
      drawn: () => undefined,
      graceEnded: () => false,
      over: () => undefined,
    })
    this.nodes.set(self, ledgers)
    return ledgers
  }

  /** Everybody who is there hears of the newcomer, and it of them. */
  link(self: NodeId): void {
    for (const [node, ledgers] of this.nodes)
      if (node !== self) {
        ledgers.peerAlive(self)
        this.nodes.get(self)?.peerAlive(node)
      }
  }

  driver(self: NodeId, ...former: NodeId[]): Ledgers {
    const ledgers = this.add(self)
    ledgers.reload(
      sha256(must(self)),
      former.map((node) => ({ node, publicKey: new Uint8Array(32), secret: must(node) })),
    )
    this.link(self)
    ledgers.open(self)
    this.#deliver()
    return ledgers
  }

  gone(node: NodeId): void {
    this.nodes.delete(node)
    for (const ledgers of this.nodes.values()) ledgers.peerGone(node)
    this.#deliver()
  }

  /** Until nobody has anything to say. */
  async settled(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      this.#deliver()
    }
  }

  #deliver(): void {
    for (let next = this.#sent.shift(); next; next = this.#sent.shift()) {
      const [from, to, message] = next
      this.nodes.get(to)?.onMessage(from, message)
    }
  }

  /** Who answers for the first driver's ledger, in the eyes of everybody. */
  answerers(): NodeId[] {
    return [...new Set([...this.nodes.values()].map((ledgers) => ledgers.answerer(first)))]
  }

  claim(from: NodeId, secret: Uint8Array<ArrayBuffer>): Promise<void> {
    const [answerer = helper] = this.answerers()
    const message: NodeMessage = { type: 'ledger.claim', owner: first, secret, nextHash: sha256(must(from)) }
    this.nodes.get(answerer)?.onMessage(from, message)
    return this.settled()
  }
}

let room: Room

beforeEach(() => {
  room = new Room()
  room.add(helper)
  room.add(other)
  room.link(helper)
  room.driver(first)
})

describe('a claim', () => {
  it('[G11] with the secret of a driver that is gone makes its maker the heir, which takes the ledger over', async () => {
    room.gone(first)
    expect(room.answerers()).not.toContain(first)
    room.driver(second, first)
    await room.settled()
    expect(room.answerers()).toEqual([second])
    for (const ledgers of room.nodes.values()) {
      expect(ledgers.driverOf(first)).toBe(second)
      expect(ledgers.ownersOf(second).sort()).toEqual([first, second].sort())
      expect(ledgers.ownersOf(first)).toEqual([])
    }
    expect(room.nodes.get(second)?.mayFree(first)).toBe(true)
    expect(room.refused).toEqual([])
  })

  it('[G11] with another secret, or an old one, is refused', async () => {
    room.gone(first)
    room.add(third)
    room.link(third)
    await room.claim(third, must(third))
    expect(room.refused.length).toBe(1)
    expect(room.answerers()).not.toContain(third)
    room.driver(second, first)
    await room.settled()
    room.gone(second)
    // The first one's secret was used by the second.
    await room.claim(third, must(first))
    expect(room.refused.length).toBe(2)
    expect(room.answerers()).not.toContain(third)
  })

  it('[G11] to what a live tab has is refused, and a copy of it never claims', async () => {
    room.driver(copy, first)
    await room.settled()
    await room.claim(copy, must(first))
    expect(room.refused).toEqual([first])
    expect(room.answerers()).toEqual([first])
    // Nor later: the original comes back first, or its grace ends.
    room.gone(first)
    await room.settled()
    expect(room.answerers()).not.toContain(copy)
    room.driver(second, first)
    await room.settled()
    expect(room.answerers()).toEqual([second])
  })

  it('[G11] of two tabs with one secret is granted to the first', async () => {
    room.gone(first)
    room.driver(second, first)
    room.driver(copy, first)
    await room.settled()
    expect(room.answerers()).toEqual([second])
  })

  it('[G11] is made again for everything, reload after reload', async () => {
    room.gone(first)
    room.driver(second, first)
    await room.settled()
    room.gone(second)
    const ledgers = room.driver(third, second, first)
    await room.settled()
    expect(room.answerers()).toEqual([third])
    expect(ledgers.ownersOf(third).sort()).toEqual([first, second, third].sort())
    // Whoever took over when a claim was not yet granted is asked, too.
    room.gone(third)
    expect(room.answerers()).not.toContain(third)
  })

  it('[G10, G11] after the job is over is refused', async () => {
    room.gone(first)
    for (const ledgers of room.nodes.values()) ledgers.finish(first)
    room.driver(second, first)
    await room.settled()
    expect(room.answerers()).not.toContain(second)
    expect(room.refused.length).toBe(1)
  })

  it('[G2, G11] the heir takes back what was taken over while it stood still', async () => {
    room.gone(first)
    const heir = room.driver(second, first)
    await room.settled()
    room.gone(second)
    expect(room.answerers()).not.toContain(second)
    heir.suspend()
    heir.reload(sha256(must(second)), [{ node: first, publicKey: new Uint8Array(32), secret: must(first) }])
    heir.takeBack()
    room.nodes.set(second, heir)
    room.link(second)
    heir.entered()
    await room.settled()
    expect(room.answerers()).toEqual([second])
    expect([...room.nodes.values()].map((ledgers) => ledgers.answerer(second))).toEqual([second, second, second])
  })
})

// Long because each way in which a count could go wrong is a story of its own.
import { describe, expect, it } from 'vitest'
import { silentLog } from '@shoal/base'
import { formatObjectId } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import { References } from './references.ts'
import type { Life } from './references.ts'

type Handing = { readonly type: 'hand'; readonly number: number; readonly ids: readonly ObjectId[] }

/** Nodes that only count, and links between them on which each message is delivered by hand. */
class Room {
  readonly nodes = new Map<NodeId, Counting>()
  readonly #wires = new Map<string, (() => void)[]>()
  readonly later: { readonly delayMs: number; readonly callback: () => void }[] = []
  readonly dead = new Set<NodeId>()

  add(letter: string): Counting {
    const node = new Counting(this, letter.repeat(32) as NodeId)
    this.nodes.set(node.id, node)
    return node
  }

  send(from: Counting, to: NodeId, message: NodeMessage | Handing): void {
    const key = `${from.id} ${to}`
    const wire = this.#wires.get(key) ?? []
    this.#wires.set(key, wire)
    wire.push(() => {
      const node = this.nodes.get(to)
      if (node === undefined || this.dead.has(to)) return
      if (message.type === 'hand') node.onHand(from.id, message)
      else node.references.onMessage(from.id, message)
    })
  }

  /** Delivers what waits between two nodes. */
  async carry(from: Counting, to: Counting): Promise<void> {
    await Promise.resolve()
    for (const deliver of this.#wires.get(`${from.id} ${to.id}`)?.splice(0) ?? []) deliver()
    await Promise.resolve()
  }

  async carryAll(): Promise<void> {
    for (let round = 0; round < 10; round++)
      for (const from of this.nodes.values()) for (const to of this.nodes.values()) await this.carry(from, to)
  }

  afterTenSeconds(): void {
    for (const { delayMs, callback } of this.later.splice(0)) {
      expect(delayMs).toBe(10_000)
      callback()
    }
  }

  kill(node: Counting): void {
    this.dead.add(node.id)
    for (const other of this.nodes.values()) if (other !== node) other.references.peerGone(node.id)
  }
}

class Counting {
  readonly counts = new Map<string, number>()
  readonly borrowers = new Map<string, Set<Life>>()
  readonly freed = new Set<string>()
  readonly lost = new Set<string>()
  readonly unreachable = new Set<NodeId>()
  /** Ledgers that were taken over, as far as this node has heard. */
  readonly answerers = new Map<NodeId, NodeId>()
  readonly references: References
  readonly id: NodeId
  readonly #room: Room

  constructor(room: Room, id: NodeId) {
    this.id = id
    this.#room = room
    this.references = new References({
      self: id,
      log: silentLog,
      send: (to, message) => room.send(this, to, message),
      canReach: (node) => !room.dead.has(node) && !this.unreachable.has(node),
      answerer: (owner) => this.answerers.get(owner) ?? owner,
      later: (delayMs, callback) => void room.later.push({ delayMs, callback }),
      retain: (object) => this.retain(object),
      release: (object) => this.release(object),
      standing: (object) => (this.count(object) > 0 ? 'counted' : 'gone'),
      lend: (object, to) => {
        const key = formatObjectId(object)
        if (this.freed.has(key)) return false
        this.borrowers.set(key, (this.borrowers.get(key) ?? new Set()).add(to))
        return true
      },
      takeBack: (object, from) => {
        this.borrowers.get(formatObjectId(object))?.delete(from)
        this.#freeIfUnused(object)
      },
      takeBackAll: (from) => {
        for (const [key, lives] of this.borrowers) {
          lives.delete(from)
          const [owner, number] = key.split('/') as [NodeId, string]
          this.#freeIfUnused({ owner, number: Number(number) })
        }
      },
      recount: (ledger, lives) => {
        for (const [key, borrowers] of this.borrowers)
          if (key.startsWith(ledger)) for (const life of lives) borrowers.delete(life)
      },
      unknown: (object) => void this.lost.add(formatObjectId(object)),
    })
  }

  count(object: ObjectId): number {
    return this.counts.get(formatObjectId(object)) ?? 0
  }

  retain(object: ObjectId): void {
    this.counts.set(formatObjectId(object), this.count(object) + 1)
  }

  release(object: ObjectId): void {
    this.counts.set(formatObjectId(object), this.count(object) - 1)
    this.#freeIfUnused(object)
  }

  hand(to: Counting, ...ids: ObjectId[]): void {
    this.#room.send(this, to.id, { type: 'hand', number: this.references.handOver(to.id, ids), ids })
  }

  /** Whoever is handed refs keeps each once. */
  onHand(from: NodeId, { number, ids }: Handing): void {
    const letGo = this.references.receive(from, number, ids)
    for (const object of ids) this.retain(object)
    letGo()
  }

  #freeIfUnused(object: ObjectId): void {
    if (this.count(object) > 0) return
    const key = formatObjectId(object)
    if (object.owner !== this.id) this.references.dropped(object, true)
    else if ((this.borrowers.get(key)?.size ?? 0) === 0) this.freed.add(key)
  }
}

function three(): { room: Room; owner: Counting; b: Counting; c: Counting; x: ObjectId; isFreed: () => boolean } {
  const room = new Room()
  const [owner, b, c] = [room.add('a'), room.add('b'), room.add('c')] as const
  const x = { owner: owner.id, number: 7 }
  owner.retain(x)
  return { room, owner, b, c, x, isFreed: () => owner.freed.has(formatObjectId(x)) }
}

describe('references between nodes', () => {
  it('[N1] an owner keeps what it handed on until its receiver has let go of it', async () => {
    const { room, owner, b, x, isFreed } = three()
    owner.hand(b, x)
    owner.release(x)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    expect(isFreed()).toBe(false)
    expect(owner.references.pinned).toBe(0)
    expect(b.references.borrowed).toBe(1)
    b.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(true)
    expect(b.references.borrowed).toBe(0)
  })

  it('[N1] a borrower that hands on and lets go keeps it until the owner counts the next one, however late', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    owner.hand(b, x)
    await room.carryAll()
    owner.release(x)
    b.hand(c, x)
    b.release(x)
    // Everything moves but what c says to the owner.
    await room.carry(b, c)
    await room.carry(c, b)
    await room.carry(b, owner)
    await room.carry(owner, b)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    expect(isFreed()).toBe(false)
    expect(c.lost.size).toBe(0)
    c.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(true)
    for (const { references } of [owner, b, c])
      expect({ pinned: references.pinned, borrowed: references.borrowed }).toEqual({ pinned: 0, borrowed: 0 })
  })

  it('[N1] who took the ledger over counts what it is told, not what it handed on before', async () => {
    const { room, owner, b, c, x } = three()
    owner.hand(b, x)
    await room.carryAll()
    b.hand(c, x)
    await room.carry(b, c)
    room.kill(owner)
    c.release(x)
    b.answerers.set(owner.id, b.id)
    b.references.moved(owner.id, [x])
    c.answerers.set(owner.id, b.id)
    // Nothing: c has let go of it before it is asked for its report.
    c.references.moved(owner.id, [])
    c.references.reported(owner.id)
    await room.carryAll()
    expect(b.references.pinned).toBe(0)
    expect([...(b.borrowers.get(formatObjectId(x)) ?? [])]).toEqual([])
  })

  it('[N1] who takes its ledger back counts what is reported, not what it lent before', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    owner.hand(b, x)
    owner.release(x)
    await room.carryAll()
    // c answers for a while, since b and c had given the owner up, and b lets go then.
    b.answerers.set(owner.id, c.id)
    c.answerers.set(owner.id, c.id)
    b.references.moved(owner.id, [x])
    c.references.moved(owner.id, [])
    c.references.reportedBy(b.id, [x])
    b.references.reported(owner.id)
    b.release(x)
    await room.carryAll()
    b.answerers.delete(owner.id)
    owner.references.moved(owner.id, [])
    b.references.moved(owner.id, [])
    b.references.reported(owner.id)
    await room.carryAll()
    expect([...(owner.borrowers.get(formatObjectId(x)) ?? [])]).toEqual([])
    owner.retain(x)
    owner.release(x)
    expect(isFreed()).toBe(true)
  })

  it('[N1] what is handed on while its owner cannot be reached is counted once it can', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    owner.hand(b, x)
    await room.carryAll()
    owner.release(x)
    c.unreachable.add(owner.id)
    b.hand(c, x)
    await room.carryAll()
    c.release(x)
    expect(b.references.pinned).toBe(1)
    c.unreachable.clear()
    c.references.peerAlive(owner.id)
    c.references.peerAlive(owner.id)
    await room.carryAll()
    expect(b.references.pinned).toBe(0)
    b.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(true)
  })

  it('[N1] a release on its way ends no later hand-over', async () => {
    const { room, owner, b, x, isFreed } = three()
    owner.hand(b, x)
    await room.carryAll()
    b.release(x)
    owner.hand(b, x)
    owner.release(x)
    await room.carry(b, owner)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    expect(isFreed()).toBe(false)
    b.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(true)
  })

  it('[N1] what is let go before its hand-over is confirmed is not counted for ever', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    const y = { owner: c.id, number: 9 }
    c.retain(y)
    c.hand(owner, y)
    await room.carryAll()
    // The confirmation waits for c, which counts b for y late; x is gone from b by then.
    owner.hand(b, x, y)
    owner.release(x)
    await room.carry(owner, b)
    b.release(x)
    await room.carry(b, owner)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    expect(isFreed()).toBe(true)
    expect(b.references.borrowed).toBe(1)
  })

  it('[N1] what goes home is counted there', async () => {
    const { room, owner, b, x, isFreed } = three()
    owner.hand(b, x)
    await room.carryAll()
    owner.release(x)
    b.hand(owner, x)
    b.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(false)
    expect(owner.count(x)).toBe(1)
    owner.release(x)
    expect(isFreed()).toBe(true)
  })

  it('[N2] of a dead node everything comes back, late, so that what it had handed on is counted first', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    owner.hand(b, x)
    await room.carryAll()
    owner.release(x)
    b.hand(c, x)
    await room.carry(b, c)
    room.kill(b)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    room.afterTenSeconds()
    expect(isFreed()).toBe(false)
    c.release(x)
    await room.carryAll()
    expect(isFreed()).toBe(true)
  })

  it('[N2] a dead node that was lent something and had nothing on its way frees it', async () => {
    const { room, owner, b, x, isFreed } = three()
    owner.hand(b, x)
    owner.release(x)
    room.kill(b)
    await room.carryAll()
    expect(isFreed()).toBe(false)
    room.afterTenSeconds()
    expect(isFreed()).toBe(true)
    expect(owner.references.pinned).toBe(0)
  })

  it('[N2] the numbers of a life that is over confirm nothing of the next', async () => {
    const { room, owner, b, c, x, isFreed } = three()
    const y = { owner: c.id, number: 9 }
    c.retain(y)
    c.hand(owner, y)
    await room.carryAll()
    owner.hand(b, y)
    await room.carry(owner, b)
    // The owner of x comes back as a new life while b still waits for c to count it.
    b.references.peerGone(owner.id)
    owner.references.peerGone(b.id)
    owner.hand(b, x)
    owner.release(x)
    await room.carry(b, c)
    await room.carry(c, b)
    await room.carry(b, owner)
    expect(owner.references.pinned).toBe(1)
    expect(isFreed()).toBe(false)
    await room.carryAll()
    expect(owner.references.pinned).toBe(0)
    expect(isFreed()).toBe(false)
  })

  it('[N3] many refs of one message are registered in several, and the holder of a value keeps it until then', async () => {
    const { room, owner, b, c } = three()
    const inside = Array.from({ length: 20_001 }, (_, number) => ({ owner: owner.id, number: number + 100 }))
    for (const object of inside) owner.retain(object)
    const value = { owner: b.id, number: 1 }
    const number = b.references.hold(c.id, [value])
    expect(b.count(value)).toBe(1)
    const letGo = c.references.receiveInside(inside, [[b.id, number]])
    for (const object of inside) c.retain(object)
    letGo()
    await room.carry(c, b)
    expect(b.count(value)).toBe(1)
    await room.carryAll()
    expect(b.count(value)).toBe(0)
    expect(c.references.borrowed).toBe(20_001)
    expect(owner.references.pinned).toBe(0)
  })
})

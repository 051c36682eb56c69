import { must, seededRandom, silentLog } from '@shoal/base'
import { ProtocolError, randomNodeId } from '@shoal/protocol'
import type { EncodedValue, NodeId, NodeMessage, ObjectId, PullSubject } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { ObjectTable } from './object-table.ts'
import { Transfers } from './transfers.ts'
import type { PullOutcome } from './transfers.ts'

const random = seededRandom(1)
const [A, B, C] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]
const id: ObjectId = { owner: B, number: 7 }
const subject: PullSubject = { type: 'object', id, attempt: { epoch: 0, number: 0 } }
const value: EncodedValue = { refs: [], body: random.bytes(13), buffers: [random.bytes(100_000), random.bytes(20_001)] }

/** Nodes joined by wires that deliver one message at a time, control and bulk apart. */
class Wires {
  readonly nodes = new Map<NodeId, Transfers>()
  readonly control: (() => void)[] = []
  readonly bulk: (() => void)[] = []
  readonly gone = new Set<NodeId>()
  readonly sent: NodeMessage[] = []
  room = Number.POSITIVE_INFINITY
  isLinked = true
  #waiters: (() => void)[] = []

  add(node: NodeId, lookup: () => EncodedValue | undefined): Transfers {
    const network = {
      send: (to: NodeId, message: NodeMessage): void => {
        this.sent.push(message)
        this.control.push(() => this.nodes.get(to)?.onMessage(node, message))
      },
      sendBulk: (to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void => {
        this.room -= bytes.length
        this.bulk.push(() => this.nodes.get(to)?.onBulk(node, pull, offset, bytes))
      },
      bulkRoom: () => (this.isLinked ? this.room : 0),
      onBulkRoom: (_to: NodeId, callback: () => void): void => {
        if (this.isLinked) this.#waiters.push(callback)
        else callback()
      },
      canReach: (to: NodeId) => !this.gone.has(to),
    }
    const transfers = new Transfers({
      network,
      log: silentLog,
      lookup,
      hold: () => 0,
      unhold: () => undefined,
    })
    this.nodes.set(node, transfers)
    return transfers
  }

  /** Delivers everything, control before bulk or the other way round. */
  run(first: 'control' | 'bulk' = 'control'): void {
    for (;;) {
      const [one, other] = first === 'control' ? [this.control, this.bulk] : [this.bulk, this.control]
      const next = one.shift() ?? other.shift()
      if (next === undefined) return
      next()
    }
  }

  makeRoom(bytes: number): void {
    this.room = bytes
    for (const waiter of this.#waiters.splice(0)) waiter()
  }
}

describe('transfers', () => {
  let wires: Wires
  let a: Transfers
  let outcomes: PullOutcome[]
  const hear = (outcome: PullOutcome): void => void outcomes.push(outcome)

  beforeEach(() => {
    wires = new Wires()
    outcomes = []
    a = wires.add(A, () => undefined)
    wires.add(B, () => value)
    wires.add(C, () => value)
  })

  it('[OS1] one pull serves all who wait, each once', () => {
    a.pull(subject, [B], hear)
    a.pull(subject, [B, C], hear)
    expect(a.openPulls).toBe(1)
    wires.run()
    expect(outcomes).toEqual([
      { kind: 'value', value, holds: [] },
      { kind: 'value', value, holds: [] },
    ])
    expect([a.openPulls, wires.sent.filter(({ type }) => type === 'object.pull').length]).toEqual([0, 1])
  })

  it('[OS2] goes on from another holder where it stopped', () => {
    a.pull(subject, [B, C], hear)
    for (let i = 0; i < 2; i++) must(wires.control.shift())()
    must(wires.bulk.shift())()
    wires.bulk.length = 0
    wires.gone.add(B)
    a.peerGone(B)
    const [again] = wires.sent.filter((message) => message.type === 'object.pull').slice(1)
    expect(again?.type === 'object.pull' && again.offset).toBeGreaterThan(60_000)
    wires.run()
    expect(outcomes).toEqual([{ kind: 'value', value, holds: [] }])
  })

  it('[OS2] is lost when nobody is left: missing, gone before, or never there', () => {
    wires.add(B, () => undefined)
    wires.gone.add(C)
    a.pull(subject, [B, C], hear)
    wires.run()
    a.pull(subject, [C], hear)
    a.pull(subject, [], hear)
    expect(outcomes).toEqual([
      { kind: 'lost', holds: [] },
      { kind: 'lost', holds: [] },
      { kind: 'lost', holds: [] },
    ])
    expect(a.openPulls).toBe(0)
  })

  it('[OS2] asks again over a new link for what the old one lost', () => {
    a.pull(subject, [B], hear)
    for (let i = 0; i < 2; i++) must(wires.control.shift())()
    must(wires.bulk.shift())()
    wires.bulk.length = 0
    a.peerLinked(B)
    wires.run()
    expect(outcomes).toEqual([{ kind: 'value', value, holds: [] }])
  })

  it('[OS3] takes chunks that overtake the head, and ignores repeats and strangers', () => {
    a.pull(subject, [B], hear)
    must(wires.control.shift())()
    const chunks = [...wires.bulk]
    wires.run('bulk')
    for (const chunk of chunks) chunk()
    expect(outcomes).toEqual([{ kind: 'value', value, holds: [] }])
    a.pull(subject, [B], hear)
    a.onBulk(C, 2, 0, random.bytes(10))
    a.onMessage(C, { type: 'object.head', pull: 2, bytes: 5, handOver: 0 })
    wires.run()
    expect(outcomes[1]).toEqual({ kind: 'value', value, holds: [] })
  })

  it('[OS3] refuses what a peer cannot mean', () => {
    a.pull(subject, [B], hear)
    expect(() => a.onMessage(B, { type: 'object.head', pull: 1, bytes: 2 ** 40, handOver: 0 })).toThrow(ProtocolError)
    a.onMessage(B, { type: 'object.head', pull: 1, bytes: 16, handOver: 0 })
    expect(() => a.onBulk(B, 1, 0, random.bytes(17))).toThrow(ProtocolError)
    const b = must(wires.nodes.get(B))
    expect(() => b.onMessage(A, { type: 'object.pull', pull: 1, subject, offset: 1e9 })).toThrow(ProtocolError)
  })

  it('[OS4] waits for room in the window, and goes on when there is some', () => {
    wires.room = 1
    a.pull(subject, [B], hear)
    wires.run()
    expect(outcomes).toEqual([])
    wires.makeRoom(1)
    wires.run()
    wires.makeRoom(Number.POSITIVE_INFINITY)
    wires.run()
    expect(outcomes).toEqual([{ kind: 'value', value, holds: [] }])
  })

  it('[OS4] stops when asked, and when the link went, instead of trying for ever', () => {
    wires.room = 1
    a.pull(subject, [B], hear)
    wires.run()
    must(wires.nodes.get(B)).onMessage(A, { type: 'object.stop', pull: 1 })
    wires.makeRoom(Number.POSITIVE_INFINITY)
    expect(wires.bulk.length).toBe(0)
    wires.isLinked = false
    a.peerLinked(B)
    wires.run()
    expect(wires.bulk.length).toBe(0)
    wires.isLinked = true
    must(wires.nodes.get(B)).peerLinked(A)
    a.peerLinked(B)
    wires.run()
    expect(outcomes).toEqual([{ kind: 'value', value, holds: [] }])
  })
})

describe('the object table', () => {
  it('[OS5] keeps the newest attempt and counts what it holds', () => {
    const table = new ObjectTable()
    const small: EncodedValue = { refs: [], body: new Uint8Array(10), buffers: [] }
    expect(table.put(id, { epoch: 0, number: 1 }, small)).toBe(true)
    expect(table.put(id, { epoch: 0, number: 0 }, value)).toBe(false)
    expect([table.bytes, table.count]).toEqual([10, 1])
    expect(table.put(id, { epoch: 1, number: 0 }, value)).toBe(true)
    expect([table.bytes, table.count]).toEqual([120_014, 1])
    table.put({ owner: A, number: 1 }, { epoch: 0, number: 0 }, small)
    table.deleteOwner(B)
    expect([table.bytes, table.count, table.get(id)]).toEqual([10, 1, undefined])
    table.delete({ owner: A, number: 1 })
    table.delete({ owner: A, number: 1 })
    expect([table.bytes, table.count]).toEqual([0, 0])
  })
})

// Long because each way in which a transfer can go wrong is a story of its own.
import { createHash } from 'node:crypto'
import { must, seededRandom, silentLog } from '@shoal/base'
import { ProtocolError, randomNodeId } from '@shoal/protocol'
import type { EncodedValue, NodeId, NodeMessage, ObjectId, PullSubject } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { CHUNK_BYTES, Run, segmentBytes, segmentCount } from './layout.ts'
import { ObjectTable } from './object-table.ts'
import { Transfers } from './transfers.ts'
import type { PullOutcome } from './transfers.ts'

const random = seededRandom(1)
const [A, B, C, D, E] = [1, 2, 3, 4, 5].map(() => randomNodeId(random)) as [NodeId, NodeId, NodeId, NodeId, NodeId]
const id: ObjectId = { owner: B, number: 7 }
const subject: PullSubject = { type: 'object', id, attempt: { epoch: 0, number: 0 } }
/** One segment. */
const value: EncodedValue = { refs: [], body: random.bytes(13), buffers: [random.bytes(100_000), random.bytes(20_001)] }
/** 16 segments and a bit. */
const large: EncodedValue = { refs: [], body: random.bytes(13), buffers: [random.bytes(16 * 4 * CHUNK_BYTES)] }
/** As long as `large`, and another. */
const other: EncodedValue = { refs: [], body: random.bytes(13), buffers: [random.bytes(16 * 4 * CHUNK_BYTES)] }

const sha256 = (bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  Promise.resolve(new Uint8Array(createHash('sha256').update(bytes).digest()))
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Nodes joined by wires that deliver one message at a time, control and bulk apart. */
class Wires {
  readonly nodes = new Map<NodeId, Transfers>()
  readonly control: (() => void)[] = []
  readonly bulk: (() => void)[] = []
  readonly gone = new Set<NodeId>()
  readonly sent: { readonly from: NodeId; readonly to: NodeId; readonly message: NodeMessage }[] = []
  /** Bytes that each node has sent. */
  readonly served = new Map<NodeId, number>()
  room = Number.POSITIVE_INFINITY
  /** Chunks on their way from one node, at most: what it can send is shared by all that it sends to. */
  window = Number.POSITIVE_INFINITY
  isLinked = true
  now = 0
  readonly rates = new Map<NodeId, number>()
  readonly #flying = new Map<string, number>()
  #waiters: (() => void)[] = []

  add(
    node: NodeId,
    lookup: () => EncodedValue | undefined,
    options: { readonly hold?: number; readonly spoil?: (bytes: Uint8Array) => void } = {},
  ): Transfers {
    const network = {
      send: (to: NodeId, message: NodeMessage): void => {
        this.sent.push({ from: node, to, message })
        this.control.push(() => {
          if (!this.gone.has(node)) this.nodes.get(to)?.onMessage(node, message)
        })
      },
      sendBulk: (to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void => {
        options.spoil?.(bytes)
        this.room -= bytes.length
        this.served.set(node, (this.served.get(node) ?? 0) + bytes.length)
        const path: string = node
        this.#flying.set(path, (this.#flying.get(path) ?? 0) + 1)
        this.bulk.push(() => {
          this.#flying.set(path, (this.#flying.get(path) ?? 0) - 1)
          for (const waiter of this.#waiters.splice(0)) waiter()
          if (!this.gone.has(node)) this.nodes.get(to)?.onBulk(node, pull, offset, bytes)
        })
      },
      bulkRoom: () => (this.isLinked && (this.#flying.get(node) ?? 0) < this.window ? this.room : 0),
      onBulkRoom: (_to: NodeId, callback: () => void): void => {
        if (this.isLinked) this.#waiters.push(callback)
        else callback()
      },
      canReach: (to: NodeId) => !this.gone.has(to),
    }
    const transfers = new Transfers({
      self: node,
      network,
      log: silentLog,
      random,
      sha256,
      now: () => this.now++,
      measured: (from, rate) => void this.rates.set(from, rate),
      lookup,
      hold: () => options.hold ?? 0,
      unhold: () => undefined,
    })
    this.nodes.set(node, transfers)
    return transfers
  }

  /** Delivers everything, control before bulk or the other way round; `until` ends it earlier. */
  async run(first: 'control' | 'bulk' = 'control', until: () => boolean = () => false): Promise<void> {
    for (let quiet = 0; quiet < 2 && !until();) {
      const [one, two] = first === 'control' ? [this.control, this.bulk] : [this.bulk, this.control]
      const next = one.shift() ?? two.shift()
      next?.()
      // Hashes are known between any two messages.
      await settled()
      quiet = next === undefined ? quiet + 1 : 0
    }
  }

  makeRoom(bytes: number): void {
    this.room = bytes
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  leave(node: NodeId): void {
    this.gone.add(node)
    this.nodes.delete(node)
    for (const transfers of this.nodes.values()) transfers.peerGone(node)
  }

  pulls(to?: NodeId): number[][] {
    return this.sent.flatMap((each) =>
      each.message.type === 'object.pull' && (to === undefined || each.to === to) ? [[...each.message.segments]] : [],
    )
  }
}

/** By the hash of what came: megabytes are compared slowly. */
function got(value: EncodedValue, holds: PullOutcome['holds'] = []): object {
  const hash = createHash('sha256')
  for (const bytes of [value.body, ...value.buffers]) hash.update(bytes)
  return { hash: hash.digest('hex'), lengths: value.buffers.map(({ length }) => length), holds }
}

describe('transfers', () => {
  let wires: Wires
  let a: Transfers
  let outcomes: object[]
  const hear = (outcome: PullOutcome): void =>
    void outcomes.push(outcome.kind === 'value' ? got(outcome.value, outcome.holds) : outcome)
  const lost: PullOutcome = { kind: 'lost', holds: [] }

  beforeEach(() => {
    wires = new Wires()
    outcomes = []
    a = wires.add(A, () => undefined)
    wires.add(B, () => value)
    wires.add(C, () => value)
  })

  const allOver = (): number[] => [...wires.nodes.values()].flatMap((each) => [each.openPulls, each.openServes])

  it('[OS1] one pull serves all who wait, each once', async () => {
    a.pull(subject, [B], hear)
    a.pull(subject, [B, C], hear)
    expect(a.openPulls).toBe(1)
    await wires.run()
    expect(outcomes).toEqual([got(value), got(value)])
    // One segment: nobody else is asked.
    expect(wires.pulls()).toEqual([[0]])
    expect(allOver()).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('[OS2] what a holder owed comes from another when it goes', async () => {
    wires.add(B, () => large)
    wires.add(C, () => large)
    a.pull(subject, [B, C], hear)
    await wires.run('control', () => (wires.served.get(B) ?? 0) > 5 * CHUNK_BYTES)
    wires.leave(B)
    await wires.run()
    expect(outcomes).toEqual([got(large)])
    expect((wires.served.get(B) ?? 0) + (wires.served.get(C) ?? 0)).toBeLessThan(24 * 4 * CHUNK_BYTES)
  })

  it('[OS2] is lost when nobody is left: missing, gone before, or never there', async () => {
    wires.add(B, () => undefined)
    wires.gone.add(C)
    a.pull(subject, [B, C], hear)
    await wires.run()
    a.pull(subject, [C], hear)
    a.pull(subject, [], hear)
    expect(outcomes).toEqual([lost, lost, lost])
    expect(allOver()).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('[OS2] asks again over a new link for what the old one lost', async () => {
    a.pull(subject, [B], hear)
    await wires.run('control', () => wires.bulk.length > 0)
    must(wires.bulk.shift())()
    wires.bulk.length = 0
    must(wires.nodes.get(B)).peerLinked(A)
    a.peerLinked(B)
    await wires.run()
    expect(outcomes).toEqual([got(value)])
  })

  it('[OS3] takes chunks that overtake the head, and ignores repeats and strangers', async () => {
    a.pull(subject, [B], hear)
    await wires.run('control', () => wires.bulk.length > 1)
    const chunks = [...wires.bulk]
    await wires.run('bulk')
    for (const chunk of chunks) chunk()
    expect(outcomes).toEqual([got(value)])
    a.pull(subject, [B], hear)
    a.onBulk(C, 2, 0, random.bytes(10))
    const hashes = random.bytes(32)
    a.onMessage(C, { type: 'object.head', pull: 2, bytes: 5, hashes, handOver: 0, isPartial: false, has: [] })
    await wires.run()
    expect(outcomes[1]).toEqual(got(value))
  })

  it('[OS3] refuses what a peer cannot mean', async () => {
    const head = {
      type: 'object.head',
      pull: 1,
      hashes: random.bytes(32),
      handOver: 0,
      isPartial: false,
      has: [],
    } satisfies Partial<NodeMessage & { type: 'object.head' }>
    a.pull(subject, [B], hear)
    expect(() => a.onMessage(B, { ...head, bytes: 2 ** 40 })).toThrow(ProtocolError)
    expect(() => a.onMessage(B, { ...head, bytes: 3 * segmentBytes(1) })).toThrow(ProtocolError)
    a.onMessage(B, { ...head, bytes: 16 })
    expect(() => a.onBulk(B, 1, 0, random.bytes(17))).toThrow(ProtocolError)
    const b = must(wires.nodes.get(B))
    b.onMessage(A, { type: 'object.pull', pull: 1, subject, segments: [] })
    await settled()
    expect(() => b.onMessage(A, { type: 'object.pull', pull: 1, subject, segments: [1] })).toThrow(ProtocolError)
  })

  it('[OS3] a run that is no value, and a first question for what there is not, throw into nothing', async () => {
    const garbage = new Uint8Array(64).fill(200)
    const hashes = await sha256(garbage)
    a.pull(subject, [B, C], hear)
    a.onMessage(B, { type: 'object.head', pull: 1, bytes: 64, hashes, handOver: 0, isPartial: false, has: [] })
    a.onBulk(B, 1, 0, garbage)
    await wires.run()
    expect(outcomes).toEqual([got(value)])
    must(wires.nodes.get(B)).onMessage(A, { type: 'object.pull', pull: 9, subject, segments: [700] })
    await wires.run()
    expect(must(wires.nodes.get(B)).openServes).toBe(1)
  })

  it('[OS2] who is only about to have it has nothing: another is asked, and without one it is lost', async () => {
    const c = wires.add(C, () => undefined)
    const ofC: string[] = []
    c.pull(subject, [B], ({ kind }) => ofC.push(kind))
    // C knows how long it is, and the first segment, asked for before A can know, is not there.
    await wires.run('control', () => wires.control.length === 0 && wires.bulk.length > 0)
    const late = wires.bulk.splice(0)
    a.pull(subject, [C], hear)
    await wires.run()
    expect(outcomes).toEqual([lost])
    a.pull(subject, [C, B], hear)
    await wires.run()
    wires.bulk.push(...late)
    await wires.run()
    expect([ofC, outcomes]).toEqual([['value'], [lost, got(value)]])
  })

  it('[OS4] waits for room in the window, and goes on when there is some', async () => {
    wires.room = 1
    a.pull(subject, [B], hear)
    await wires.run()
    expect(outcomes).toEqual([])
    wires.makeRoom(1)
    await wires.run()
    wires.makeRoom(Number.POSITIVE_INFINITY)
    await wires.run()
    expect(outcomes).toEqual([got(value)])
  })

  it('[OS4] stops when asked, and when the link went, instead of trying for ever', async () => {
    wires.room = 1
    a.pull(subject, [B], hear)
    await wires.run()
    must(wires.nodes.get(B)).onMessage(A, { type: 'object.stop', pull: 1, segments: [] })
    wires.makeRoom(Number.POSITIVE_INFINITY)
    expect(wires.bulk.length).toBe(0)
    wires.isLinked = false
    a.peerLinked(B)
    await wires.run()
    expect(wires.bulk.length).toBe(0)
    wires.isLinked = true
    must(wires.nodes.get(B)).peerLinked(A)
    a.peerLinked(B)
    await wires.run()
    expect(outcomes).toEqual([got(value)])
  })

  it('[OS6] a large object comes from all its holders at once, each segment once', async () => {
    for (const node of [B, C, D]) wires.add(node, () => large)
    a.pull(subject, [B, C, D], hear)
    await wires.run()
    expect(outcomes).toEqual([got(large)])
    expect(new Set(wires.pulls().flat()).size).toBe(17)
    expect([...wires.served.values()].reduce((sum, each) => sum + each, 0)).toBeLessThan(1.25 * Run.of(large).bytes)
    for (const node of [B, C, D]) {
      expect(wires.served.get(node)).toBeGreaterThan(3 * 4 * CHUNK_BYTES)
      expect(wires.rates.get(node)).toBeGreaterThan(0)
    }
    expect(allOver().every((open) => open === 0)).toBe(true)
  })

  it('[OS6] a holder that gives nothing does not hold up what another could give', async () => {
    wires.add(B, () => large)
    wires.add(C, () => large)
    a.pull(subject, [B, C], hear)
    const isOfC = (): boolean =>
      [...wires.sent].some(({ from, message }) => from === C && message.type === 'object.head')
    await wires.run('control', isOfC)
    wires.nodes.delete(C)
    await wires.run()
    // Its last segment is all that is left with C, and C is still there, for all that is known.
    expect(outcomes).toEqual([])
    wires.leave(C)
    await wires.run()
    expect(outcomes).toEqual([got(large)])
  })

  it('[OS7] a part that is not what its hash says is fetched from another, and its source asked no more', async () => {
    let spoiled = 0
    wires.add(B, () => large)
    wires.add(C, () => large, { spoil: (bytes) => (spoiled++ === 5 ? bytes.fill(7) : undefined) })
    a.pull(subject, [B, C], hear)
    await wires.run()
    expect(outcomes).toEqual([got(large)])
    expect(spoiled).toBeGreaterThan(5)
    outcomes.length = 0
    wires.add(C, () => large, { spoil: (bytes) => bytes.fill(7) })
    a.pull(subject, [C], hear)
    await wires.run()
    expect(outcomes).toEqual([lost])
  })

  it('[OS7] runs that differ are never mixed: the second is fetched when the first is gone', async () => {
    wires.add(B, () => large)
    wires.add(C, () => other)
    a.pull(subject, [B, C], hear)
    await wires.run()
    expect(outcomes).toEqual([got(large)])
    outcomes.length = 0
    a.pull(subject, [B, C], hear)
    await wires.run('control', () => wires.pulls(C).length > 1 && wires.bulk.length > 3)
    await wires.run('control', () => wires.sent.filter(({ message }) => message.type === 'object.stop').length > 2)
    wires.leave(B)
    await wires.run()
    expect(outcomes).toEqual([got(other)])
  })

  it('[OS8] receivers of one object have parts of it from each other', async () => {
    wires.window = 2
    const holders = [C, D, E].map((node) => wires.add(node, () => undefined))
    wires.add(B, () => large)
    for (const each of [a, ...holders]) each.pull(subject, [B], hear, 4e6)
    const bytes = Run.of(large).bytes
    await wires.run()
    expect(outcomes).toEqual([1, 2, 3, 4].map(() => got(large)))
    // Four copies arrived; the holder sent far less than that.
    expect([...wires.served.values()].reduce((sum, each) => sum + each, 0)).toBeLessThan(4.8 * bytes)
    expect(must(wires.served.get(B))).toBeLessThan(1.8 * bytes)
    expect(segmentCount(bytes)).toBe(17)
    expect(allOver().every((open) => open === 0)).toBe(true)
  })

  it('[OS8] receivers that only have each other left do not wait for ever', async () => {
    const c = wires.add(C, () => undefined)
    wires.add(B, () => large)
    for (const each of [a, c]) each.pull(subject, [B], hear, 4e6)
    await wires.run('control', () => must(wires.served.get(B) ?? 1) > 30 * CHUNK_BYTES)
    wires.leave(B)
    await wires.run()
    expect(outcomes).toEqual([lost, lost])
    expect(allOver()).toEqual([0, 0, 0, 0])
  })

  it('[OS8] what has refs inside comes from those alone who hold it, since they hand those over', async () => {
    const c = wires.add(C, () => undefined)
    wires.add(B, () => large, { hold: 5 })
    for (const each of [a, c]) each.pull(subject, [B], hear, 4e6)
    await wires.run()
    expect(outcomes).toEqual([1, 2].map(() => got(large, [[B, 5]])))
    expect([...wires.served.keys()]).toEqual([B])
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
    table.delete(id)
    expect([table.bytes, table.count, table.get(id)]).toEqual([10, 1, undefined])
    table.delete({ owner: A, number: 1 })
    table.delete({ owner: A, number: 1 })
    expect([table.bytes, table.count]).toEqual([0, 0])
  })
})

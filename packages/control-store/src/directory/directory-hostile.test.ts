import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Random } from '@shoal/base'
import * as Y from 'yjs'
import { DirectoryRoom } from '../testing/directory-room.ts'
import type { TestNode } from '../testing/directory-room.ts'
import { createFastCrypto } from '../testing/fast-crypto.ts'
import { encodeFrame, updateFrame } from './frames.ts'
import { RecordCodec } from './record-codec.ts'
import type { ProvenRecord } from './record-codec.ts'

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const card = (node: TestNode): string => `node/${node.id}`
const read = (at: TestNode, key: string): string | undefined => {
  const entry = at.directory.get(key)
  return entry && new TextDecoder().decode(entry.body)
}
const shown = (at: TestNode, key: string): unknown => at.directory.doc.getMap('records').get(key)

/** A document update with the record, always by the same Yjs client at the same clock. */
function documentWith(at: TestNode, record: ProvenRecord): Uint8Array<ArrayBuffer> {
  const forged = new Y.Doc()
  Y.applyUpdate(forged, Y.encodeStateAsUpdate(at.directory.doc))
  forged.clientID = 4_242
  const before = Y.encodeStateVector(forged)
  forged.getMap('records').set(record.key, record.sealed)
  const update = Uint8Array.from(Y.encodeStateAsUpdate(forged, before))
  return encodeFrame(updateFrame, { type: 'document', generation: at.directory.generation, update })
}

async function room(
  seed: number,
  count: number,
  crypto?: (random: Random) => ReturnType<typeof createFastCrypto>,
): Promise<{ room: DirectoryRoom; nodes: TestNode[] }> {
  const created = await DirectoryRoom.create(seed, crypto)
  const nodes: TestNode[] = []
  for (let i = 0; i < count; i++) nodes.push(await created.join({ isOwner: i === 0 }))
  await Promise.all(nodes.map((node, i) => node.directory.set(card(node), text(`card ${i}`))))
  await created.run(100)
  return { room: created, nodes }
}

function expectAgreement(nodes: readonly TestNode[]): void {
  const [first] = nodes
  for (const node of nodes) {
    expect(node.directory.entries('')).toEqual(first?.directory.entries(''))
    expect(node.directory.summaryOf(node.directory.vector())).toBe(first?.directory.summaryOf(first.directory.vector()))
  }
}

describe('a directory with a hostile member', () => {
  it('[D1] a writer that signs two bodies of one version for two sides of a cut deceives nobody once it is healed', async () => {
    for (const isHeadChosen of [false, true]) {
      // With Ed25519 a signer that uses one nonce twice gives two signatures whose first halves are equal.
      const head = isHeadChosen ? new Uint8Array(32).fill(7) : undefined
      const { room: here, nodes } = await room(31, 4, (random) => createFastCrypto(random, head))
      const [liar, a, b, c] = nodes as [TestNode, TestNode, TestNode, TestNode]
      await here.run(6_000)
      const codec = new RecordCodec(here.crypto, here.roomKey, here.room)
      const one = await codec.write(liar.keyPair, card(liar), 9, text('one'))
      const two = await codec.write(liar.keyPair, card(liar), 9, text('two'))
      const [frameOne, frameTwo] = [documentWith(a, one), documentWith(c, two)]
      for (const other of [a, b]) here.cut(other, c)
      here.leave(liar)
      a.directory.applyUpdate(frameOne, 'hostile')
      b.directory.applyUpdate(frameOne, 'hostile')
      c.directory.applyUpdate(frameTwo, 'hostile')
      await here.deliver()
      expect([read(a, card(liar)), read(c, card(liar))]).toEqual(['one', 'two'])
      // No state vector will ever tell: both bodies stand at one clock of one Yjs client.
      expect(Y.encodeStateVector(a.directory.doc)).toEqual(Y.encodeStateVector(c.directory.doc))
      for (const other of [a, b]) here.link(other, c)
      await here.run(8_000)
      expect(new Set([a, b, c].map((node) => read(node, card(liar)))).size).toBe(1)
      expectAgreement([a, b, c])
    }
  })

  it('[D1] who was raised far above the others, or joins far below them, agrees with them all the same', async () => {
    const { room: here, nodes } = await room(35, 3, createFastCrypto)
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode]
    for (const other of [b, c]) here.cut(a, other)
    const raise = (): Uint8Array<ArrayBuffer> =>
      encodeFrame(updateFrame, { type: 'records', generation: a.directory.generation + 1_000, records: [] })
    for (let i = 0; i < 40; i++) a.directory.applyUpdate(raise(), 'hostile')
    expect(a.directory.generation).toBe(40_000)
    await a.directory.set(card(a), text('high'))
    await b.directory.set(card(b), text('low'))
    for (const other of [b, c]) here.link(a, other)
    const late = await here.join()
    await late.directory.set(card(late), text('late'))
    await here.run(2_000)
    for (const node of [...nodes, late])
      expect([a, b, late].map((of) => read(node, card(of)))).toEqual(['high', 'low', 'late'])
    await here.run(60_000)
    expectAgreement([...nodes, late])
    // The number that one message can raise ours by is bounded, else the first liar uses all up.
    const far = encodeFrame(updateFrame, { type: 'records', generation: 2 ** 50, records: [] })
    a.directory.applyUpdate(far, 'hostile')
    expect(a.directory.generation).toBeLessThan(50_000)
  })

  it('[D2] minutes of deletes, overwrites, replays, forgeries and thrown-up generations lower nothing, and who joins meanwhile has every live record within 5 s', async () => {
    for (const seed of [41, 42, 43]) {
      const { room: here, nodes } = await room(seed, 5, createFastCrypto)
      const hostile = nodes[4] as TestNode
      const honest = nodes.slice(0, 4)
      const attacks = attacksOf(here, hostile, nodes)
      const written = new Map(honest.map((node, i) => [card(node), `card ${i}`]))
      const highest = new Map<string, number>()
      let late: { readonly node: TestNode; readonly sinceMs: number } | undefined
      const slowest = { ms: 0 }
      for (let step = 0; step < 900; step++) {
        await attacks[Math.floor(here.random.float() * attacks.length)]?.()
        if (step % 20 === 7) {
          const writer = honest[Math.floor(here.random.float() * honest.length)] as TestNode
          written.set(card(writer), `step ${step}`)
          await writer.directory.set(card(writer), text(`step ${step}`))
        }
        if (step % 30 === 0) late = { node: await here.join(), sinceMs: here.clock.now() }
        await here.run(200)
        for (const node of honest)
          for (const [key, entry] of node.directory.entries('')) {
            // Hostile too is a writer, of its own card.
            expect(key.startsWith('node/') ? idOf(entry.writer) : key).toBe(key.replace('node/', ''))
            const name = `${node.id} ${key}`
            expect(entry.version).toBeGreaterThanOrEqual(highest.get(name) ?? 0)
            highest.set(name, entry.version)
          }
        if (late && honest.every((node) => (late?.node.directory.get(card(node))?.version ?? 0) > 0)) {
          slowest.ms = Math.max(slowest.ms, here.clock.now() - late.sinceMs)
          here.leave(late.node)
          late = undefined
        }
        if (late) expect(here.clock.now() - late.sinceMs).toBeLessThanOrEqual(5_000)
        for (const node of honest) for (const key of written.keys()) expect(read(node, key)).toBeDefined()
      }
      if (late) here.leave(late.node)
      await here.run(5_000)
      for (const node of honest)
        for (const [key, body] of written) {
          expect(read(node, key)).toBe(body)
          expect(shown(node, key)).toBeInstanceOf(Uint8Array)
        }
      await here.run(10_000)
      expectAgreement(honest)
      // Joins did happen under attack, else the bound above says nothing.
      expect(slowest.ms).toBeGreaterThan(0)
    }
  }, 60_000)
})

const idOf = (publicKey: Uint8Array): string => createHash('sha256').update(publicKey).digest('hex').slice(0, 32)

/** What a member can do that has the room's key, its own writer's key, the document and links to all. */
function attacksOf(here: DirectoryRoom, hostile: TestNode, nodes: readonly TestNode[]): (() => Promise<void> | void)[] {
  const codec = new RecordCodec(here.crypto, here.roomKey, here.room)
  const seen: { key: string; sealed: Uint8Array<ArrayBuffer> }[] = []
  const pick = <T>(list: readonly T[]): T => list[Math.floor(here.random.float() * list.length)] as T
  const records = (): Y.Map<unknown> => hostile.directory.doc.getMap('records')
  const key = (): string => card(pick(nodes))
  const to = (frame: Uint8Array<ArrayBuffer>, at = pick(nodes)): void => {
    if (at !== hostile) at.sync.receive(hostile.id, { type: 'directory.update', update: frame })
  }
  let lie = 100
  return [
    () => records().delete(key()),
    () => records().clear(),
    () => void records().set(key(), here.random.bytes(300)),
    () => void records().set(key(), new Y.Map()),
    () => {
      for (const [name, sealed] of records())
        if (sealed instanceof Uint8Array) seen.push({ key: name, sealed: sealed as Uint8Array<ArrayBuffer> })
      if (seen.length > 200) seen.splice(0, 100)
    },
    () => {
      const old = seen.length > 0 ? pick(seen) : undefined
      if (old) records().set(old.key, old.sealed)
    },
    () => {
      const old = seen.length > 0 ? pick(seen) : undefined
      if (old) records().set(key(), old.sealed)
    },
    async () => {
      const name = key()
      const record = await codec.write(hostile.keyPair, name, 2 ** 40, text('mine'))
      records().set(name, record.sealed)
    },
    async () => {
      const impostor = { publicKey: pick(nodes).keyPair.publicKey, sign: async () => here.random.bytes(64) }
      const name = key()
      records().set(name, (await codec.write(impostor, name, 2 ** 40, text('forged'))).sealed)
    },
    async () => {
      lie++
      for (const node of nodes) {
        const record = await codec.write(hostile.keyPair, card(hostile), lie, text(`for ${node.id}`))
        to(documentWith(node, record), node)
      }
    },
    () =>
      to(
        encodeFrame(updateFrame, {
          type: 'records',
          generation: hostile.directory.generation + 1 + Math.floor(here.random.float() * 1024),
          records: [],
        }),
      ),
    () => void hostile.directory.doc.getMap('junk').set(`${here.random.float()}`, here.random.bytes(20_000)),
    () => {
      const victim = pick(nodes)
      const forged = new Y.Doc()
      Y.applyUpdate(forged, Y.encodeStateAsUpdate(hostile.directory.doc))
      forged.clientID = victim.directory.doc.clientID
      const before = Y.encodeStateVector(forged)
      forged.getMap('records').set(key(), here.random.bytes(30))
      const update = Uint8Array.from(Y.encodeStateAsUpdate(forged, before))
      to(encodeFrame(updateFrame, { type: 'document', generation: victim.directory.generation, update }))
    },
  ]
}

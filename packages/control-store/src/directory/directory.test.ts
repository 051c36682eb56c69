import { fromHex, PermissionError, ProtocolError } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DirectoryRoom } from '../testing/directory-room.ts'
import type { TestNode } from '../testing/directory-room.ts'
import { encodeFrame, updateFrame } from './frames.ts'
import { RecordCodec } from './record-codec.ts'

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const card = (node: TestNode): string => `node/${node.id}`
const read = (at: TestNode, key: string): string | undefined => {
  const entry = at.directory.get(key)
  return entry && new TextDecoder().decode(entry.body)
}
const shown = (at: TestNode, key: string): unknown => at.directory.doc.getMap('records').get(key)

async function room(seed: number, count: number): Promise<{ room: DirectoryRoom; nodes: TestNode[] }> {
  const created = await DirectoryRoom.create(seed)
  const nodes: TestNode[] = []
  for (let i = 0; i < count; i++) nodes.push(await created.join({ isOwner: i === 0 }))
  await Promise.all(nodes.map((node, i) => node.directory.set(card(node), text(`card ${i}`))))
  await created.run(100)
  return { room: created, nodes }
}

/** All believe the same, and the documents of all show it. */
function expectAgreement(nodes: readonly TestNode[]): void {
  const [first] = nodes
  for (const node of nodes) {
    expect(node.directory.entries('')).toEqual(first?.directory.entries(''))
    for (const [key] of node.directory.entries('')) expect(shown(node, key)).toBeInstanceOf(Uint8Array)
    expect(node.directory.summaryOf(node.directory.vector())).toBe(first?.directory.summaryOf(first.directory.vector()))
  }
}

describe('directory', () => {
  it('[D1] carries records to everybody, their versions rising', async () => {
    const { room: here, nodes } = await room(1, 3)
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode]
    expect(read(c, card(a))).toBe('card 0')
    expect(c.directory.get(card(a))?.version).toBe(1)
    const changes: string[] = []
    const end = b.directory.subscribe(({ key }) => changes.push(key))
    await a.directory.set(card(a), text('busy'))
    await a.directory.set(card(a), text('busy'))
    await here.run(0)
    expect(read(b, card(a))).toBe('busy')
    expect(b.directory.get(card(a))).toMatchObject({ version: 2, writer: a.keyPair.publicKey })
    end()
    await a.directory.set(card(a), text('idle'))
    await here.run(0)
    expect(changes).toEqual([card(a)])
    expectAgreement(nodes)
  })

  it('[D1] converges over random orders, cuts and joins', async () => {
    for (let seed = 10; seed < 22; seed++) {
      const { room: here, nodes } = await room(seed, 4)
      for (let step = 0; step < 12; step++) {
        const pick = (): TestNode => nodes[Math.floor(here.random.float() * nodes.length)] as TestNode
        const [a, b] = [pick(), pick()]
        const dice = here.random.float()
        if (dice < 0.5) await a.directory.set(card(a), text(`${seed} ${step}`))
        else if (a !== b && dice < 0.7) here.cut(a, b)
        else if (a !== b && dice < 0.9) here.link(a, b)
        else await here.run(300)
      }
      for (const a of nodes) for (const b of nodes) if (a.id < b.id) here.link(a, b)
      await here.run(6_000)
      expectAgreement(nodes)
    }
  })

  // With more than three neighbours not everybody tells everybody in the same second.
  it.each([4, 9])('[D1] falls silent once all agree, of %i', async (count) => {
    const { room: here } = await room(2, count)
    await here.run(6_000)
    const { sent } = here
    await here.run(20_000)
    expect(here.sent).toBe(sent)
  })

  it('[D1] equal versions of a writer that lies are decided alike, in either order', async () => {
    const { room: here, nodes } = await room(3, 3)
    const [liar, b, c] = nodes as [TestNode, TestNode, TestNode]
    const codec = new RecordCodec(here.crypto, here.roomKey, here.room)
    const one = await codec.write(liar.keyPair, card(liar), 9, text('one'))
    const two = await codec.write(liar.keyPair, card(liar), 9, text('two'))
    const frame = (record: typeof one) =>
      encodeFrame(updateFrame, { type: 'records', generation: 0, records: [record] })
    b.directory.applyUpdate(frame(one), undefined)
    b.directory.applyUpdate(frame(two), undefined)
    c.directory.applyUpdate(frame(two), undefined)
    c.directory.applyUpdate(frame(one), undefined)
    await here.run(8_000)
    expect(read(b, card(liar))).toBe(read(c, card(liar)))
    expectAgreement(nodes)
  })

  it('[D2] only the room owner grants leave to submit', async () => {
    const { room: here, nodes } = await room(4, 3)
    const [owner, helper, other] = nodes as [TestNode, TestNode, TestNode]
    const key = `submitter/${helper.id}`
    await expect(helper.directory.set(key, text('me'))).rejects.toThrow(PermissionError)
    await expect(helper.directory.set(card(other), text('me'))).rejects.toThrow(PermissionError)
    await expect(owner.directory.set('weather/today', text('fine'))).rejects.toThrow(PermissionError)
    await owner.directory.set(key, text('granted'))
    await here.run(0)
    expect(read(other, key)).toBe('granted')
  })

  it('[D2] ignores records of writers that are not entitled, forged, of another room or under another key', async () => {
    const { room: here, nodes } = await room(5, 3)
    const [a, hostile, c] = nodes as [TestNode, TestNode, TestNode]
    const codec = new RecordCodec(here.crypto, here.roomKey, here.room)
    const stranger = new RecordCodec(here.crypto, here.random.bytes(16), here.room)
    const impostor = { publicKey: a.keyPair.publicKey, sign: async () => new Uint8Array(64).fill(7) }
    const fakes = [
      await codec.write(hostile.keyPair, card(a), 50, text('not mine')),
      await codec.write(impostor, card(a), 51, text('forged')),
      await stranger.write(a.keyPair, card(a), 52, text('other room')),
      { sealed: (await codec.write(a.keyPair, card(hostile), 53, text('moved'))).sealed },
      { sealed: here.random.bytes(200) },
      { sealed: new Uint8Array(0) },
    ]
    for (const { sealed } of fakes) {
      hostile.directory.doc.getMap('records').set(card(a), sealed)
      await here.run(100)
      expect(read(c, card(a))).toBe('card 0')
    }
    hostile.directory.doc.getMap('records').set(card(a), new Y.Map())
    await here.run(6_000)
    expect(read(c, card(a))).toBe('card 0')
    expectAgreement(nodes)
  })

  it('[D2] a stray delete, garbage and a replayed version decide nothing; the writer has it back within a second', async () => {
    const { room: here, nodes } = await room(6, 3)
    const [a, hostile, c] = nodes as [TestNode, TestNode, TestNode]
    const old = shown(a, card(a)) as Uint8Array
    await a.directory.set(card(a), text('new'))
    await here.run(100)
    const records = hostile.directory.doc.getMap('records')
    const attacks = [
      () => records.delete(card(a)),
      () => records.set(card(a), here.random.bytes(40)),
      () => records.set(card(a), old),
      () => records.clear(),
    ]
    for (const attack of attacks) {
      attack()
      await here.deliver()
      expect(read(c, card(a))).toBe('new')
      await here.run(1_000)
      const late = await here.join()
      await here.run(0)
      expect(read(late, card(a))).toBe('new')
      here.leave(late)
    }
    await here.run(6_000)
    expectAgreement(nodes)
  })

  it('[D2] what was deleted while its writer was away is put back by others', async () => {
    const { room: here, nodes } = await room(7, 3)
    const [a, hostile, c] = nodes as [TestNode, TestNode, TestNode]
    await a.directory.set(`submitter/${c.id}`, text('granted'))
    await here.run(100)
    here.leave(a)
    hostile.directory.doc.getMap('records').delete(`submitter/${c.id}`)
    await here.run(5_000)
    const late = await here.join()
    await here.run(0)
    expect(read(late, `submitter/${c.id}`)).toBe('granted')
  })

  /** An update that another client wrote under the client id of `victim`, at its next clock in the document of `at`. */
  const forgeUnder = (victim: TestNode, at: TestNode): Uint8Array<ArrayBuffer> => {
    const forged = new Y.Doc()
    Y.applyUpdate(forged, Y.encodeStateAsUpdate(at.directory.doc))
    forged.clientID = victim.directory.doc.clientID
    const before = Y.encodeStateVector(forged)
    forged.getMap('records').set('node/nobody', new Uint8Array(20))
    const update = Uint8Array.from(Y.encodeStateAsUpdate(forged, before))
    return encodeFrame(updateFrame, { type: 'document', generation: 0, update })
  }

  it('[D2] two writers of one Yjs client id cannot hide a record for longer than 5 s', async () => {
    for (const isNew of [true, false]) {
      const { room: here, nodes } = await room(8, 4)
      const [a, b, c] = nodes as [TestNode, TestNode, TestNode]
      await here.run(6_000)
      const key = isNew ? `submitter/${b.id}` : card(a)
      const before = read(c, key)
      // The true update comes second to c and is ignored there; no state vector will ever tell.
      c.directory.applyUpdate(forgeUnder(a, c), 'hostile')
      await a.directory.set(key, text('hidden'))
      await here.deliver()
      expect(Y.encodeStateVector(c.directory.doc)).toEqual(Y.encodeStateVector(a.directory.doc))
      expect(read(c, key)).toBe(before)
      await here.run(5_000)
      for (const node of nodes) expect(read(node, key)).toBe('hidden')
    }
  })

  it('[D2] a node whose Yjs client id is used by another takes a new one, from its own chance', async () => {
    const after: number[] = []
    for (let run = 0; run < 2; run++) {
      const { room: here, nodes } = await room(16, 2)
      const [a] = nodes as [TestNode]
      const stolen = a.directory.doc.clientID
      a.directory.applyUpdate(forgeUnder(a, a), 'hostile')
      expect(a.directory.doc.clientID).not.toBe(stolen)
      after.push(a.directory.doc.clientID)
      await here.run(0)
    }
    expect(after[0]).toBe(after[1])
  })

  it('[D2] malformed frames are a ProtocolError and change nothing', async () => {
    const { room: here, nodes } = await room(9, 2)
    const [a, b] = nodes as [TestNode, TestNode]
    const before = b.directory.entries('')
    const bad = [
      new Uint8Array(0),
      fromHex('ff'),
      encodeFrame(updateFrame, { type: 'document', generation: 0, update: fromHex('ffffffffff') }),
      Uint8Array.from([...encodeFrame(updateFrame, { type: 'records', generation: 0, records: [] }), 1]),
    ]
    for (const frame of bad) expect(() => b.directory.applyUpdate(frame, undefined)).toThrow(ProtocolError)
    expect(() => b.directory.updatesSince(fromHex('00'))).toThrow(ProtocolError)
    for (let i = 0; i < 300; i++) {
      const frame = encodeFrame(updateFrame, { type: 'document', generation: 0, update: here.random.bytes(i % 60) })
      try {
        b.directory.applyUpdate(frame, undefined)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }
    await a.directory.set(card(a), text('still here'))
    await here.run(6_000)
    expect(read(b, card(a))).toBe('still here')
    expect(b.directory.entries('')).toHaveLength(before.length)
  })

  it('[D5] a retired node is forgotten, its old records refused, and believed again when it speaks', async () => {
    const { room: here, nodes } = await room(12, 3)
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode]
    const old = shown(b, card(a)) as Uint8Array<ArrayBuffer>
    here.cut(a, b)
    here.cut(a, c)
    b.directory.retire(a.id)
    c.directory.retire(a.id)
    await here.run(6_000)
    const records = [{ key: card(a), sealed: old }]
    c.directory.applyUpdate(encodeFrame(updateFrame, { type: 'records', generation: 0, records }), undefined)
    await here.run(0)
    expect(read(c, card(a))).toBeUndefined()
    expect(shown(b, card(a))).toBeUndefined()
    here.link(a, b)
    await here.run(2_000)
    expect(read(c, card(a))).toBe('card 0')
    expect(a.directory.get(card(a))?.version).toBe(2)
  })

  it('[D4] a grown document is rolled to the live records, whoever came and went', async () => {
    const { room: here, nodes } = await room(13, 2)
    const [a, b] = nodes as [TestNode, TestNode]
    for (let i = 0; i < 230; i++) {
      const passing = await here.join()
      await passing.directory.set(card(passing), text('here'))
      await here.deliver()
      here.leave(passing)
      for (const node of nodes) node.directory.retire(passing.id)
    }
    await here.run(8_000)
    expect(a.directory.generation).toBe(1)
    expectAgreement(nodes)
    expect(a.directory.entries('')).toHaveLength(2)
    expect(Y.encodeStateAsUpdate(b.directory.doc).length).toBeLessThan(10_000)
    const late = await here.join()
    await here.run(1_000)
    expect(late.directory.generation).toBe(1)
    expect(read(late, card(a))).toBe('card 0')
  }, 30_000)

  it('[D4] a document of garbage is rolled too, and both sides of a cut that rolled meet again', async () => {
    const { room: here, nodes } = await room(14, 2)
    const [a, b] = nodes as [TestNode, TestNode]
    here.cut(a, b)
    for (const node of nodes) {
      for (let i = 0; i < 5; i++) node.directory.doc.getMap('junk').set(`${i}`, here.random.bytes(50_000))
    }
    await here.run(3_000)
    expect([a.directory.generation, b.directory.generation]).toEqual([1, 1])
    await a.directory.set(card(a), text('rolled'))
    here.link(a, b)
    await here.run(8_000)
    expect(read(b, card(a))).toBe('rolled')
    expectAgreement(nodes)
  })

  it('leaves no timer behind', async () => {
    const { room: here, nodes } = await room(15, 3)
    nodes[1]?.directory.doc.getMap('records').clear()
    await here.run(100)
    for (const node of nodes) here.leave(node)
    expect(here.clock.pending).toBe(0)
  })
})

import { silentLog } from '@shoal/base'
import type { ActorId, NodeId, NodeMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { isEntitled } from '../directory/entitlement.ts'
import { DirectoryRoom } from '../testing/directory-room.ts'
import type { TestNode } from '../testing/directory-room.ts'
import { createNames } from './names.ts'
import type { Names } from './names.ts'
import { refuseBadName } from './name-key.ts'
import { nameRecordKey } from './name-records.ts'

const NAME = { namespace: 'my app', name: 'the store/1 ü' }

interface Tab extends TestNode {
  readonly names: Names
  readonly lost: ActorId[]
}

interface Tabs {
  readonly room: DirectoryRoom
  readonly all: Tab[]
  see(...groups: Tab[][]): void
  /** Leaves the room and enters it again, in a session of its own. */
  enterAgain(tab: Tab): Promise<Tab>
}

async function tabs(count: number): Promise<Tabs> {
  const room = await DirectoryRoom.create(71)
  const all: Tab[] = []
  const isSeen = new Set<string>()
  const send = (from: NodeId, to: NodeId, message: NodeMessage): void => {
    queueMicrotask(() => {
      if (isSeen.has(`${from} ${to}`)) all.find(({ id }) => id === to)?.names.receive(from, message)
    })
  }
  const enter = async (options: Parameters<DirectoryRoom['join']>[0], session: number): Promise<Tab> => {
    const node = await room.join(options)
    const lost: ActorId[] = []
    const names = createNames({
      self: node.id,
      session,
      log: silentLog,
      directory: node.directory,
      send: (to, message) => send(node.id, to, message),
      onLost: (_name, actor) => lost.push(actor),
    })
    return { ...node, names, lost }
  }
  for (let i = 0; i < count; i++) all.push(await enter({}, 1))
  return {
    room,
    all,
    async enterAgain(tab) {
      room.leave(room.nodes.find(({ id }) => id === tab.id) as TestNode)
      const again = await enter({ keyPair: tab.keyPair, versionsAbove: 1_000 }, 2)
      all[all.indexOf(tab)] = again
      return again
    },
    see(...groups) {
      isSeen.clear()
      for (const group of groups) for (const a of group) for (const b of group) isSeen.add(`${a.id} ${b.id}`)
      for (const group of groups) for (const { names } of group) names.members(new Map(group.map(({ id }) => [id, 1])))
    },
  }
}

describe('names in the directory', () => {
  it('[D3] everybody finds the holder of a name, and nobody after it was released', async () => {
    const { room, all, see } = await tabs(3)
    const [a, b, c] = all as [Tab, Tab, Tab]
    see(all)
    const actor = { owner: a.id, number: 4 }
    expect(await a.names.claim(NAME, actor)).toEqual({ type: 'won' })
    expect(await b.names.claim(NAME, { owner: b.id, number: 1 })).toEqual({ type: 'taken', holder: actor })
    await room.run(100)
    expect(c.names.find(NAME)).toEqual(actor)
    expect(c.names.find({ ...NAME, namespace: 'another app' })).toBeUndefined()
    a.names.release(NAME, actor)
    await room.run(100)
    expect(c.names.find(NAME)).toBeUndefined()
    expect(await b.names.claim(NAME, { owner: b.id, number: 2 })).toEqual({ type: 'won' })
  })

  it('[D3] after a partition all find the lower actor, before and after the other was told', async () => {
    const { room, all, see } = await tabs(4)
    const [a, b, c, d] = all as [Tab, Tab, Tab, Tab]
    see([a, b], [c, d])
    const actors = [a, c].map(({ id }) => ({ owner: id, number: 1 }))
    for (const [i, tab] of [a, c].entries())
      expect(await tab.names.claim(NAME, actors[i] as ActorId)).toEqual({ type: 'won' })
    const lower = a.id < c.id ? actors[0] : actors[1]
    await room.run(1_000)
    for (const tab of all) expect(tab.names.find(NAME)).toEqual(lower)
    see(all)
    await room.run(1_000)
    for (const tab of all) expect(tab.names.find(NAME)).toEqual(lower)
    expect([...a.lost, ...c.lost]).toEqual(actors.filter((actor) => actor !== lower))
  })

  it('[D3] a claim that is given back before its answer fails, and leaves the name free', async () => {
    const { all, see } = await tabs(3)
    const [a, b] = all as [Tab, Tab]
    see(all)
    const actor = { owner: a.id, number: 4 }
    const claim = a.names.claim(NAME, actor)
    a.names.release(NAME, actor)
    await expect(claim).rejects.toThrow('given back')
    expect(await b.names.claim(NAME, { owner: b.id, number: 1 })).toEqual({ type: 'won' })
  })

  it('[D3] leaves as many records as there were names at a time, however many there were', async () => {
    const { room, all, see } = await tabs(3)
    const [a, b, c] = all as [Tab, Tab, Tab]
    see(all)
    const name = (n: number): typeof NAME => ({ namespace: 'ns', name: `name ${n}` })
    for (let n = 0; n < 100; n++) {
      expect(await a.names.claim(name(n), { owner: a.id, number: n })).toEqual({ type: 'won' })
      await room.run(100)
      expect(c.names.find(name(n))).toEqual({ owner: a.id, number: n })
      expect(c.names.find(name(n - 3))).toBeUndefined()
      if (n >= 2) a.names.release(name(n - 2), { owner: a.id, number: n - 2 })
    }
    await room.run(1_000)
    for (const { directory } of all) expect(directory.entries('name/')).toHaveLength(3)
    for (const n of [98, 99]) expect(b.names.find(name(n))).toEqual({ owner: a.id, number: n })
    expect(b.names.find(name(97))).toBeUndefined()
  })

  it("[D3] a name of a former session is nobody's, and its record serves for another", async () => {
    const { room, all, see, enterAgain } = await tabs(3)
    see(all)
    const names = [0, 1, 2].map((n) => ({ namespace: 'ns', name: `name ${n}` }))
    const [before, b] = all as [Tab, Tab]
    for (const [number, name] of names.entries())
      expect(await before.names.claim(name, { owner: before.id, number })).toEqual({ type: 'won' })
    await room.run(1_000)
    const a = await enterAgain(before)
    see(all)
    const kept = { owner: a.id, number: 2 }
    expect(await a.names.claim(names[2] as typeof NAME, kept)).toEqual({ type: 'won' })
    await room.run(5_000)
    for (const tab of all) expect(names.map((name) => tab.names.find(name)?.number)).toEqual([undefined, undefined, 2])
    expect(await a.names.claim(NAME, { owner: a.id, number: 9 })).toEqual({ type: 'won' })
    await room.run(1_000)
    expect(b.names.find(NAME)).toEqual({ owner: a.id, number: 9 })
    expect(b.directory.entries('name/')).toHaveLength(3)
  })

  it('[D2] only a holder itself writes that it holds a name', async () => {
    const { room, all } = await tabs(2)
    const [a, b] = all as [Tab, Tab]
    const key = nameRecordKey(7, a.id)
    expect(isEntitled(key, a.id, room.room)).toBe(true)
    expect(isEntitled(key, b.id, room.room)).toBe(false)
    for (const slot of ['a', '07', '1/2', '1000000', ''])
      expect(isEntitled(`name/${slot}/${a.id}`, a.id, room.room)).toBe(false)
    await expect(b.directory.set(key, new Uint8Array(1))).rejects.toThrow('may not write')
  })

  it('refuses names that no record can hold', () => {
    const long = 'ü'.repeat(129)
    const bads = [
      { namespace: '', name: long },
      { namespace: long, name: 'x' },
      { namespace: '', name: '' },
      { namespace: '\uD800', name: 'x' },
    ]
    for (const bad of bads) expect(() => refuseBadName(bad)).toThrow(RangeError)
    refuseBadName({ namespace: 'ü'.repeat(128), name: 'x'.repeat(256) })
  })
})

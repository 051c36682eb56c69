import { silentLog } from '@shoal/base'
import type { ActorId, NodeId, NodeMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { isEntitled } from '../directory/entitlement.ts'
import { DirectoryRoom } from '../testing/directory-room.ts'
import type { TestNode } from '../testing/directory-room.ts'
import { createNames } from './names.ts'
import type { Names } from './names.ts'
import { nameRecordKey, refuseBadName } from './name-key.ts'

const NAME = { namespace: 'my app', name: 'the store/1 ü' }

interface Tab extends TestNode {
  readonly names: Names
  readonly lost: ActorId[]
}

async function tabs(count: number): Promise<{ room: DirectoryRoom; all: Tab[]; see(...groups: Tab[][]): void }> {
  const room = await DirectoryRoom.create(71)
  const all: Tab[] = []
  const isSeen = new Set<string>()
  const send = (from: NodeId, to: NodeId, message: NodeMessage): void => {
    queueMicrotask(() => {
      if (isSeen.has(`${from} ${to}`)) all.find(({ id }) => id === to)?.names.receive(from, message)
    })
  }
  for (let i = 0; i < count; i++) {
    const node = await room.join()
    const lost: ActorId[] = []
    const names = createNames({
      self: node.id,
      session: 1,
      log: silentLog,
      directory: node.directory,
      send: (to, message) => send(node.id, to, message),
      onLost: (_name, actor) => lost.push(actor),
    })
    all.push({ ...node, names, lost })
  }
  return {
    room,
    all,
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

  it('[D2] only a holder itself writes that it holds a name', async () => {
    const { room, all } = await tabs(2)
    const [a, b] = all as [Tab, Tab]
    const key = nameRecordKey(NAME, a.id)
    expect(isEntitled(key, a.id, room.room)).toBe(true)
    expect(isEntitled(key, b.id, room.room)).toBe(false)
    expect(isEntitled(`name/a/b/c/${a.id}`, a.id, room.room)).toBe(false)
    await expect(b.directory.set(key, new Uint8Array(1))).rejects.toThrow('may not write')
  })

  it('refuses names that no record can hold', () => {
    const long = { namespace: '', name: 'ü'.repeat(40) }
    for (const bad of [long, { namespace: '', name: '' }, { namespace: '\uD800', name: 'x' }])
      expect(() => refuseBadName(bad)).toThrow(RangeError)
    refuseBadName({ namespace: '', name: 'x'.repeat(200) })
  })
})

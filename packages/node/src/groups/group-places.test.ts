import { ByteReader, ByteWriter, groupRecord, toResourceSet } from '@shoal/protocol'
import type { NodeId, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { GroupPlaces } from './group-places.ts'
import type { GroupBundles } from './group-places.ts'

const SELF = '5e1f'.padEnd(32, '0') as NodeId
const OWNER = 'a'.repeat(32) as NodeId
const at = (node: NodeId | undefined): GroupBundles => [{ resources: toResourceSet({ CPU: 1 }), node }]
const own = (number: number): ObjectId => ({ owner: SELF, number })
const theirs = (number: number): ObjectId => ({ owner: OWNER, number })

function body(number: number | undefined, bundles: GroupBundles = at(OWNER)): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter()
  groupRecord.write(writer, { group: number === undefined ? undefined : { number, bundles } })
  return writer.finish()
}

function create(): {
  readonly places: GroupPlaces
  readonly heard: (readonly [number: number, places: number | undefined])[]
  readonly written: (readonly [slot: number, number: number | undefined])[]
} {
  const heard: (readonly [number, number | undefined])[] = []
  const written: (readonly [number, number | undefined])[] = []
  const places = new GroupPlaces({
    self: SELF,
    write: (slot, bytes) => written.push([slot, groupRecord.read(new ByteReader(bytes)).group?.number]),
    changed: (group, bundles) => heard.push([group.number, bundles?.filter(({ node }) => node !== undefined).length]),
  })
  return { places, heard, written }
}

describe('where placement groups are', () => {
  it('[GP4] the records of other tabs say it, and a group that left its slot was removed', () => {
    const { places, heard } = create()
    places.onRecord(`group/0/${OWNER}`, body(1, at(undefined)))
    places.onRecord(`group/0/${OWNER}`, body(1))
    expect([places.isGone(theirs(1)), places.bundlesOf(theirs(1))]).toEqual([false, at(OWNER)])
    // The slot serves for the next.
    places.onRecord(`group/0/${OWNER}`, body(2))
    expect([places.isGone(theirs(1)), places.bundlesOf(theirs(1))]).toEqual([true, undefined])
    places.onRecord(`group/0/${OWNER}`, body(undefined))
    expect(heard).toEqual([
      [1, 0],
      [1, 1],
      [1, undefined],
      [2, 1],
      [2, undefined],
    ])
  })

  it('[GP4] what nobody understands, and a record that is retired with its tab, say nothing', () => {
    const { places, heard } = create()
    places.onRecord(`group/0/${OWNER}`, body(1))
    places.onRecord(`group/0/${OWNER}`, undefined)
    expect(places.isGone(theirs(1))).toBe(false)
    places.ownerGone(OWNER)
    expect(places.isGone(theirs(1))).toBe(true)
    places.onRecord(`group/1/${OWNER}`, new Uint8Array([255, 255]))
    expect(heard).toEqual([
      [1, 1],
      [1, undefined],
    ])
  })

  it('[GP4] groups of this tab have slots of their own, which are used again and told anew in a room', () => {
    const { places, written } = create()
    places.set(own(1), at(undefined))
    places.set(own(2), at(SELF))
    places.set(own(1), undefined)
    places.set(own(3), at(SELF))
    expect(written.splice(0)).toEqual([
      [0, 1],
      [1, 2],
      [0, undefined],
      [0, 3],
    ])
    expect([places.isGone(own(1)), places.isGone(own(3))]).toEqual([true, false])
    places.entered()
    expect(written.splice(0).sort()).toEqual([
      [0, 3],
      [1, 2],
    ])
    // Of a session before this one.
    places.onRecord(`group/7/${SELF}`, body(4))
    expect(written).toEqual([[7, undefined]])
  })
})

import { seededRandom, silentLog } from '@shoal/base'
import { ObjectTable, Spilling, Transfers } from '@shoal/object-store'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { Objects } from './objects.ts'
import type { ObjectsOptions } from './objects-options.ts'

const [SELF, MAKER, OTHER] = [1, 2, 3].map((seed) =>
  randomNodeId({ bytes: (length) => new Uint8Array(length).fill(seed), float: () => 0 }),
) as [NodeId, NodeId, NodeId]
const ID: ObjectId = { owner: SELF, number: 7 }
const FIRST = { epoch: 0, number: 0 }
const SECOND = { epoch: 0, number: 1 }

/** The objects of a node that answers for its own, and what it says to others. */
function open(): { objects: Objects; table: ObjectTable; said: () => string[] } {
  const sent: [NodeId, NodeMessage][] = []
  const send = (to: NodeId, message: NodeMessage): void => void sent.push([to, message])
  const nothing = (): void => undefined
  const table = new ObjectTable()
  const transfers = new Transfers({
    log: silentLog,
    network: { send, sendBulk: nothing, bulkRoom: () => 0, onBulkRoom: nothing, canReach: () => true },
    random: seededRandom(1),
    self: SELF,
    now: () => 0,
    measured: nothing,
    sha256: () => Promise.resolve(new Uint8Array(32)),
    lookup: () => undefined,
    hold: () => 0,
    unhold: nothing,
  })
  const options: ObjectsOptions = {
    self: SELF,
    log: silentLog,
    transfers,
    table,
    spilling: new Spilling({ table, store: undefined, limitBytes: 1e9, log: silentLog, now: () => 0 }),
    send,
    canReach: () => true,
    later: nothing,
    answerer: (owner) => owner,
    knowsAll: (owner) => owner === SELF,
    mayFree: (owner) => owner === SELF,
    unanswered: nothing,
    changed: nothing,
    dropped: nothing,
    recoverRecorded: nothing,
    adopt: nothing,
    receiveInside: () => nothing,
    freed: nothing,
    idle: nothing,
    held: nothing,
    copyGone: nothing,
    unfetched: nothing,
    rebuild: () => false,
    whyNotRebuilt: () => undefined,
  }
  const objects = new Objects(options)
  objects.create(ID.number, { driver: SELF, number: 1 })
  const said = (): string[] =>
    sent
      .splice(0)
      .flatMap(([to, message]) =>
        message.type === 'object.free' ? [`${to === MAKER ? 'maker' : 'other'} frees ${message.attempt?.number}`] : [],
      )
  return { objects, table, said }
}

describe('an attempt that takes the place of an earlier one', () => {
  it('[O3] frees the copies of the earlier one, also where its bytes were here', () => {
    const { objects, table, said } = open()
    objects.storeHere(ID, FIRST, { refs: [], body: new Uint8Array(10), buffers: [] })
    objects.onHeld(OTHER, ID, FIRST)
    objects.storeElsewhere(ID, SECOND, 20, [MAKER])
    expect(said()).toEqual(['other frees 0'])
    expect([table.count, objects.holdersOf(ID)]).toEqual([0, [MAKER]])
    objects.release(ID)
    expect(said()).toEqual(['maker frees undefined'])
  })

  it('[O6] is where its maker says late that it is, though it was reported to have the earlier one', () => {
    const { objects, said } = open()
    objects.storeElsewhere(ID, FIRST, 20, [MAKER])
    objects.onMade(MAKER, ID, SECOND, 20)
    expect(objects.state(ID)).toEqual({ kind: 'elsewhere', attempt: SECOND, bytes: 20, holders: [MAKER] })
    // Which it does not have any more.
    expect(said()).toEqual(['maker frees 0'])
    objects.onMade(OTHER, ID, FIRST, 20)
    expect(said()).toEqual(['other frees 0'])
    objects.onMade(OTHER, ID, SECOND, 20)
    expect([said(), objects.holdersOf(ID)]).toEqual([[], [MAKER, OTHER]])
  })

  it('[R1] leaves nothing with its maker when nobody refers to the object any more', () => {
    const { objects, said } = open()
    objects.storeElsewhere({ owner: SELF, number: 8 }, FIRST, 20, [MAKER])
    expect(said()).toEqual(['maker frees 0'])
  })
})

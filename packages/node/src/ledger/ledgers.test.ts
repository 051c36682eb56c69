import { seededRandom, silentLog } from '@shoal/base'
import { RecordStore } from '@shoal/control-store'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { Ledgers } from './ledgers.ts'

const random = seededRandom(4)
const [self, owner, other] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]

/** One node's ledgers, among others that are there or not and say nothing by themselves. */
function alone(alive: Set<NodeId>): { ledgers: Ledgers; taken: NodeId[] } {
  const taken: NodeId[] = []
  const ledgers = new Ledgers({
    self,
    log: silentLog,
    graceMs: 1_000,
    records: new RecordStore(),
    sha256: (bytes) => Promise.resolve(new Uint8Array(bytes)),
    send: () => undefined,
    alive: () => [...alive],
    isAlive: (node) => alive.has(node),
    deviceOf: () => undefined,
    later: () => undefined,
    holdings: () => ({ refs: [], copies: [], runs: [], actors: [] }),
    owners: () => [owner],
    sendRecords: () => undefined,
    moved: () => undefined,
    reported: () => undefined,
    deposed: () => undefined,
    listed: () => undefined,
    counts: () => undefined,
    lateCopies: () => undefined,
    takenOver: (each) => void taken.push(each),
    drawn: () => undefined,
    graceEnded: () => false,
    over: () => undefined,
  })
  return { ledgers, taken }
}

/** It is the owner's successor, has heard of its death, and waits for the other's report. */
function taking(): { ledgers: Ledgers; taken: NodeId[]; alive: Set<NodeId> } {
  const alive = new Set([owner, other])
  const { ledgers, taken } = alone(alive)
  ledgers.onMessage(owner, {
    type: 'ledger.succession',
    succession: { owner, epoch: { number: 0, minter: owner }, version: 1, successors: [self], heir: undefined },
  })
  alive.delete(owner)
  ledgers.peerGone(owner)
  return { ledgers, taken, alive }
}

describe('a node that enters its room again', () => {
  it('[G5] waits for no report of one that went while it was away', () => {
    const { ledgers, taken, alive } = taking()
    expect(ledgers.isGathering(owner)).toBe(true)
    ledgers.suspend()
    // Nobody gives a verdict about it to one who is not there.
    alive.delete(other)
    ledgers.takeBack()
    ledgers.entered()
    expect(ledgers.isGathering(owner)).toBe(false)
    expect(taken).toContain(owner)
  })

  it('[G5] waits for the reports of those that are there', () => {
    const { ledgers, taken } = taking()
    ledgers.suspend()
    ledgers.takeBack()
    ledgers.entered()
    expect(ledgers.isGathering(owner)).toBe(true)
    expect(taken).not.toContain(owner)
  })
})

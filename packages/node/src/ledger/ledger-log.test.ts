import { seededRandom } from '@shoal/base'
import { RecordStore } from '@shoal/control-store'
import { FIRST_ATTEMPT, newWireError, randomNodeId } from '@shoal/protocol'
import type { LedgerRecords, NodeId } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { LedgerLog } from './ledger-log.ts'
import type { Described } from './ledger-log.ts'

const random = seededRandom(5)
const [self, successor, borrower] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)]
const object = { owner: self, number: 7 }
const KNOWN: Described = {
  record: {
    number: 7,
    attempt: FIRST_ATTEMPT,
    body: { type: 'failed', error: newWireError('task-failed', 'it threw') },
  },
  template: undefined,
  inner: [],
}

describe('the log of a ledger', () => {
  const sent: { readonly to: NodeId; readonly message: LedgerRecords }[] = []
  const timers: (() => void)[] = []
  let known: Described | undefined
  let isUnchecked = false
  const held: string[] = []
  let log: LedgerLog

  beforeEach(() => {
    sent.length = timers.length = held.length = 0
    isUnchecked = false
    known = KNOWN
    log = new LedgerLog({
      self,
      records: new RecordStore(),
      send: (to, message) => {
        if (message.type === 'ledger.records') sent.push({ to, message })
      },
      later: (_delayMs, callback) => void timers.push(callback),
      isMine: () => true,
      successorsOf: () => [successor],
      open: () => undefined,
      tell: () => undefined,
      describe: () => known,
      copyElsewhere: () => undefined,
      isUnchecked: () => isUnchecked,
      outbox: {
        hold: (to, { number }) => held.push(`hold ${to} ${number}`),
        told: (to, { number }) => held.push(`told ${to} ${number}`),
      },
    })
  })

  function pass(): { to: NodeId; numbers: number[]; isSnapshot: boolean }[] {
    for (const timer of timers.splice(0)) timer()
    return sent.splice(0).map(({ to, message: { records, isSnapshot } }) => ({
      to,
      numbers: records.map(({ number }) => number),
      isSnapshot,
    }))
  }

  it('[G6] a record rides with its ref, and what could not be told then follows as soon as it can', () => {
    log.expose(borrower, [object])
    expect(sent.map(({ to }) => to)).toEqual([borrower])
    sent.length = 0
    known = undefined
    const later = { owner: self, number: 8 }
    log.expose(borrower, [later])
    log.changed(later, false)
    expect(sent).toEqual([])
    known = { ...KNOWN, record: { ...KNOWN.record, number: 8 } }
    log.changed(later, false)
    log.changed(later, false)
    expect(sent.map(({ to, message }) => [to, message.records[0]?.number])).toEqual([[borrower, 8]])
  })

  it('[G6] a ref whose code is being checked is held until it can be told', () => {
    known = undefined
    log.expose(borrower, [object])
    expect(held).toEqual([])
    isUnchecked = true
    const later = { owner: self, number: 8 }
    log.expose(borrower, [later])
    expect(held.splice(0)).toEqual([`hold ${borrower} 8`])
    log.changed(later, false)
    // Asked again, and still unknown.
    expect(held.splice(0)).toEqual([`hold ${borrower} 8`])
    known = { ...KNOWN, record: { ...KNOWN.record, number: 8 } }
    log.changed(later, false)
    expect(held).toEqual([`told ${borrower} 8`])
    expect(sent.map(({ to }) => to)).toEqual([borrower])
  })

  it('[G6] a successor begins with all there is, once, and again under each new epoch', () => {
    log.expose(borrower, [object])
    sent.length = 0
    expect(pass()).toEqual([{ to: successor, numbers: [7], isSnapshot: true }])
    log.changed(object, false)
    expect(pass()).toEqual([{ to: successor, numbers: [7], isSnapshot: false }])
    log.drawn(self, [successor], false)
    expect(pass()).toEqual([])
    log.drawn(self, [successor], true)
    expect(pass()).toEqual([{ to: successor, numbers: [7], isSnapshot: true }])
  })
})

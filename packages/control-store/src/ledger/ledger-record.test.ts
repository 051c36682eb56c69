import { AssertionError } from '@shoal/base'
import { compareAttempts, newWireError } from '@shoal/protocol'
import type { LedgerRecord } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinRecords } from './ledger-record.ts'
import type { StoredRecord } from './ledger-record.ts'

const VALUE = { refs: [], body: new Uint8Array([1]), buffers: [] }

// Small ranges, so that ties are common. Of one attempt each kind says one thing, as in a room it does.
const body: fc.Arbitrary<LedgerRecord['body']> = fc.oneof(
  fc.record({
    type: fc.constant('task' as const),
    template: fc.constant(0),
    task: fc.constant(1),
    depth: fc.constant(0),
    streamId: fc.constant(0),
    retriesLeft: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(Number.POSITIVE_INFINITY)),
    dependencies: fc.constant([] as never[]),
    args: fc.constant(VALUE),
  }),
  fc.constant({ type: 'value' as const, value: VALUE }),
  fc.constant({ type: 'stored' as const, bytes: 9 }),
)
const stored: fc.Arbitrary<StoredRecord> = fc.record({
  record: fc.record({
    number: fc.constant(1),
    attempt: fc.record({ epoch: fc.integer({ min: 0, max: 2 }), number: fc.integer({ min: 0, max: 2 }) }),
    body,
  }),
  template: fc.constant(undefined),
})

describe('joinRecords', () => {
  it('[G4] is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(stored, stored, stored, (a, b, c) => {
        expect(joinRecords(a, b)).toEqual(joinRecords(b, a))
        expect(joinRecords(joinRecords(a, b), c)).toEqual(joinRecords(a, joinRecords(b, c)))
        expect(joinRecords(a, a)).toEqual(a)
      }),
      { seed: 1, numRuns: 2_000 },
    )
  })

  it('[G4] never lowers a record', () => {
    fc.assert(
      fc.property(stored, stored, (a, b) => {
        const { record } = joinRecords(a, b)
        expect(compareAttempts(record.attempt, a.record.attempt)).toBeGreaterThanOrEqual(0)
        const isSame = compareAttempts(record.attempt, a.record.attempt) === 0
        if (isSame && a.record.body.type !== 'task') expect(record.body.type).not.toBe('task')
        if (isSame && a.record.body.type === 'task' && record.body.type === 'task')
          expect(record.body.retriesLeft).toBeLessThanOrEqual(a.record.body.retriesLeft)
      }),
      { seed: 2, numRuns: 2_000 },
    )
  })

  it('[G4] has an error of an attempt behind its task and before its value, and one of the last behind all', () => {
    const said = (attempt: number, body: LedgerRecord['body']): StoredRecord => ({
      record: { number: 1, attempt: { epoch: 0, number: attempt }, body },
      template: undefined,
    })
    const error = newWireError('task-cancelled', 'f was cancelled')
    const task = fc.sample(
      body.filter(({ type }) => type === 'task'),
      1,
    )[0] as LedgerRecord['body']
    const cancelled = said(0, { type: 'failed', error })
    expect(joinRecords(said(0, task), cancelled)).toBe(cancelled)
    for (const outcome of [said(0, { type: 'value', value: VALUE }), said(0, { type: 'stored', bytes: 9 })]) {
      expect(joinRecords(cancelled, outcome)).toBe(outcome)
      const final = said(9, { type: 'failed', error })
      expect(joinRecords(final, outcome)).toBe(final)
    }
  })

  it('[G4] refuses records of two objects: a bug', () => {
    const one = {
      record: { number: 1, attempt: { epoch: 0, number: 0 }, body: { type: 'stored', bytes: 1 } },
      template: undefined,
    } as const
    expect(() => joinRecords(one, { ...one, record: { ...one.record, number: 2 } })).toThrow(AssertionError)
  })
})

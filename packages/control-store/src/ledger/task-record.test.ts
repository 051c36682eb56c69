import { AssertionError, seededRandom } from '@shoal/base'
import { compareAttempts, randomNodeId } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinTaskRecords, TASK_STATES } from './task-record.ts'
import type { TaskRecord } from './task-record.ts'

const task = { owner: randomNodeId(seededRandom(1)), number: 1 }
// Small ranges, so that ties are common.
const record: fc.Arbitrary<TaskRecord> = fc.record({
  task: fc.constant(task),
  attempt: fc.record({ epoch: fc.integer({ min: 0, max: 2 }), number: fc.integer({ min: 0, max: 2 }) }),
  retriesLeft: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(Number.POSITIVE_INFINITY)),
  state: fc.constantFrom(...TASK_STATES),
})

describe('joinTaskRecords', () => {
  it('[G4] is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(record, record, record, (a, b, c) => {
        expect(joinTaskRecords(a, b)).toEqual(joinTaskRecords(b, a))
        expect(joinTaskRecords(joinTaskRecords(a, b), c)).toEqual(joinTaskRecords(a, joinTaskRecords(b, c)))
        expect(joinTaskRecords(a, a)).toEqual(a)
      }),
      { seed: 1, numRuns: 2_000 },
    )
  })

  it('[G4] never lowers a record', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const joined = joinTaskRecords(a, b)
        expect(compareAttempts(joined.attempt, a.attempt)).toBeGreaterThanOrEqual(0)
        expect(joined.retriesLeft).toBeLessThanOrEqual(a.retriesLeft)
        if (a.state === 'cancelled') expect(joined.state).toBe('cancelled')
        // What was known is known to the join: joining it again changes nothing.
        expect(joinTaskRecords(joined, a)).toEqual(joined)
      }),
      { seed: 2, numRuns: 2_000 },
    )
  })

  it('[G4] a later attempt under way outranks an earlier one that ended', () => {
    const ended: TaskRecord = { task, attempt: { epoch: 0, number: 1 }, retriesLeft: 2, state: 'done' }
    const rerun: TaskRecord = { task, attempt: { epoch: 1, number: 0 }, retriesLeft: 3, state: 'submitted' }
    expect(joinTaskRecords(ended, rerun)).toEqual({ ...rerun, retriesLeft: 2 })
  })

  it('refuses records of two tasks: a bug', () => {
    const one: TaskRecord = { task, attempt: { epoch: 0, number: 0 }, retriesLeft: 0, state: 'waiting' }
    expect(() => joinTaskRecords(one, { ...one, task: { ...task, number: 2 } })).toThrow(AssertionError)
  })
})

import { seededRandom } from '@shoal/base'
import { newWireError, randomNodeId } from '@shoal/protocol'
import type { LedgerRecord, NodeId, ObjectId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { RecordStore } from './record-store.ts'
import { gatherReports, sourceOf } from './recovery.ts'

const random = seededRandom(2)
const [owner, a, b] = [randomNodeId(random), randomNodeId(random), randomNodeId(random)] as [NodeId, NodeId, NodeId]
const VALUE = { refs: [], body: new Uint8Array([1]), buffers: [] }
const FIRST = { epoch: 0, number: 0 }
const SECOND = { epoch: 0, number: 1 }
const TEMPLATE = {} as never

function task(number: number, needs: readonly number[] = []): LedgerRecord {
  const dependencies = needs.map((each, place) => ({ place, id: { owner, number: each } satisfies ObjectId }))
  const spec = { template: 0, task: number, depth: 0, streamId: 0, retriesLeft: 3 }
  const body = { type: 'task', ...spec, dependencies, args: VALUE } as const
  return { number, attempt: FIRST, body: { ...body, dependencies } }
}

function stored(record: LedgerRecord): { record: LedgerRecord; template: undefined } {
  return { record, template: undefined }
}

describe('sourceOf', () => {
  const reports = gatherReports(
    new Map([
      [
        a,
        [
          {
            copies: [{ number: 1, attempt: FIRST, bytes: 10 }],
            runs: [{ number: 2, attempt: SECOND }],
            actors: [{ number: 9, incarnation: FIRST }],
          },
        ],
      ],
      [
        b,
        [
          { copies: [{ number: 1, attempt: SECOND, bytes: 11 }], runs: [{ number: 2, attempt: FIRST }], actors: [] },
          { copies: [{ number: 3, attempt: FIRST, bytes: 12 }], runs: [], actors: [] },
        ],
      ],
    ]),
  )

  it('[G8] takes copies of the latest attempt that anybody has', () => {
    expect(sourceOf(1, undefined, reports)).toEqual({ kind: 'copies', attempt: SECOND, bytes: 11, holders: [b] })
    expect(sourceOf(3, stored(task(3)), reports)).toMatchObject({ kind: 'copies', holders: [b] })
    expect(reports.actors.get(9)).toEqual([{ node: a, incarnation: FIRST }])
  })

  it('[G8] takes an outcome in a record that is as late', () => {
    const value = { number: 1, attempt: SECOND, body: { type: 'value', value: VALUE } } as const
    expect(sourceOf(1, stored(value), reports)).toMatchObject({ kind: 'record' })
    expect(sourceOf(1, stored({ ...value, attempt: FIRST }), reports)).toMatchObject({ kind: 'copies' })
  })

  it('[G8] takes a copy before the error of its attempt: that was said of a task being cancelled, before it ended', () => {
    const failed = { type: 'failed', error: newWireError('task-cancelled', 'f was cancelled') } as const
    expect(sourceOf(1, stored({ number: 1, attempt: SECOND, body: failed }), reports)).toMatchObject({ kind: 'copies' })
    const last = { epoch: 0, number: 2 }
    expect(sourceOf(1, stored({ number: 1, attempt: last, body: failed }), reports)).toMatchObject({ kind: 'record' })
    expect(sourceOf(2, stored({ number: 2, attempt: FIRST, body: failed }), reports)).toMatchObject({ kind: 'record' })
  })

  it('[G8] waits for a run under way, the latest, before it runs a task again; without a record, too', () => {
    expect(sourceOf(2, stored(task(2)), reports)).toEqual({ kind: 'run', run: { node: a, attempt: SECOND } })
    expect(sourceOf(2, undefined, reports)).toMatchObject({ kind: 'run' })
    expect(sourceOf(4, stored(task(4)), reports)).toEqual({ kind: 'task' })
    expect(sourceOf(4, undefined, reports)).toEqual({ kind: 'lost' })
    const elsewhere = { number: 5, attempt: FIRST, body: { type: 'stored', bytes: 3 } } as const
    expect(sourceOf(5, stored(elsewhere), reports)).toEqual({ kind: 'lost' })
  })
})

describe('RecordStore', () => {
  const said = (records: LedgerRecord[], forgotten: number[] = []) => ({
    owner,
    number: 1,
    templates: [TEMPLATE],
    records,
    forgotten,
    isSnapshot: false,
  })

  it('[G9] drops what nothing that is needed leads to, and keeps what it leads to', () => {
    const store = new RecordStore()
    store.take(said([task(1), task(2, [1]), task(3, [2]), task(4)]))
    store.sweep(owner, (number) => number === 3, false)
    expect(store.count).toBe(4)
    store.sweep(owner, (number) => number === 3, true)
    expect([...store.of(owner).keys()]).toEqual([1, 2, 3])
    store.sweep(owner, () => false, true)
    expect(store.owners()).toEqual([])
  })

  it('[G9] sweeps unasked when there is much', () => {
    const store = new RecordStore()
    store.take(said(Array.from({ length: 300 }, (_, number) => task(number + 1))))
    store.sweep(owner, (number) => number <= 10, false)
    expect(store.count).toBe(10)
  })

  it('[G4] joins what comes twice, forgets what is told to be gone, and takes no task without its template', () => {
    const store = new RecordStore()
    store.take(said([{ number: 1, attempt: SECOND, body: { type: 'value', value: VALUE } }, task(2)]))
    store.take(said([task(1)], [2]))
    expect(store.get(owner, 1)?.record.body.type).toBe('value')
    expect(store.get(owner, 2)).toBeUndefined()
    store.take({ ...said([task(7)]), templates: [] })
    expect(store.get(owner, 7)).toBeUndefined()
  })

  it('[R3] takes no more than it has room for, says so, and has room again for what is let go', () => {
    const store = new RecordStore({ mostBytes: 1_000 })
    expect(store.take(said([task(1), task(2)]))).toBe(true)
    const { bytes } = store
    expect(bytes).toBeGreaterThan(0)
    expect(store.take(said(Array.from({ length: 50 }, (_, at) => task(at + 10))))).toBe(false)
    expect(store.bytes).toBeLessThanOrEqual(1_000)
    expect(store.get(owner, 1)).toBeDefined()
    store.sweep(owner, (number) => number <= 2, true)
    expect(store.bytes).toBe(bytes)
    store.take(said([], [1]))
    expect(store.bytes).toBe(bytes / 2)
    store.drop(owner)
    expect(store.bytes).toBe(0)
  })

  it('[G9] what was told before a snapshot, and is not in it, was told no more', () => {
    const store = new RecordStore()
    store.take(said([task(1), task(2)]), true)
    store.take({ ...said([task(2)]), isSnapshot: true }, true)
    store.take(said([task(3)]), true)
    expect([1, 2, 3].map((number) => store.isTold(owner, number))).toEqual([false, true, true])
    // Nobody but whoever answers for a ledger can say what all of it is.
    store.take({ ...said([task(4)]), isSnapshot: true }, false)
    expect([2, 3, 4].map((number) => store.isTold(owner, number))).toEqual([true, true, false])
  })
})

import type { TaskEventBatch } from '@shoal/sdk'
import { describe, expect, it } from 'vitest'
import { RunStore } from './run-store.ts'
import { layOut } from './stream-layout.ts'

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)] as const

type Run = readonly [worker: number, startMs: number, endMs: number, outcome?: number, name?: string]

function batch(nodeId: string, runs: readonly Run[], more: Partial<TaskEventBatch> = {}): TaskEventBatch {
  const names = [...new Set(runs.map(([, , , , name = 'f']) => name))]
  const of = (value: (run: Run, at: number) => number): Float64Array => Float64Array.from(runs, value)
  const zero = of(() => 0)
  return {
    nodeId,
    nowMs: 1_000,
    clockErrorMs: 0,
    watchedSinceMs: 0,
    next: { runs: 0, ends: 0 },
    dropped: { runs: 0, ends: 0 },
    left: { runs: 0, ends: 0 },
    names,
    owners: [A],
    ends: [],
    ...more,
    runs: {
      length: runs.length,
      name: Uint16Array.from(runs, ([, , , , name = 'f']) => names.indexOf(name)),
      owner: Uint16Array.from(zero),
      number: of((_, at) => at + 1),
      epoch: zero,
      attempt: zero,
      worker: of(([worker]) => worker),
      type: Uint8Array.from(zero),
      outcome: Uint8Array.from(runs, ([, , , outcome = 1]) => outcome),
      waited: Uint8Array.from(zero),
      startMs: of(([, startMs]) => startMs),
      endMs: of(([, , endMs]) => endMs),
      blockedMs: zero,
      queuedMs: zero,
      fetchedMs: zero,
    },
  }
}

const ids = (store: RunStore): string[] =>
  Array.from({ length: store.next - store.first }, (_, n) => store.idOf(store.first + n))

describe('runs of a room', () => {
  it('have a row a worker of a tab, and the names of all batches are one list', () => {
    const store = new RunStore()
    store.add(batch(A, [[1, 0, 10], [2, 0, 20, 1, 'g']])) // prettier-ignore
    store.add(batch(B, [[1, 5, 15, 2, 'g']]))
    expect(store.lanes.map(({ nodeId, worker }) => [nodeId, worker])).toEqual([
      [A, 1],
      [A, 2],
      [B, 1],
    ])
    expect(store.names).toEqual(['f', 'g'])
    expect(store.detail(2)).toMatchObject({ name: 'g', outcome: 'failed', startMs: 5, endMs: 15, taskId: `${A}/1` })
    expect(store.detail(3)).toBeUndefined()
  })

  it('that still run are beside the others, and come again when they end', () => {
    const store = new RunStore()
    store.add(batch(A, [[1, 500, Number.NaN, 0]]))
    expect([store.next, store.open.get(A)?.length]).toEqual([0, 1])
    store.add(batch(A, [[1, 500, 900]]))
    expect([store.next, store.open.get(A)?.length]).toEqual([1, 0])
    store.add(batch(A, [[1, 950, Number.NaN, 0]]))
    store.gone(A)
    expect(store.open.size).toBe(0)
  })

  it('grow to their bound, then the oldest make room; numbers go on', () => {
    const store = new RunStore(40_000)
    const many = Array.from({ length: 25_000 }, (_, n): Run => [1, n, n + 1])
    store.add(batch(A, many))
    expect([store.first, store.next]).toEqual([0, 25_000])
    // What was there before it grew is there still.
    expect([store.startOf(3), store.startOf(24_999)]).toEqual([3, 24_999])
    store.add(batch(A, many))
    expect([store.first, store.next]).toEqual([10_000, 50_000])
    expect([store.startOf(10_000), store.startOf(49_999)]).toEqual([10_000, 24_999])
    expect(store.detail(9_999)).toBeUndefined()
    expect(ids(store).length).toBe(40_000)
  })

  it('from before a tab was first asked are counted apart from those that were overwritten later', () => {
    const store = new RunStore()
    store.add(batch(A, [], { dropped: { runs: 7, ends: 0 } }))
    store.add(batch(A, [], { dropped: { runs: 5, ends: 0 } }))
    store.add(batch(B, [], { dropped: { runs: 2, ends: 0 } }))
    expect([store.unseen, store.dropped]).toEqual([9, 5])
  })

  it('are found by worker and time, and the next one of the same worker', () => {
    const store = new RunStore()
    store.add(batch(A, [[1, 0, 10], [2, 0, 10], [1, 20, 30]])) // prettier-ignore
    expect(store.find(0, 5, 1)).toBe(0)
    expect(store.find(0, 18, 3)).toBe(2)
    expect(store.find(0, 15, 3)).toBeUndefined()
    expect([store.beside(0, 1), store.beside(2, -1), store.beside(2, 1)]).toEqual([2, 0, undefined])
  })
})

describe('rows of the stream', () => {
  it('are those of workers that ran something lately, by tab, and the others are counted', () => {
    const store = new RunStore()
    store.add(batch(A, [[2, 0, 900], [1, 0, 100]])) // prettier-ignore
    store.add(batch(B, [[1, 0, 950]]))
    const { rows, bands, hidden, yOf, height } = layOut(store, 500, 100)
    expect(rows.map(({ lane }) => [lane.nodeId, lane.worker])).toEqual([
      [A, 2],
      [B, 1],
    ])
    expect(bands.map(({ nodeId }) => nodeId)).toEqual([A, B])
    expect([hidden, yOf[1], height]).toEqual([1, -1, 46])
  })

  it('are never thinner than can be seen, however many there are', () => {
    const store = new RunStore()
    store.add(
      batch(
        A,
        Array.from({ length: 500 }, (_, n): Run => [n, 0, 900]),
      ),
    )
    expect(layOut(store, 0, 300)).toMatchObject({ rowHeight: 3, height: 1_503, hidden: 0 })
  })
})

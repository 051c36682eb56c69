import { expect, it } from 'vitest'
import type { BarReport } from './bar-report.ts'
import { ProgressList } from './progress-list.ts'
import type { Progress } from './progress-list.ts'
import { printer, progressLine } from './show-progress.ts'

const BAR: Progress = {
  id: 'a',
  description: 'epochs',
  total: 100,
  count: 45,
  elapsedMs: 12_000,
  state: 'running',
  taskId: 't',
  taskName: 'train',
  attempt: 0,
  actorId: undefined,
  nodeId: 'n',
  workerId: 1,
}

it('[U38] a line tells how far it is, for how long, and how fast', () => {
  expect(progressLine(BAR)).toBe('epochs: 45% |#########           | 45 of 100, 0:12 < 0:15, 3.75/s')
  expect(progressLine({ ...BAR, total: undefined, count: 7 })).toBe('epochs: 7, 0:12, 0.583/s')
  expect(progressLine({ ...BAR, description: '', count: 100, state: 'closed' })).toBe(
    '100% |####################| 100 of 100, 0:12, 8.33/s',
  )
  expect(progressLine({ ...BAR, count: 1234, total: 1000, elapsedMs: 3_723_000, state: 'lost' })).toBe(
    'epochs: 100% |####################| 1234 of 1000, 1:02:03, 0.331/s, lost',
  )
  expect(progressLine({ ...BAR, count: 0, elapsedMs: 0 })).toBe('epochs: 0% |                    | 0 of 100, 0:00, 0/s')
})

it('[U38] a bar has a line in the console every five seconds while it counts, and one when it is over', () => {
  const lines: string[] = []
  let nowMs = 0
  const show = printer(
    (line) => lines.push(line),
    () => nowMs,
  )
  const at = (ms: number, bar: Progress): number => {
    nowMs = ms
    show([bar])
    return lines.length
  }
  expect([at(0, BAR), at(4_999, { ...BAR, count: 50 })]).toEqual([0, 0])
  const halfway = { ...BAR, count: 60 }
  expect([at(5_000, halfway), at(5_100, { ...BAR, count: 61 }), at(20_000, halfway)]).toEqual([1, 1, 1])
  expect([at(20_100, { ...BAR, state: 'lost' }), at(30_000, { ...BAR, state: 'lost' })]).toEqual([2, 2])
  const done = { ...BAR, id: 'b', state: 'closed' as const }
  expect([at(30_001, done), at(40_000, done)]).toEqual([3, 3])
})

const { state: _, ...SAID } = BAR
const report = (fields: Partial<BarReport>): BarReport => ({ ...SAID, order: 1, isClosed: false, ...fields })
const statesOf = (list: ProgressList): unknown[] =>
  list.all().map(({ id, attempt, count, state }) => [id, attempt, count, state])

it('[U34] of several attempts the latest counts, and of its reports the newest', () => {
  const list = new ProgressList()
  list.add([report({ order: 2 }), report({ id: 'b', count: 1 }), report({ order: 1, count: 3 })])
  expect(statesOf(list)).toEqual([
    ['a', 0, 45, 'running'],
    ['b', 0, 1, 'running'],
  ])
  // The first bar of another attempt takes the place of its forerunner; the other is left as it was.
  expect([...list.add([report({ attempt: 1, count: 2 }), report({ order: 9, count: 99 })])]).toEqual(['a'])
  list.add([report({ id: 'c', attempt: 1, count: 5 })])
  expect(statesOf(list)).toEqual([
    ['a', 1, 2, 'running'],
    ['b', 0, 1, 'lost'],
    ['c', 1, 5, 'running'],
  ])
  expect(list.add([report({ id: 'd' }), report({ id: 'c', attempt: 0, order: 99 })]).size).toBe(0)
  // What was taken for lost and reports again is there again; what is closed stays so.
  expect([list.lost('c'), list.lost('c')]).toEqual([true, false])
  list.add([report({ id: 'c', attempt: 1, order: 2, isClosed: true })])
  expect(list.add([report({ id: 'c', attempt: 1, order: 3 })]).size).toBe(0)
  expect(list.lost('c')).toBe(false)
  expect(list.get('c')?.state).toBe('closed')
})

it('[U39] a page keeps a hundred bars that are over and a thousand in all', () => {
  const list = new ProgressList()
  list.add(Array.from({ length: 300 }, (_, n) => report({ id: `over ${n}`, taskId: `${n}`, isClosed: true })))
  expect(list.all().map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => `over ${n + 200}`))
  list.add(Array.from({ length: 2_000 }, (_, n) => report({ id: `open ${n}`, taskId: `${n}` })))
  expect(list.all()).toHaveLength(1_000)
  expect(list.all().every(({ state }) => state === 'running')).toBe(true)
})

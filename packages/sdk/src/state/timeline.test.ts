import type { NodeState, TaskState } from '@shoal/core-worker'
import { describe, expect, it } from 'vitest'
import { toTimeline } from './timeline.ts'
import type { Timeline, TraceEvent } from './timeline.ts'

const A = 'a'.repeat(32) as NodeState['nodeId']
const B = 'b'.repeat(32) as NodeState['nodeId']
const NODES = [
  { nodeId: A, name: 'Chromium on Linux' },
  { nodeId: B, name: 'a phone' },
]
let lastId = 0

function task(fields: Partial<TaskState>): TaskState {
  return {
    taskId: `${A}/${++lastId}`,
    name: 'f',
    state: 'FINISHED',
    type: 'NORMAL_TASK',
    jobId: `${A}/1`,
    ownerId: A,
    nodeId: A,
    workerId: undefined,
    attempt: 0,
    epoch: 0,
    parentTaskId: undefined,
    actorId: undefined,
    requiredResources: { CPU: 1 },
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: 1_000,
    startTimeMs: 1_000,
    endTimeMs: 1_010,
    pendingReason: undefined,
    dependencies: [],
    ...fields,
  }
}

const of = (rows: readonly TaskState[], nowMs = 2_000): Timeline => toTimeline({ rows, warnings: ['w'] }, NODES, nowMs)
const runs = ({ traceEvents }: Timeline): TraceEvent[] => traceEvents.filter(({ ph }) => ph === 'X')

/** What the format asks for, and Perfetto complains about. */
function check(timeline: Timeline): void {
  const { traceEvents } = JSON.parse(JSON.stringify(timeline)) as Timeline
  const open = new Map<string, number>()
  const named = new Set<string>()
  const slices = new Map<string, TraceEvent[]>()
  for (const event of traceEvents) {
    const { ph, ts, dur, pid, tid, id, name, args } = event
    for (const number of [ts, pid, tid]) expect(Number.isSafeInteger(number) && number >= 0).toBe(true)
    expect(typeof args).toBe('object')
    const row = `${pid} ${tid}`
    if (ph === 'M') {
      expect(['process_name', 'thread_name']).toContain(name)
      if (name === 'thread_name') named.add(row)
      continue
    }
    expect(named.has(row)).toBe(true)
    const wait = `${event.cat} ${id} ${name}`
    if (ph === 'b') open.set(wait, ts)
    else if (ph === 'e') {
      expect(ts).toBeGreaterThanOrEqual(open.get(wait) ?? Infinity)
      open.delete(wait)
    } else {
      expect(Number.isSafeInteger(dur) && (dur as number) >= 0).toBe(true)
      slices.set(row, [...(slices.get(row) ?? []), event])
    }
  }
  expect(open.size).toBe(0)
  for (const row of slices.values()) {
    const sorted = row.sort((a, b) => a.ts - b.ts)
    // Two that overlap in part would be drawn wrongly.
    sorted.slice(1).forEach((event, at) => {
      const before = sorted[at] as TraceEvent
      expect(event.ts).toBeGreaterThanOrEqual(before.ts + (before.dur ?? 0))
    })
  }
}

describe('a timeline', () => {
  it('[SQ6] has a process a tab, and a row for each of the runs that were there at a time', () => {
    const timeline = of([
      task({ startTimeMs: 1_000, endTimeMs: 1_100 }),
      task({ startTimeMs: 1_050, endTimeMs: 1_150 }),
      task({ startTimeMs: 1_100, endTimeMs: 1_200 }),
      task({ startTimeMs: 1_050, endTimeMs: 1_060, nodeId: B }),
    ])
    check(timeline)
    expect(runs(timeline).map(({ pid, tid, ts, dur }) => [pid, tid, ts, dur])).toEqual([
      [1, 1, 0, 100_000],
      [1, 2, 50_000, 100_000],
      [2, 1, 50_000, 10_000],
      [1, 1, 100_000, 100_000],
    ])
    const names = timeline.traceEvents.flatMap(({ ph, args }) => (ph === 'M' ? [args['name']] : []))
    expect(names).toEqual([
      'Chromium on Linux (aaaaaaaa)',
      'waiting',
      'a phone (bbbbbbbb)',
      'waiting',
      'tasks',
      'tasks 2',
      'tasks',
    ])
    expect(timeline.otherData).toEqual({ startedAtMs: 1_000, warnings: ['w'] })
  })

  it('[SQ6] says how long each waited in its owner, and why what still does', () => {
    const timeline = of([
      task({ creationTimeMs: 1_000, startTimeMs: 1_400, endTimeMs: 1_500, nodeId: B }),
      task({
        state: 'PENDING_NODE_ASSIGNMENT',
        nodeId: undefined,
        startTimeMs: undefined,
        endTimeMs: undefined,
        pendingReason: 'needs 1 GPU and no node has one',
      }),
    ])
    check(timeline)
    const waits = timeline.traceEvents.filter(({ cat }) => cat === 'waiting')
    expect(waits.map(({ ph, ts, pid, args }) => [ph, ts, pid, args['pendingReason']])).toEqual([
      ['b', 0, 1, undefined],
      ['e', 400_000, 1, undefined],
      ['b', 0, 1, 'needs 1 GPU and no node has one'],
      ['e', 1_000_000, 1, undefined],
    ])
    expect(runs(timeline)).toHaveLength(1)
  })

  it('[SQ6] has rows of their own for each actor, what still runs, and what failed', () => {
    const actorId = `${A}/77`
    const timeline = of([
      task({ name: 'Counter.add', type: 'ACTOR_TASK', actorId, endTimeMs: 1_030 }),
      task({
        name: 'Counter.add',
        type: 'ACTOR_TASK',
        actorId,
        startTimeMs: 1_010,
        endTimeMs: undefined,
        state: 'RUNNING',
      }),
      task({ state: 'FAILED', errorType: 'task-failed', errorMessage: 'no' }),
    ])
    check(timeline)
    expect(runs(timeline).map(({ name, tid, dur, args }) => [name, tid, dur, args['errorType']])).toEqual([
      ['Counter.add', 1, 30_000, undefined],
      ['f', 2, 10_000, 'task-failed'],
      ['Counter.add', 3, 990_000, undefined],
    ])
  })

  it('[SQ6] stands clocks that differ: nothing ends before it began', () => {
    const timeline = of([task({ creationTimeMs: 5_000, startTimeMs: 4_000, endTimeMs: 3_000 })])
    check(timeline)
    expect(runs(timeline)[0]?.dur).toBe(0)
  })

  it('[SQ6] of nothing has its tabs', () => {
    const timeline = of([])
    check(timeline)
    expect(timeline.traceEvents).toHaveLength(4)
  })
})

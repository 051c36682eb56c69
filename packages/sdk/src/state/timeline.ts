import type { NodeState, StateResult, TaskState } from '@shoal/core-worker'

/**
 * One event of the Trace Event Format (Google, 2016), which Perfetto and chrome://tracing open. Times in microseconds since
 * the first task of the timeline was made. X: a run; b and e: the begin and end of a wait; M: the name of a row.
 */
export interface TraceEvent {
  readonly name: string
  readonly cat: string
  readonly ph: 'X' | 'b' | 'e' | 'M'
  readonly ts: number
  /** Of X. */
  readonly dur?: number
  /** The tab, from 1 on. */
  readonly pid: number
  /** A row of the tab: a slot, or a call at a time of an actor. 0: tasks that wait there. */
  readonly tid: number
  /** Of b and e: the same for both. */
  readonly id?: string
  readonly args: Readonly<Record<string, unknown>>
}

/** `JSON.stringify` of it is a file for ui.perfetto.dev. */
export interface Timeline {
  readonly traceEvents: readonly TraceEvent[]
  readonly displayTimeUnit: 'ms'
  readonly otherData: {
    /** What `ts: 0` is, in milliseconds since 1970. */
    readonly startedAtMs: number
    /** What is not in it, and why. */
    readonly warnings: readonly string[]
  }
}

interface Row {
  readonly tid: number
  endMs: number
}

const WAITING_ROW = 0

/**
 * Puts the runs of each tab into rows, none over another: the first row that is free then. Times are those of each task's
 * owner, so that a run seems longer by the way there and back.
 */
export function toTimeline(
  { rows: tasks, warnings }: Pick<StateResult<TaskState>, 'rows' | 'warnings'>,
  nodes: readonly Pick<NodeState, 'nodeId' | 'name'>[],
  nowMs: number,
): Timeline {
  // Clocks differ, and one run may be said to begin before it was made.
  const times = tasks.map(({ creationTimeMs, startTimeMs }) => Math.min(creationTimeMs, startTimeMs ?? Infinity))
  const startedAtMs = times.reduce((least, time) => Math.min(least, time), nowMs)
  const micros = (ms: number): number => Math.round((ms - startedAtMs) * 1000)
  const events: TraceEvent[] = []
  const pids = new Map<string, number>()
  const rowsOf = new Map<string, Row[]>()
  const rowCounts = new Map<number, number>()

  const name = (pid: number, tid: number, kind: 'process_name' | 'thread_name', text: string): void =>
    void events.push({ name: kind, cat: '__metadata', ph: 'M', ts: 0, pid, tid, args: { name: text } })

  function pidOf(nodeId: string): number {
    let pid = pids.get(nodeId)
    if (pid === undefined) {
      pids.set(nodeId, (pid = pids.size + 1))
      const known = nodes.find((node) => node.nodeId === nodeId)
      name(pid, WAITING_ROW, 'process_name', `${known?.name ?? 'a tab that is gone'} (${nodeId.slice(0, 8)})`)
      name(pid, WAITING_ROW, 'thread_name', 'waiting')
    }
    return pid
  }

  function rowOf(pid: number, group: string, title: string, startMs: number, endMs: number): number {
    const key = `${pid} ${group}`
    const rows = rowsOf.get(key) ?? []
    rowsOf.set(key, rows)
    let row = rows.find((each) => each.endMs <= startMs)
    if (row === undefined) {
      const tid = (rowCounts.get(pid) ?? WAITING_ROW) + 1
      rowCounts.set(pid, tid)
      rows.push((row = { tid, endMs }))
      name(pid, tid, 'thread_name', rows.length === 1 ? title : `${title} ${rows.length}`)
    }
    row.endMs = endMs
    return row.tid
  }

  for (const { nodeId } of nodes) pidOf(nodeId)
  for (const task of [...tasks].sort((a, b) => (a.startTimeMs ?? Infinity) - (b.startTimeMs ?? Infinity))) {
    const { taskId, type, ownerId, nodeId, actorId, creationTimeMs, startTimeMs, endTimeMs, pendingReason } = task
    const args = argsOf(task)
    const cat = type.toLowerCase()
    const waitEndMs = Math.max(creationTimeMs, startTimeMs ?? endTimeMs ?? nowMs)
    const wait = {
      name: task.name,
      cat: 'waiting',
      pid: pidOf(ownerId),
      tid: WAITING_ROW,
      id: `${taskId} ${args.attempt}`,
    }
    events.push({ ...wait, ph: 'b', ts: micros(creationTimeMs), args: { ...args, pendingReason } })
    events.push({ ...wait, ph: 'e', ts: micros(waitEndMs), args: {} })
    if (startTimeMs === undefined || nodeId === undefined) continue
    const pid = pidOf(nodeId)
    const endMs = Math.max(startTimeMs, endTimeMs ?? nowMs)
    const title = actorId === undefined ? 'tasks' : `${task.name.split('.')[0]} ${actorId.slice(-6)}`
    const tid = rowOf(pid, actorId ?? '', title, startTimeMs, endMs)
    const ts = micros(startTimeMs)
    events.push({ name: task.name, cat, ph: 'X', ts, dur: micros(endMs) - ts, pid, tid, args })
  }
  return { traceEvents: events, displayTimeUnit: 'ms', otherData: { startedAtMs, warnings: [...warnings] } }
}

function argsOf(task: TaskState): Record<string, unknown> & { readonly attempt: string } {
  const { taskId, state, ownerId, jobId, parentTaskId, epoch, attempt, errorType, errorMessage, requiredResources } =
    task
  return {
    taskId,
    state,
    attempt: `${epoch}.${attempt}`,
    ownerId,
    jobId,
    parentTaskId,
    requiredResources,
    errorType,
    errorMessage,
  }
}

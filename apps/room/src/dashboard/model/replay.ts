// Long because a room's every answer is made up here, so that the dashboard is measured on all that it shows.
import type {
  ActorState,
  EndedAttempt,
  NodeState,
  ObjectState,
  StateResult,
  TaskEventBatch,
  TaskState,
  TaskSummary,
} from '@shoal/sdk'
import type { DashboardSource } from './dashboard-model.ts'

export interface ReplayOptions {
  readonly tabs: number
  readonly perSecond: number
  /** Milliseconds since 1970. */
  now(): number
}

const WORKERS = 4
const FUNCTIONS = ['rollout', 'gradient', 'evaluate', 'tile', 'decode', 'merge', 'Server.infer', 'Buffer.add'] as const
const FIRST_CALL = 6
/** An answer tells of what ended since the last one, and of no more than this. */
const MOST_MS = 2_000
const ENDS = 4

/**
 * A made-up room that answers like a session: each worker runs one task after the other, of eight functions, so that the room
 * ends `perSecond` of them. The same tasks each time; when they ran is by the clock.
 */
export function createReplay({ tabs, perSecond, now }: ReplayOptions): DashboardSource {
  const random = mulberry32(7)
  const nodeIds = Array.from({ length: tabs }, (_, n) => (n + 1).toString(16).padStart(4, '0').repeat(8))
  const meanMs = (tabs * WORKERS * 1000) / perSecond
  const startedMs = now()
  const workers = nodeIds.map((nodeId, node) =>
    Array.from({ length: WORKERS }, (_, worker) => ({ nodeId, node, worker: worker + 1, freeAtMs: startedMs })),
  )
  const counts = FUNCTIONS.map(() => ({ finished: 0, failed: 0 }))
  const ended = nodeIds.map(() => 0)
  let number = 0
  let lastMs = startedMs
  const recent: string[] = []
  let made = 0

  function runsOf(node: number, untilMs: number): TaskEventBatch['runs'] {
    const rows: number[][] = []
    const open: number[][] = []
    for (const lane of workers[node] ?? []) {
      lane.freeAtMs = Math.max(lane.freeAtMs, untilMs - MOST_MS)
      for (;;) {
        const isActor = node % 5 === 0 && lane.worker === WORKERS
        const name = isActor ? FIRST_CALL + (node % 2) : Math.floor(random() ** 1.6 * FIRST_CALL)
        const fetched = random() < 0.08 ? random() * meanMs * 0.5 : 0
        const ran = -Math.log(1 - random() * 0.999) * meanMs * 0.9
        const idle = random() * meanMs * 0.2
        const startMs = lane.freeAtMs + idle
        const endMs = startMs + ran
        const hasFailed = random() < 0.004
        const row = [name, 0, ++number, 0, random() < 0.002 ? 1 : 0, lane.worker, isActor ? 2 : 0]
        row.push(endMs > untilMs ? 0 : hasFailed ? 2 : 1, fetched === 0 ? 0 : random() < 0.2 ? 2 : 1)
        row.push(startMs, endMs, random() < 0.1 ? ran * 0.6 : 0, idle * 0.5, fetched)
        if (endMs > untilMs) {
          number--
          if (startMs < untilMs) open.push(row)
          break
        }
        rows.push(row)
        lane.freeAtMs = endMs
        const count = counts[name]
        if (count !== undefined) count[hasFailed ? 'failed' : 'finished']++
      }
    }
    ended[node] = (ended[node] ?? 0) + rows.length
    return toColumns([...rows.sort((a, b) => (a[10] ?? 0) - (b[10] ?? 0)), ...open])
  }

  function endsNow(untilMs: number): EndedAttempt[] {
    const owner = nodeIds[0] ?? ''
    return Array.from({ length: ENDS }, (_, n) => {
      const taskId = `${owner}/${1e9 + made++}`
      const taken = recent.length === 0 || random() < 0.3 ? [] : [recent[Math.floor(random() * recent.length)] ?? '']
      const isCall = made % 9 === 3
      const hasFailed = random() < 0.05
      const name = FUNCTIONS[isCall ? FIRST_CALL : n % FIRST_CALL] ?? ''
      recent.push(taskId)
      if (recent.length > 40) recent.splice(0, 1)
      return {
        taskId,
        name,
        type: isCall ? 'ACTOR_TASK' : 'NORMAL_TASK',
        epoch: 0,
        attempt: 0,
        numReturns: 1,
        nodeId: nodeIds[n % tabs],
        endTimeMs: untilMs,
        parentTaskId: made % 6 === 0 ? recent.at(-5) : undefined,
        actorId: isCall ? `${owner}/77` : undefined,
        dependencies: isCall ? [] : taken,
        moreDependencies: 0,
        errorType: hasFailed ? 'task-failed' : undefined,
        errorMessage: hasFailed ? 'RangeError: the replay made this up' : undefined,
      }
    })
  }

  return {
    listTaskEvents() {
      const untilMs = now()
      lastMs = untilMs
      const batches = nodeIds.map((nodeId, node): TaskEventBatch => {
        const runs = runsOf(node, untilMs)
        return {
          nodeId,
          nowMs: untilMs,
          clockErrorMs: node === 0 ? 0 : 1.5,
          watchedSinceMs: startedMs,
          next: { runs: ended[node] ?? 0, ends: 0 },
          dropped: { runs: 0, ends: 0 },
          left: { runs: 0, ends: 0 },
          names: FUNCTIONS,
          owners: [nodeIds[0] ?? ''],
          runs,
          ends: node === 0 ? endsNow(untilMs) : [],
        }
      })
      return Promise.resolve({ cursor: {}, batches, gone: [], missing: [], warnings: [] })
    },
    listTasks: ({ filters = [] } = {}) =>
      Promise.resolve(filters.length === 2 ? all(pendingRows(nodeIds, lastMs), 4_200) : all<TaskState>([])),
    summarizeTasks: () => Promise.resolve(all(summaryRows(counts, tabs * WORKERS))),
    listNodes: () => Promise.resolve(all(nodeIds.map((nodeId, node) => nodeRow(nodeIds, nodeId, node)))),
    listActors: () =>
      Promise.resolve(all(nodeIds.filter((_, n) => n % 5 === 0).map((nodeId, n) => actorRow(nodeId, n)))),
    listObjects: () => Promise.resolve(all<ObjectState>([])),
    getTaskState: () => Promise.resolve(undefined),
  }
}

function toColumns(rows: readonly (readonly number[])[]): TaskEventBatch['runs'] {
  const of = (column: number): Float64Array => Float64Array.from(rows, (row) => row[column] ?? 0)
  return {
    length: rows.length,
    name: Uint16Array.from(of(0)),
    owner: Uint16Array.from(of(1)),
    number: of(2),
    epoch: of(3),
    attempt: of(4),
    worker: of(5),
    type: Uint8Array.from(of(6)),
    outcome: Uint8Array.from(of(7)),
    waited: Uint8Array.from(of(8)),
    startMs: of(9),
    endMs: of(10),
    blockedMs: of(11),
    queuedMs: of(12),
    fetchedMs: of(13),
  }
}

function summaryRows(counts: readonly { finished: number; failed: number }[], running: number): TaskSummary[] {
  return FUNCTIONS.map((name, n) => {
    const { finished = 0, failed = 0 } = counts[n] ?? {}
    const type = n >= FIRST_CALL ? 'ACTOR_TASK' : 'NORMAL_TASK'
    const RUNNING = Math.round(running / FUNCTIONS.length)
    return { name, type, stateCounts: { PENDING_NODE_ASSIGNMENT: 400, RUNNING, FINISHED: finished, FAILED: failed } }
  })
}

function pendingRows(nodeIds: readonly string[], nowMs: number): TaskState[] {
  return Array.from({ length: 300 }, (_, n) => ({
    taskId: `${nodeIds[0] ?? ''}/${5e8 + n}`,
    name: FUNCTIONS[n % FIRST_CALL] ?? '',
    state: 'PENDING_NODE_ASSIGNMENT',
    pendingReason: 'queued: all 4 slots of tab 0001 run, and the others gave no credits',
    type: 'NORMAL_TASK',
    jobId: `${nodeIds[0] ?? ''}-1`,
    ownerId: (nodeIds[0] ?? '') as TaskState['ownerId'],
    nodeId: undefined,
    workerId: undefined,
    attempt: 0,
    epoch: 0,
    parentTaskId: undefined,
    actorId: undefined,
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: nowMs - 4_000 + n,
    startTimeMs: undefined,
    endTimeMs: undefined,
    dependencies: [],
    requiredResources: { CPU: 1 },
  }))
}

function nodeRow(nodeIds: readonly string[], nodeId: string, node: number): NodeState {
  const limitBytes = 256e6
  const wave = 0.5 + 0.45 * Math.sin(node * 1.7)
  return {
    nodeId: nodeId as NodeState['nodeId'],
    name: `tab ${node + 1}`,
    state: 'ALIVE',
    isSelf: node === 0,
    resources: { CPU: WORKERS },
    used: { CPU: WORKERS },
    labels: {},
    roundTripMs: node === 0 ? undefined : 3 + node,
    ledgers: [],
    objectStore: {
      objects: 40 + node,
      bytes: Math.round(limitBytes * wave * 1.1),
      spilledBytes: node % 4 === 0 ? Math.round(limitBytes * wave * 0.3) : 0,
      limitBytes,
    },
    links: nodeIds.flatMap((other, n) =>
      n === node || (n - node + nodeIds.length) % 5 > 1
        ? []
        : [
            {
              nodeId: other as NodeState['nodeId'],
              way: n % 9 === 0 ? ('relay' as const) : ('direct' as const),
              roundTripMs: 4 + ((n * 7) % 40),
              bytesSent: n * 1e6,
              bytesReceived: node * 1e6,
            },
          ],
    ),
  }
}

function actorRow(nodeId: string, n: number): ActorState {
  return {
    actorId: `${nodeId}/77`,
    className: n % 2 === 0 ? 'Server' : 'Buffer',
    state: n === 3 ? 'RESTARTING' : 'ALIVE',
    pendingReason: n === 3 ? 'its tab is gone; queued' : undefined,
    name: n === 0 ? 'parameters' : undefined,
    jobId: `${nodeId}-1`,
    ownerId: nodeId as ActorState['ownerId'],
    nodeId: nodeId as ActorState['ownerId'],
    workerId: WORKERS,
    numRestarts: n === 3 ? 1 : 0,
    pendingCalls: n * 3,
    requiredResources: {},
    deathCause: undefined,
  }
}

function all<T>(rows: readonly T[], total = rows.length): StateResult<T> {
  const warnings = total > rows.length ? [`${rows.length} of ${total} rows are shown: limit is ${rows.length}`] : []
  return { rows, total, numFiltered: total, isTruncated: total > rows.length, missing: [], warnings }
}

/** Tommy Ettinger's generator of 32 bits. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

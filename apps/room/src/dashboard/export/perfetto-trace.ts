import type { Timeline, TraceEvent } from '@shoal/sdk'
import { OUTCOMES, WAITS } from '../model/run-store.ts'
import type { RunStore } from '../model/run-store.ts'

/**
 * All runs that are kept as a trace for ui.perfetto.dev: a process a tab, a thread a worker, the waits for bytes in rows of their
 * own, since a worker runs one task while bytes for its next come. It has more than `timeline()`, which is of what owners remember.
 */
export function toPerfettoTrace(
  store: RunStore,
  nameOf: (nodeId: string) => string,
  warnings: readonly string[],
): Timeline {
  const events: TraceEvent[] = []
  const pids = new Map<string, number>()
  let startedAtMs = Infinity
  for (let seq = store.first; seq < store.next; seq++)
    startedAtMs = Math.min(startedAtMs, store.startOf(seq) - store.fetchedOf(seq))
  if (startedAtMs === Infinity) startedAtMs = 0
  const micros = (ms: number): number => Math.max(0, Math.round((ms - startedAtMs) * 1000))
  const meta = (pid: number, tid: number, name: 'process_name' | 'thread_name', text: string): void =>
    void events.push({ name, cat: '__metadata', ph: 'M', ts: 0, pid, tid, args: { name: text } })
  const fetchTids = new Set<string>()
  for (const { nodeId, worker, isActor } of store.lanes) {
    let pid = pids.get(nodeId)
    if (pid === undefined) {
      pids.set(nodeId, (pid = pids.size + 1))
      meta(pid, 0, 'process_name', `${nameOf(nodeId)} (${nodeId.slice(0, 8)})`)
    }
    meta(pid, worker * 2, 'thread_name', `worker ${worker}${isActor ? ' (actor)' : ''}`)
  }
  for (let seq = store.first; seq < store.next; seq++) {
    const run = store.detail(seq)
    if (run === undefined) continue
    const { lane, taskId, name, attempt, outcome, waited, startMs, endMs, blockedMs, queuedMs, fetchedMs } = run
    const pid = pids.get(lane.nodeId) ?? 0
    const ts = micros(startMs)
    const args = { taskId, attempt, outcome, blockedMs, queuedMs }
    const cat = outcome === OUTCOMES[1] ? 'task' : 'task,error'
    events.push({ name, cat, ph: 'X', ts, dur: Math.max(0, micros(endMs) - ts), pid, tid: lane.worker * 2, args })
    if (waited === WAITS[0] || fetchedMs <= 0) continue
    const tid = lane.worker * 2 + 1
    if (!fetchTids.has(`${pid} ${tid}`)) {
      fetchTids.add(`${pid} ${tid}`)
      meta(pid, tid, 'thread_name', `worker ${lane.worker}: waits for arguments`)
    }
    const from = micros(startMs - queuedMs - fetchedMs)
    events.push({
      name: waited,
      cat: waited,
      ph: 'X',
      ts: from,
      dur: micros(startMs - queuedMs) - from,
      pid,
      tid,
      args: { taskId },
    })
  }
  return { traceEvents: events, displayTimeUnit: 'ms', otherData: { startedAtMs, warnings: [...warnings] } }
}

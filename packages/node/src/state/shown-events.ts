import { RUN_OUTCOMES, RUN_WAITS, TASK_TYPES, formatObjectId } from '@shoal/protocol'
import type { EndEvent, NodeId, RunEvent, TaskEventRow } from '@shoal/protocol'
import type { ClockOffset } from './clock-offsets.ts'

/** Columns of equal length instead of an object a run: there may be thousands a second. See `TaskEventBatch` of the SDK. */
export function shownEvents(row: TaskEventRow, clockOf: (node: NodeId) => ClockOffset): object {
  const { nodeId, nowMs, watchedSinceMs, next, dropped, left, names, owners, runs, ends } = row
  const { offsetMs, errorMs } = clockOf(nodeId)
  const atMs = (ago: number): number => nowMs - offsetMs - ago / 1000
  const of = (value: (run: RunEvent) => number): Float64Array => Float64Array.from(runs, value)
  return {
    nodeId,
    nowMs: nowMs - offsetMs,
    watchedSinceMs: watchedSinceMs - offsetMs,
    clockErrorMs: errorMs,
    next,
    dropped,
    left,
    names,
    owners,
    runs: {
      length: runs.length,
      name: Uint16Array.from(runs, ({ name }) => name),
      owner: Uint16Array.from(runs, ({ owner }) => owner),
      number: of(({ number }) => number),
      epoch: of(({ epoch }) => epoch),
      attempt: of(({ attempt }) => attempt),
      worker: of(({ worker }) => worker),
      type: Uint8Array.from(runs, ({ type }) => TASK_TYPES.indexOf(type)),
      outcome: Uint8Array.from(runs, ({ outcome }) => RUN_OUTCOMES.indexOf(outcome)),
      waited: Uint8Array.from(runs, ({ waited }) => RUN_WAITS.indexOf(waited)),
      startMs: of(({ endedAgo, ran }) => atMs(endedAgo + ran)),
      endMs: of(({ endedAgo, outcome }) => (outcome === 'running' ? NaN : atMs(endedAgo))),
      blockedMs: of(({ blocked }) => blocked / 1000),
      queuedMs: of(({ queued }) => queued / 1000),
      fetchedMs: of(({ fetched }) => fetched / 1000),
    },
    ends: ends.map((end) => shownEnd(end, row, atMs(end.endedAgo))),
  }
}

/** A peer may name places that its lists do not have. */
function shownEnd(end: EndEvent, { names, owners }: TaskEventRow, endTimeMs: number): object {
  const idOf = ({ owner, number }: { owner: number; number: number }): string | undefined => {
    const of = owners[owner]
    return of === undefined ? undefined : formatObjectId({ owner: of, number })
  }
  const { name, type, epoch, attempt, returns, node, parent, actor, needs, moreNeeds, errorType, errorMessage } = end
  return {
    taskId: idOf(end) ?? '',
    name: names[name] ?? '',
    type,
    epoch,
    attempt,
    numReturns: returns,
    nodeId: node === undefined ? undefined : owners[node],
    endTimeMs,
    parentTaskId: parent && idOf(parent),
    actorId: actor && idOf(actor),
    dependencies: needs.flatMap((need) => idOf(need) ?? []),
    moreDependencies: moreNeeds,
    errorType,
    errorMessage,
  }
}

import { nodeId } from '../ids.ts'
import type { NodeId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, f64, oneOf, optional, string, struct, varint } from '../schema.ts'
import type { Infer, Schema } from '../schema.ts'
import { TASK_TYPES } from './task-types.ts'

/** In one answer. */
export const MOST_TASK_EVENTS = 8_192

/** running: it has not ended. lost: its worker went, or the tab had no room for its result. */
export const RUN_OUTCOMES = ['running', 'finished', 'failed', 'lost'] as const
/** What a run waited for before its worker had it: none, bytes of other tabs, bytes on this tab's disk, room in memory. */
export const RUN_WAITS = ['none', 'transfer', 'disk', 'memory'] as const

/** Up to where a tab's events were read: how many runs had ended there, and how many attempts of its own were told of. */
export const eventCursor = struct({ runs: varint, ends: varint })
/** How many runs and ends of one tab were read. */
export type EventCursor = Infer<typeof eventCursor>

/** An id whose node is a place in the batch's list of owners. */
const placedId = struct({ owner: varint, number: varint })

/**
 * A run, as the tab where it was tells of it. `name` and `owner` are places in the batch's lists. Times in whole microseconds:
 * `endedAgo` before the batch's `nowMs`; `ran` from its start in the worker to its end, `blocked` of that while it waited for
 * others; `queued` from when its worker had it until it began; `fetched` before that, while its arguments were gathered.
 */
export const runEvent = struct({
  name: varint,
  type: oneOf(TASK_TYPES),
  owner: varint,
  number: varint,
  epoch: varint,
  attempt: varint,
  worker: varint,
  outcome: oneOf(RUN_OUTCOMES),
  waited: oneOf(RUN_WAITS),
  endedAgo: varint,
  ran: varint,
  blocked: varint,
  queued: varint,
  fetched: varint,
})
export type RunEvent = Infer<typeof runEvent>

/**
 * An attempt that ended, as its owner tells of it, where there is more to tell than its run has shown: it failed, was given
 * objects, was submitted by a task, or is an actor's.
 */
export const endEvent = struct({
  name: varint,
  type: oneOf(TASK_TYPES),
  owner: varint,
  number: varint,
  epoch: varint,
  attempt: varint,
  /** Objects that it gives: its own number and those after it. */
  returns: varint,
  /** Where it ran: a place among the owners. */
  node: optional(varint),
  endedAgo: varint,
  parent: optional(placedId),
  actor: optional(placedId),
  needs: array(placedId, LIMITS.stateDependencies),
  /** Objects that it was given beside those. */
  moreNeeds: varint,
  errorType: optional(string(LIMITS.nameBytes)),
  errorMessage: optional(string(LIMITS.stateTextBytes)),
})
export type EndEvent = Infer<typeof endEvent>

/** What a tab has seen since a cursor. `dropped`: what was to be told and is not remembered; `left`: what did not fit. */
export interface TaskEventRow {
  readonly nodeId: NodeId
  /** By its clock, when it answered: milliseconds since 1970. */
  readonly nowMs: number
  /** Since when it keeps events without a gap. */
  readonly watchedSinceMs: number
  readonly next: EventCursor
  readonly dropped: EventCursor
  readonly left: EventCursor
  readonly names: readonly string[]
  readonly owners: readonly NodeId[]
  /** In the order in which they ended, then those that run. */
  readonly runs: readonly RunEvent[]
  readonly ends: readonly EndEvent[]
}

export const taskEventBatch: Schema<TaskEventRow> = struct({
  nodeId,
  nowMs: f64,
  watchedSinceMs: f64,
  next: eventCursor,
  dropped: eventCursor,
  left: eventCursor,
  names: array(string(LIMITS.nameBytes), MOST_TASK_EVENTS),
  owners: array(nodeId, MOST_TASK_EVENTS),
  runs: array(runEvent, MOST_TASK_EVENTS),
  ends: array(endEvent, MOST_TASK_EVENTS),
}) as unknown as Schema<TaskEventRow>

import { assert } from '@shoal/base'
import { compareAttempts } from '@shoal/protocol'
import type { Attempt, TaskId } from '@shoal/protocol'

/** In the order of a run; of two reports on one attempt the later word counts. */
export const TASK_STATES = ['waiting', 'submitted', 'failed', 'done', 'cancelled'] as const
export type TaskState = (typeof TASK_STATES)[number]

/**
 * What survivors could not tell of a task that left its node: how often it may still be run and how far it got. It rides
 * with the task (`task.submit` has its fields beside the spec); replicas of one task's record are joined.
 */
export interface TaskRecord {
  readonly task: TaskId
  /** The latest attempt given out, a pair, since both sides of a partition go on counting. */
  readonly attempt: Attempt
  /** Infinity: for ever. */
  readonly retriesLeft: number
  /** Of the latest attempt; `cancelled` is of the whole task and stays. */
  readonly state: TaskState
}

/**
 * The least record that knows what both know: commutative, associative, idempotent, and never below either. A product of
 * three joins: the later (attempt, state), the fewer retries, cancelled if anybody says so.
 */
export function joinTaskRecords(a: TaskRecord, b: TaskRecord): TaskRecord {
  assert(a.task.owner === b.task.owner && a.task.number === b.task.number, 'records of two tasks cannot be joined')
  const order = compareAttempts(a.attempt, b.attempt) || TASK_STATES.indexOf(a.state) - TASK_STATES.indexOf(b.state)
  const later = order >= 0 ? a : b
  const isCancelled = a.state === 'cancelled' || b.state === 'cancelled'
  return {
    task: later.task,
    attempt: later.attempt,
    retriesLeft: Math.min(a.retriesLeft, b.retriesLeft),
    state: isCancelled ? 'cancelled' : later.state,
  }
}

import { formatJobId, formatObjectId, LIMITS } from '@shoal/protocol'
import type { NodeId, ObjectId, RunFact, TaskRow } from '@shoal/protocol'
import { MOST_TEXT, cut } from './cut.ts'
import type { EndedTask } from './ended-tasks.ts'
import { needsOf } from './object-rows.ts'
import type { PendingWords } from './pending-words.ts'
import type { RunIndex, Step } from './run-index.ts'
import type { TaskView } from './views.ts'

/** What rows of tasks are made of, at one moment. */
export interface TaskRowPorts {
  readonly self: NodeId
  readonly runs: RunIndex
  readonly words: PendingWords
  /** The whole of an error's message, and not its beginning alone. */
  readonly detail: boolean
  toEpochMs(ms: number): number
}

/** A task of a ledger that this tab answers for, without an outcome. */
export function pendingTaskRow(owner: NodeId, task: TaskView, ports: TaskRowPorts): TaskRow {
  const { template, attempt } = task
  return {
    ...common({ owner, number: task.number }, task, ports),
    name: template.definition.name,
    type: 'NORMAL_TASK',
    attempt: attempt.number,
    epoch: attempt.epoch,
    requiredResources: template.definition.resources,
    dependencies: needsShown(task, ports),
    ...whereabouts(owner, task, ports),
  }
}

/** As in its row, without all that a row takes: a summary looks at every task there is. */
export function pendingState(owner: NodeId, task: TaskView, { self, runs, words }: TaskRowPorts): TaskRow['state'] {
  const { at, attempt, dependencies } = task
  if (at === undefined) return words.isReady(dependencies) ? 'PENDING_NODE_ASSIGNMENT' : 'PENDING_ARGS_AVAIL'
  if (at === 'queue') return 'PENDING_NODE_ASSIGNMENT'
  const step = at === 'here' || at === self ? runs.of({ owner, number: task.number }, attempt) : undefined
  return step === undefined ? 'SUBMITTED_TO_WORKER' : STATE_OF_STEP[step.step]
}

/** A run of a ledger that was taken over of which nothing else is known. */
export function looseTaskRow(
  owner: NodeId,
  [number, node, attempt]: readonly [number: number, node: NodeId, attempt: TaskView['attempt']],
  ports: TaskRowPorts,
): TaskRow {
  const step = node === ports.self ? ports.runs.of({ owner, number }, attempt) : undefined
  return {
    taskId: formatObjectId({ owner, number }),
    name: '',
    type: 'NORMAL_TASK',
    jobId: '',
    ownerId: owner,
    attempt: attempt.number,
    epoch: attempt.epoch,
    parentTaskId: undefined,
    actorId: undefined,
    requiredResources: [],
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: ports.toEpochMs(0),
    startTimeMs: undefined,
    endTimeMs: undefined,
    dependencies: [],
    ...refined(step, node, ports.words.step(step, node)),
  }
}

export function endedTaskRow(owner: NodeId, ended: EndedTask, ports: TaskRowPorts): TaskRow {
  const { errorMessage, endedAtMs } = ended
  return {
    ...common({ owner, number: ended.number }, ended, ports),
    name: ended.name,
    type: ended.type,
    state: ended.errorType === undefined ? 'FINISHED' : 'FAILED',
    nodeId: ended.node,
    workerId: undefined,
    attempt: ended.attempt.number,
    epoch: ended.attempt.epoch,
    actorId: ended.actor && formatObjectId(ended.actor),
    requiredResources: ended.resources,
    errorType: ended.errorType,
    errorMessage: errorMessage && cut(errorMessage, ports.detail ? MOST_TEXT : SHORT_TEXT),
    endTimeMs: ports.toEpochMs(endedAtMs),
    pendingReason: undefined,
  }
}

/** State, place and reason of an attempt that is with a tab; without a step, that tab has not told. */
export function refined(
  step: Step | undefined,
  node: NodeId,
  pendingReason: string | undefined,
): Pick<TaskRow, 'state' | 'nodeId' | 'workerId' | 'pendingReason'> {
  return {
    state: step === undefined ? 'SUBMITTED_TO_WORKER' : STATE_OF_STEP[step.step],
    nodeId: node,
    workerId: step?.workerId,
    pendingReason,
  }
}

/** Whoever has the attempt knows more of it than whoever answers for the task. */
export function isAway({ state, nodeId }: TaskRow, self: NodeId): boolean {
  return nodeId !== undefined && nodeId !== self && state === 'SUBMITTED_TO_WORKER'
}

const SHORT_TEXT = 200

const STATE_OF_STEP = {
  code: 'SUBMITTED_TO_WORKER',
  queued: 'SUBMITTED_TO_WORKER',
  behind: 'SUBMITTED_TO_WORKER',
  fetching: 'PENDING_ARGS_FETCH',
  running: 'RUNNING',
  waiting: 'RUNNING_IN_RAY_GET',
} as const satisfies Readonly<Record<RunFact['step'], TaskRow['state']>>

function common(
  id: ObjectId,
  task: Pick<TaskView, 'job' | 'createdAtMs' | 'startedAtMs'> & { readonly parent?: ObjectId | undefined },
  { toEpochMs }: TaskRowPorts,
): Pick<
  TaskRow,
  | 'taskId'
  | 'jobId'
  | 'ownerId'
  | 'parentTaskId'
  | 'actorId'
  | 'errorType'
  | 'errorMessage'
  | 'creationTimeMs'
  | 'startTimeMs'
  | 'endTimeMs'
  | 'dependencies'
> {
  const { parent, startedAtMs } = task
  return {
    taskId: formatObjectId(id),
    jobId: formatJobId(task.job),
    ownerId: id.owner,
    parentTaskId: parent && formatObjectId(parent),
    actorId: undefined,
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: toEpochMs(task.createdAtMs),
    startTimeMs: startedAtMs === undefined ? undefined : toEpochMs(startedAtMs),
    endTimeMs: undefined,
    dependencies: [],
  }
}

/** Undetailed rows leave them out: most people look at other things. */
export function needsShown(task: Pick<TaskView, 'dependencies' | 'args'>, { detail }: TaskRowPorts): string[] {
  return detail ? needsOf(task).slice(0, LIMITS.stateDependencies).map(formatObjectId) : []
}

function whereabouts(
  owner: NodeId,
  task: TaskView,
  { self, runs, words }: TaskRowPorts,
): Pick<TaskRow, 'state' | 'nodeId' | 'workerId' | 'pendingReason'> {
  const { at, attempt, template, dependencies } = task
  const id = { owner, number: task.number }
  const nowhere = { nodeId: undefined, workerId: undefined }
  if (at === undefined) {
    const argument = words.argument(dependencies)
    if (argument !== undefined) return { ...nowhere, state: 'PENDING_ARGS_AVAIL', pendingReason: argument }
    return { ...nowhere, state: 'PENDING_NODE_ASSIGNMENT', pendingReason: words.code(template.code) }
  }
  if (at === 'queue') {
    const reason = words.queued(template.definition, runs.queued(id, attempt))
    return { ...nowhere, state: 'PENDING_NODE_ASSIGNMENT', pendingReason: reason }
  }
  const node = at === 'here' ? self : at
  const step = node === self ? runs.of(id, attempt) : undefined
  return refined(step, node, words.step(step, node))
}

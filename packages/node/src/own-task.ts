import { must } from '@shoal/base'
import { workShape } from '@shoal/scheduler'
import { formatJobId, newWireError } from '@shoal/protocol'
import type {
  Attempt,
  EncodedValue,
  JobId,
  LedgerRecord,
  LedgerTemplate,
  NodeId,
  ObjectId,
  PlacedRef,
  RoomId,
  TemplateDefinition,
  WireError,
} from '@shoal/protocol'
import type { CodeEntry, CodeGrant } from './code-store.ts'
import type { TaskView } from './state/views.ts'
import type { ObjectState } from './object-entry.ts'
import type { Stream } from './streams.ts'
import type { WorkTemplate } from './work.ts'

/** A submitter's template with what the node made of it. */
export interface OwnTemplate {
  readonly definition: TemplateDefinition
  readonly code: CodeEntry
  readonly key: string
  /** Per job: tasks of one template may belong to several. */
  readonly jobs: Map<string, JobTemplate>
}

export type TaskRecordBody = LedgerRecord['body'] & { type: 'task' }

/** A task as the ledger's record has it. */
export interface TaskSpec {
  readonly attempt: Attempt
  readonly body: TaskRecordBody
  readonly template: LedgerTemplate
}

export interface JobTemplate {
  readonly work: WorkTemplate
  /** The number by which peers know it. */
  readonly wire: number
  /** Undefined: the code may not leave this tab. Absent until asked for in a room. */
  grant: { readonly room: RoomId; readonly value: CodeGrant | undefined } | undefined
}

/** A task from `.remote()` on for as long as it may run again. */
export interface OwnTask extends TaskView {
  readonly number: number
  readonly template: OwnTemplate
  readonly job: JobId
  readonly depth: number
  readonly parent: ObjectId | undefined
  /** Of a generator. */
  readonly stream: Stream | undefined
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  attempt: Attempt
  retriesLeft: number
  /** Where the present attempt is: waiting or queued here, running here, or with a peer. */
  at: NodeId | 'queue' | 'here' | undefined
  readonly createdAtMs: number
  /** The present attempt; undefined while it waits. */
  startedAtMs: number | undefined
  /** It runs no more: it ends with the value of a run that is under way, or as cancelled. */
  cancelled: 'asked' | 'forced' | undefined
  /** Where earlier attempts were that were lost: what those had submitted may still run there. */
  former: readonly NodeId[]
}

/** A task without an outcome, as whoever cancels it sees it. */
export type PendingTask = Readonly<Pick<OwnTask, 'number' | 'attempt' | 'at' | 'former'>>

/** The numbers of a task's returns, and of what it has yielded as far as that is referred to. */
export function returns(task: Pick<OwnTask, 'number' | 'template' | 'stream'>): number[] {
  return task.stream === undefined ? results(task) : [task.number, ...task.stream.items]
}

/** The numbers of what the outcome of a run gives. */
export function results(task: Pick<OwnTask, 'number' | 'template'>): number[] {
  const { numReturns } = task.template.definition
  if (numReturns === 1) return [task.number]
  return Array.from({ length: numReturns }, (_, index) => task.number + index)
}

/** What a task refers to: its arguments, and what is inside them. */
export function needs({ dependencies, args }: OwnTask): ObjectId[] {
  return [...dependencies.map(({ id }) => id), ...args.refs]
}

/** A task as a record tells of it; the template's number is its message's. */
export function taskBody({ number, depth, stream, retriesLeft, dependencies, args }: OwnTask): TaskRecordBody {
  return {
    type: 'task',
    template: 0,
    task: number,
    depth,
    streamId: stream?.id ?? 0,
    retriesLeft,
    dependencies: dependencies.map(({ place, id }) => ({ place, id })),
    args,
  }
}

/** Whoever ran it said something else than what was asked for: more values would land on other objects. */
export function wrongCount(task: OwnTask, count: number): WireError {
  const { name, numReturns } = task.template.definition
  return newWireError('task-failed', `${name} has numReturns ${numReturns}, and ${count} values came back`)
}

/** `retryExceptions`: what the function threw is run again as what was lost is. */
export function isRetried(retryExceptions: readonly string[], { code, kinds }: WireError): boolean {
  if (code !== 'task-failed' || kinds === undefined || retryExceptions.length === 0) return false
  return retryExceptions.some((name) => name === '*' || kinds.includes(name))
}

export function isSameAttempt(a: Attempt, b: Attempt): boolean {
  return a.epoch === b.epoch && a.number === b.number
}

/** What records say of a template whose code may leave this tab. */
export function ledgerTemplate({ work, grant }: JobTemplate, definition: TemplateDefinition): LedgerTemplate {
  const { submitter, signature } = must(grant?.value)
  const { job, hash, exportName, name, shape, held, numReturns, stream, timeoutMs, namespace, actor } = work
  return {
    job,
    fn: hash,
    exportName,
    name,
    submitter,
    signature,
    shape: { resources: shape.resources, strategy: shape.strategy, labels: shape.labels, bundle: shape.bundle },
    held,
    numReturns,
    stream,
    namespace,
    actor,
    maxRetries: definition.maxRetries,
    retryExceptions: definition.retryExceptions,
    timeoutMs,
  }
}

/** What runs of a template are, for one job. */
export function workTemplate(
  { key, definition }: OwnTemplate,
  job: JobId,
  code: CodeEntry['state'] & { kind: 'ready' },
  namespace: string,
): WorkTemplate {
  const { exportName, name, numReturns, stream, held, timeoutMs, maxRetries, actor } = definition
  return {
    key: `${key} ${formatJobId(job)}`,
    hash: code.hash,
    definition: code.definition,
    exportName,
    name,
    job,
    numReturns,
    stream,
    shape: workShape(definition),
    held,
    timeoutMs,
    namespace,
    actor,
    isExclusive: timeoutMs > 0 || maxRetries === 0,
  }
}

/** Which of a task's results are to be made again: of several returns all, together; of a stream those that are lost. */
export function lostOf(task: OwnTask, stateOf: (number: number) => ObjectState): number[] {
  if (task.stream === undefined) return returns(task)
  return returns(task).filter((number) => {
    const state = stateOf(number)
    return state.kind === 'pending' || (state.kind === 'elsewhere' && state.holders.length === 0)
  })
}

/** Where the present attempt runs; undefined while it waits. */
export function placeOf({ at, attempt }: OwnTask, self: NodeId): { node: NodeId; attempt: Attempt } | undefined {
  return at === undefined || at === 'queue' ? undefined : { node: at === 'here' ? self : at, attempt }
}

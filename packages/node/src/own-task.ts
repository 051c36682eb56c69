import { newWireError } from '@shoal/protocol'
import type { Attempt, EncodedValue, JobId, NodeId, ObjectId, PlacedRef, WireError } from '@shoal/protocol'
import type { OwnTemplate } from './own-tasks.ts'

/** A task of a ledger that this tab answers for. */
export interface OwnTask {
  readonly number: number
  readonly template: OwnTemplate
  readonly job: JobId
  readonly depth: number
  readonly parent: ObjectId | undefined
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  attempt: Attempt
  retriesLeft: number
  /** Where the present attempt is: waiting or queued here, running here, or with a peer. */
  at: NodeId | 'queue' | 'here' | undefined
  sentAtMs: number
  /** It runs no more: it ends with the value of a run that is under way, or as cancelled. */
  cancelled: 'asked' | 'forced' | undefined
  /** Where earlier attempts were that were lost: what those had submitted may still run there. */
  former: readonly NodeId[]
}

/** A task without an outcome, as whoever cancels it sees it. */
export type PendingTask = Readonly<Pick<OwnTask, 'number' | 'attempt' | 'at' | 'former'>>

/** The numbers of a task's returns. */
export function returns(task: { readonly number: number; readonly template: OwnTemplate }): number[] {
  const { numReturns } = task.template.definition
  if (numReturns === 1) return [task.number]
  return Array.from({ length: numReturns }, (_, index) => task.number + index)
}

/** What a task refers to: its arguments, and what is inside them. */
export function needs({ dependencies, args }: OwnTask): ObjectId[] {
  return [...dependencies.map(({ id }) => id), ...args.refs]
}

/** Whoever ran it said something else than what was asked for: more values would land on other objects. */
export function wrongCount(task: OwnTask, count: number): WireError {
  const { name, numReturns } = task.template.definition
  return newWireError('task-failed', `${name} has numReturns ${numReturns}, and ${count} values came back`)
}

/** `retryExceptions`: what the function threw is run again as what was lost is. */
export function isRetried(task: OwnTask, { code, kinds }: WireError): boolean {
  const { retryExceptions } = task.template.definition
  if (code !== 'task-failed' || kinds === undefined || retryExceptions.length === 0) return false
  return retryExceptions.some((name) => name === '*' || kinds.includes(name))
}

import { attempt, functionHash, jobId, nodeId, objectId } from '../ids.ts'
import { labelSelector } from '../labels.ts'
import { LIMITS } from '../limits.ts'
import { resourceSet } from '../resources.ts'
import { array, bool, fixedBytes, oneOf, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'
import { STRATEGIES } from '../words.ts'
import { actorOptions } from './actor-options.ts'
import { bundleChoice } from './placement-group.ts'
import { wireError } from './wire-error.ts'

const name = string(LIMITS.nameBytes)

/** What a task reserves while it runs, or an actor to be placed, and how it is placed: what a credit is for. */
export const taskShape = struct({
  resources: resourceSet,
  strategy: oneOf(STRATEGIES),
  labels: labelSelector,
  /** The placement group that it runs in. */
  bundle: optional(bundleChoice),
})
export type TaskShape = Infer<typeof taskShape>

/** What runs, for whose job, with whose leave, and what it reserves: the same in a template and in a ledger's record. */
export const templateFields = {
  job: jobId,
  fn: functionHash,
  /** The export of a remote module, `#n` for its n-th unexported one, or empty for an inline function. */
  exportName: name,
  name,
  submitter: fixedBytes(32),
  signature: fixedBytes(64),
  shape: taskShape,
  /** Of the shape's resources, those that an actor keeps for its life; for a task nothing. */
  held: resourceSet,
  numReturns: varint,
  /** See `streamMode`. */
  stream: varint,
  /** Where the job's actors find each other by name. */
  namespace: name,
  /** Of actors. */
  actor: optional(actorOptions),
}

/**
 * What many tasks share, sent once a session and then named by its number. `signature` is by the room owner's or a
 * listed submitter's key over job and function: a node runs no function without one.
 */
export const taskTemplate = struct({
  template: varint,
  ...templateFields,
  /** Runs allowed after the first; 2^32 - 1 means for ever. */
  maxRetries: varint,
  /** 0: none. */
  timeoutMs: varint,
})
export type TaskTemplate = Infer<typeof taskTemplate>

/** An argument that was a ref: its bytes, or who holds them. */
export const dependency = struct({
  id: objectId,
  attempt,
  value: union({
    inline: struct({ value: inlineValue }),
    stored: struct({ bytes: varint, holders: array(nodeId, 64) }),
  }),
})
export type Dependency = Infer<typeof dependency>

/** A top-level argument that was a ref, and its place among the arguments. */
export const taskArgument = struct({ place: varint, object: dependency })
export type TaskArgument = Infer<typeof taskArgument>

/**
 * One attempt, from the task's owner to the node whose credit it spends. It is also the task's ledger record, riding
 * with it until a successor has acknowledged it. Never passed on by its receiver.
 */
export const taskSubmit = struct({
  template: varint,
  /** Whose task it is, where that is not the sender: it answers for a ledger that it took over. */
  ledger: optional(nodeId),
  number: varint,
  attempt,
  depth: varint,
  parent: optional(objectId),
  /** Which of its owner's streams it is, from which its items have their numbers; 0: none. */
  streamId: varint,
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
  /** Number of the hand-over of its refs; 0: there are none. */
  handOver: varint,
})
export type TaskSubmit = Infer<typeof taskSubmit>

export const resultValue = union({
  inline: struct({ value: inlineValue }),
  /** The bytes stay with the executor until they are pulled. */
  stored: struct({ bytes: varint, refs: array(objectId, LIMITS.valueReferences) }),
})
export type ResultValue = Infer<typeof resultValue>

export const taskOutcome = union({
  values: struct({ values: array(resultValue, LIMITS.taskArguments) }),
  failed: struct({ error: wireError }),
})
export type TaskOutcome = Infer<typeof taskOutcome>

/** How one attempt ended; for actor calls too, with the call's position in the actor's order. */
export const taskResult = struct({
  /** Whose task it was, where that is not the receiver. */
  ledger: optional(nodeId),
  number: varint,
  attempt,
  outcome: taskOutcome,
  cpuMicros: varint,
  position: varint,
  handOver: varint,
})
export type TaskResult = Infer<typeof taskResult>

/**
 * What a generator has yielded, from the tab that runs it, in order: items `first` and those behind it. `ledger`: as in
 * `task.result`.
 */
export const taskYielded = struct({
  ledger: optional(nodeId),
  number: varint,
  attempt,
  /** See `task.submit`. */
  streamId: varint,
  first: varint,
  values: array(resultValue, LIMITS.taskArguments),
  handOver: varint,
})
export type TaskYielded = Infer<typeof taskYielded>

/**
 * Whoever answers for a stream tells who runs it how many items were taken of it, where it may only be so far ahead.
 * `isOver`: nobody takes any more, and the generator is to end.
 */
export const taskConsumed = struct({
  ledger: optional(nodeId),
  number: varint,
  attempt,
  consumed: varint,
  isOver: bool,
})
export type TaskConsumed = Infer<typeof taskConsumed>

/** The executor did not start the attempt (no slot, recalled, or not entitled) and never will. */
export const taskRefused = struct({ ledger: optional(nodeId), number: varint, attempt, error: optional(wireError) })
export type TaskRefused = Infer<typeof taskRefused>

/** `isForced`: the worker that runs it is ended. `isRecursive`: so is what it has submitted, and what that has. */
const cancellation = { isForced: bool, isRecursive: bool }

/**
 * Whoever answers for a task cancels an attempt: answered by `task.refused` when it has not started and never will, else by
 * `task.result` when it ends, whatever that says. An attempt that is over already was answered before.
 */
export const taskRecall = struct({ ledger: optional(nodeId), number: varint, attempt, ...cancellation })

/** Whoever holds a ref asks whoever answers for it to cancel the task that makes its object. Not answered. */
export const taskCancel = struct({ id: objectId, ...cancellation })

/** An owner's backlog of a shape, sent when it changes from or to nothing and at most every 50 ms between. */
export const creditWant = struct({ shape: taskShape, queued: varint })
/** More tasks of the shape that the sender takes now. */
export const creditGrant = struct({ shape: taskShape, count: varint })
/** Credits given back unspent. */
export const creditReturn = struct({ shape: taskShape, count: varint })

/** A node that a task of the job submits from asks the job's driver for leave to send a piece of its code on. */
export const codeAsk = struct({ job: jobId, hash: functionHash })
/** The driver's signature over both, as in a template; undefined where the code is none of the job's own. */
export const codeGrant = struct({
  job: jobId,
  hash: functionHash,
  grant: optional(struct({ submitter: fixedBytes(32), signature: fixedBytes(64) })),
})

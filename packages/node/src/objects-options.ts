import type { Log } from '@shoal/base'
import type { ObjectTable, PullHolds, Spilling, Transfers } from '@shoal/object-store'
import type { JobId, NodeId, NodeMessage, ObjectId, ReconstructionFailure, WireError } from '@shoal/protocol'

/** What the objects of a node need of its other parts, and tell them. */
export interface ObjectsOptions {
  readonly self: NodeId
  readonly log: Log
  readonly transfers: Transfers
  readonly table: ObjectTable
  readonly spilling: Spilling
  send(to: NodeId, message: NodeMessage): void
  /** False for a node that is gone and will never answer. */
  canReach(node: NodeId): boolean
  /** Calls back after that time, unless the session ends before. */
  later(delayMs: number, callback: () => void): void
  /** Who answers for the objects of an owner: this node itself, or another, which may be gone until a take-over is done. */
  answerer(owner: NodeId): NodeId
  /** This node answers for the owner's objects, and everybody has said what there is of them. */
  knowsAll(owner: NodeId): boolean
  /** And what nobody holds is not kept for an owner that may come back. */
  mayFree(owner: NodeId): boolean
  /** Somebody here waits for an object, and whoever answers for it cannot be reached. */
  unanswered(id: ObjectId): void
  /** What is known of an object's bytes, or that it is gone, has changed. */
  changed(id: ObjectId, isUrgent?: boolean): void
  /** This tab has no reference to an object that another node answers for any more, and perhaps no copy that it had. */
  dropped(id: ObjectId, isCopyGone: boolean): void
  /** An object is asked for that is not known, though this node knows all: it may be in a record of a dead tab. */
  recoverRecorded(id: ObjectId): void
  /** Counts refs and registers them with whoever answers for them. */
  adopt(ids: readonly ObjectId[]): void
  /** What a fetched value has inside came with counts of its own; the function given back ends them. */
  receiveInside(refs: readonly ObjectId[], holds: PullHolds): () => void
  /** Nobody refers any more to the object, for which this node answers. */
  freed(id: ObjectId): void
  /** Only recipes do. */
  idle(id: ObjectId): void
  /** One of the copies of an object that this node answers for is gone, though who had it lives. */
  copyGone(id: ObjectId): void
  /** Another node says that it has a copy of such an object. */
  held(id: ObjectId, node: NodeId): void
  /** An own object is gone that stood for an error, and nobody was ever told of that error. */
  unfetched(id: ObjectId, error: WireError, job: JobId | undefined): void
  /** All copies of an object that this node answers for are gone; true when it is being made again. */
  rebuild(id: ObjectId): boolean
  /** Why such an object may not be made again; undefined when no task has made it. */
  whyNotRebuilt(id: ObjectId): ReconstructionFailure | undefined
}

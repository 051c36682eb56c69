import type { NodeLabels, ObjectId, ResourceSet } from '@shoal/protocol'
import type { BundlePlace, HeldBundle } from './bundles.ts'
import type { ReadyTask } from './ready-queue.ts'
import type { WorkShape } from './shape.ts'

/**
 * What a time is waited for. idle: credits are kept a while without a backlog. spread: the node whose turn it is has not
 * answered yet. settle: who has a free slot may be about to say so. infeasible: a node that has the resources may be about to come.
 */
export type SchedulerTimer = 'idle' | 'spread' | 'settle' | 'infeasible'

/** What happened, told to the scheduler. `lane` is a worker that can run tasks, named by the scheduler's own numbers. */
export type SchedulerEvent<K> =
  | { readonly type: 'ready'; readonly task: ReadyTask<K>; readonly shape: WorkShape }
  /** A task that was started or sent did not start after all. */
  | { readonly type: 'given-back'; readonly task: ReadyTask<K>; readonly shape: WorkShape; readonly lane?: number }
  /** A task that was started did not start after all and never will. */
  | { readonly type: 'left'; readonly lane: number }
  | { readonly type: 'finished'; readonly lane: number; readonly kind: string; readonly ms: number }
  /** The task in the lane waits for others: its CPUs are free, its worker and what else it reserved are not. */
  | { readonly type: 'blocked'; readonly lane: number; readonly kind: string }
  | { readonly type: 'resumed'; readonly lane: number }
  /** The lane's worker is gone, with all its tasks; or it belongs to an actor from now on. */
  | { readonly type: 'lane-gone'; readonly lane: number }
  | { readonly type: 'sent-ended'; readonly node: string; readonly kind: string; readonly ms: number | undefined }
  | { readonly type: 'granted'; readonly node: string; readonly shape: WorkShape; readonly count: number }
  | { readonly type: 'wanted'; readonly node: string; readonly shape: WorkShape; readonly queued: number }
  | { readonly type: 'returned'; readonly node: string; readonly shape: WorkShape; readonly count: number }
  /** A guest arrived: its credit is used up. */
  | { readonly type: 'guest'; readonly node: string; readonly task: ReadyTask<K>; readonly shape: WorkShape }
  /** This node has more than it was made with, and may say more of itself. Nothing is ever taken back. */
  | { readonly type: 'own'; readonly resources: ResourceSet; readonly labels: NodeLabels }
  /** What a linked peer lends; undefined until that is known. */
  | {
      readonly type: 'peer'
      readonly node: string
      readonly resources: ResourceSet | undefined
      readonly labels?: NodeLabels
    }
  | { readonly type: 'peer-gone'; readonly node: string }
  /** What was measured between a linked peer and this tab. */
  | { readonly type: 'rate'; readonly node: string; readonly bytesPerMs: number }
  /** The time that a `timer` effect asked for has passed. */
  | { readonly type: 'passed'; readonly timer: SchedulerTimer; readonly shape: WorkShape }
  /** What an actor keeps for its life, or gives back with it; in a bundle of that key. */
  | {
      readonly type: 'reserve'
      readonly resources: ResourceSet
      readonly change: 1 | -1
      readonly bundle?: string
      readonly isOthers?: boolean
    }
  /** A bundle is set aside here, for which there has to be room; then work may run in it; then it is given back. */
  | { readonly type: 'bundle-held'; readonly bundle: HeldBundle }
  | { readonly type: 'bundle-open' | 'bundle-dropped'; readonly key: string }
  /** Where a group's bundles are, this node's own among them; undefined: there is no such group any more. */
  | { readonly type: 'group'; readonly group: ObjectId; readonly places: readonly BundlePlace[] | undefined }
  /** Whether guests are welcome, own tasks run either way; and, where that changes, how much others' work may use. */
  | { readonly type: 'lending'; readonly isOn: boolean; readonly most?: ResourceSet }
  /** Whether others' work that is here may start now; what runs goes on. */
  | { readonly type: 'others'; readonly mayStart: boolean }
  /** What this node says of itself now. */
  | { readonly type: 'labels'; readonly labels: NodeLabels }

/** What to do about it, in order. */
export type SchedulerEffect<K> =
  | { readonly type: 'start'; readonly task: ReadyTask<K>; readonly lane: number; readonly shape: WorkShape }
  | { readonly type: 'send'; readonly task: ReadyTask<K>; readonly node: string; readonly shape: WorkShape }
  /** Give a guest back to its owner: what actors keep here for their lives leaves too little for it. */
  | { readonly type: 'refuse'; readonly task: ReadyTask<K>; readonly shape: WorkShape }
  /** Tell a peer how many tasks of the shape wait here. */
  | { readonly type: 'want'; readonly node: string; readonly shape: WorkShape; readonly queued: number }
  | { readonly type: 'grant'; readonly node: string; readonly shape: WorkShape; readonly count: number }
  | { readonly type: 'return'; readonly node: string; readonly shape: WorkShape; readonly count: number }
  /** Answer with `passed` after that time. */
  | { readonly type: 'timer'; readonly timer: SchedulerTimer; readonly shape: WorkShape; readonly afterMs: number }
  /** No known node has what this task, and all of its shape, asks for; said once a shape. They wait. */
  | { readonly type: 'infeasible'; readonly task: ReadyTask<K>; readonly shape: WorkShape }

/** Tasks that no known node could ever take. */
export interface InfeasibleTasks {
  /** What they ask for, in words. */
  readonly shape: string
  readonly tasks: number
}

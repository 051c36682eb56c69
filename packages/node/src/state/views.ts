import type {
  Attempt,
  JobId,
  NodeId,
  ObjectId,
  PlacedRef,
  ResourceSet,
  TemplateDefinition,
  WireError,
} from '@shoal/protocol'
import type { Work } from '../work.ts'

/** What a function or class was submitted with. */
export type MadeWith = Pick<TemplateDefinition, 'name' | 'resources' | 'held' | 'strategy' | 'labels'> &
  Partial<Pick<TemplateDefinition, 'bundle'>>

/** A task that has no outcome yet, or a recipe, as the state API looks at it. */
export interface TaskView {
  readonly number: number
  readonly template: { readonly definition: MadeWith; readonly code: { readonly state: { readonly kind: string } } }
  readonly job: JobId
  readonly parent: ObjectId | undefined
  readonly dependencies: readonly PlacedRef[]
  readonly args: { readonly refs: readonly ObjectId[] }
  readonly attempt: Attempt
  /** Where the present attempt is: undefined while it waits for arguments or code. */
  readonly at: NodeId | 'queue' | 'here' | undefined
  readonly createdAtMs: number
  readonly startedAtMs: number | undefined
}

/** An actor that this tab answers for. */
export interface ActorView {
  readonly id: ObjectId
  readonly place:
    | { readonly kind: 'pending' }
    | { readonly kind: 'alive'; readonly node: NodeId }
    | { readonly kind: 'dead'; readonly error: WireError }
  /** Undefined for one that was taken over without its record. */
  readonly made: ActorMade | undefined
  readonly incarnation: Attempt
  readonly restarts: number
  /** Under which it is found. */
  readonly name: string | undefined
}

export interface ActorMade {
  readonly definition: MadeWith
  readonly job: JobId
  readonly dependencies: readonly PlacedRef[]
  readonly code: { readonly state: { readonly kind: string } }
  readonly createdAtMs: number
}

/** An actor that lives in this tab. */
export interface HostedView {
  readonly id: ObjectId
  readonly template: { readonly name: string; readonly held: ResourceSet; readonly job: JobId }
  readonly worker: { readonly submitter: { readonly number: number }; readonly runs: ReadonlyMap<number, unknown> }
  /** Calls whose arguments are on their way, by caller. */
  readonly callers: ReadonlyMap<string, { readonly length: number }>
  /** Calls whose concurrency group is full. */
  readonly groups: { readonly length: number } | undefined
}

/** A call of this tab's that has no outcome yet. */
export interface CallView {
  readonly number: number
  readonly actor: ObjectId
  /** The class and the method, or the method alone. */
  readonly name: string
  readonly dependencies: readonly PlacedRef[]
  readonly args: { readonly refs: readonly ObjectId[] }
  readonly job: JobId
  readonly attempt: Attempt
  readonly sentTo: NodeId | undefined
  readonly createdAtMs: number
  readonly startedAtMs: number | undefined
}

/** All that the state API asks of the actors. */
export interface ActorsView {
  readonly own: Iterable<ActorView>
  readonly hosted: Iterable<HostedView>
  readonly calls: Iterable<CallView>
  /** The birth of an actor that is not placed yet: undefined before its name, arguments and code are there. */
  birthOf(id: ObjectId): Work | undefined
  /** Where an actor was sent to be born. */
  birthplaceOf(id: ObjectId): NodeId | undefined
  /** Where any actor is, as far as this tab knows. */
  placeOf(id: ObjectId): ActorView['place'] | undefined
}

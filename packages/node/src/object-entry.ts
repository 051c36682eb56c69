import { formatObjectId, newWireError, showId } from '@shoal/protocol'
import type { Attempt, JobId, NodeId, ObjectId, WireError } from '@shoal/protocol'
import type { Life } from './references.ts'

/** What is known of an object: not yet there; its bytes here; its bytes with others; or the error in its place. */
export type ObjectState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'here'; readonly attempt: Attempt; readonly bytes: number }
  | {
      readonly kind: 'elsewhere'
      readonly attempt: Attempt
      readonly bytes: number
      readonly holders: readonly NodeId[]
    }
  | { readonly kind: 'failed'; readonly error: WireError }

/** One object as this node's table has it. */
export interface Entry {
  readonly id: ObjectId
  /** Objects of this tab's own ledger only: whose they are. */
  readonly job: JobId | undefined
  state: ObjectState
  /** References of this tab's page and workers, and of tasks that were given it. */
  count: number
  /** Of those, arguments of tasks that are done and may be done again. */
  recipes: number
  /** Objects that this node answers for: the nodes that hold references to them. */
  borrowers: Set<Life> | undefined
  /** A large result that was made here for its owner, who will pull it or free it. */
  isKept: boolean
  /** Its owner was asked for it. */
  isAsked: boolean
  waiters: ((state: ObjectState) => void)[]
  /** Other nodes that asked for it before it existed. */
  askers: Set<NodeId> | undefined
  /** Fetches in a row that found none of the holders the owner named. */
  lostFetches: number
  /** Objects that this node answers for and that are here: who else has a copy, to be told when it is freed. */
  copies: readonly NodeId[]
}

export const PENDING: ObjectState = { kind: 'pending' }

export function newEntry(id: ObjectId, count: number, job?: JobId): Entry {
  return {
    id,
    job,
    state: PENDING,
    count,
    recipes: 0,
    borrowers: undefined,
    isKept: false,
    isAsked: false,
    waiters: [],
    askers: undefined,
    lostFetches: 0,
    copies: [],
  }
}

/** Somebody refers to it, or waits for it. */
export function isNeeded(entry: Entry): boolean {
  return isReferenced(entry) || isAwaited(entry)
}

export function isAwaited({ waiters, askers }: Entry): boolean {
  return waiters.length > 0 || (askers !== undefined && askers.size > 0)
}

export function isReferenced({ count, borrowers }: Entry): boolean {
  return count > 0 || (borrowers !== undefined && borrowers.size > 0)
}

/** Nobody wants its value but who would make something else again. */
export function isOnlyForRecipes(entry: Entry): boolean {
  const { count, recipes, borrowers } = entry
  return recipes > 0 && count <= recipes && !borrowers?.size && !isAwaited(entry)
}

export function lost(id: ObjectId): WireError {
  return newWireError('object-lost', `${showId(id)} is gone: it was released, or all its copies were lost`, {
    objectId: formatObjectId(id),
  })
}

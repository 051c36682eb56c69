import { formatJobId, formatObjectId } from '@shoal/protocol'
import type { GroupStrategy, JobId, NodeId, ObjectId, PlacementGroupRow, ResourceSet } from '@shoal/protocol'

export interface OwnBundle {
  readonly resources: ResourceSet
  /** Where it is set aside, and since which round; undefined while it is nowhere. */
  at: { readonly node: NodeId; readonly round: number } | undefined
}

/** Tabs were asked to set bundles aside, and not all have answered. */
export interface Round {
  readonly number: number
  /** By node, the bundles for it. */
  readonly plan: ReadonlyMap<NodeId, readonly number[]>
  readonly waiting: Set<NodeId>
}

export interface OwnGroup {
  readonly id: ObjectId
  readonly job: JobId
  readonly name: string
  readonly strategy: GroupStrategy
  readonly bundles: readonly OwnBundle[]
  /** All its bundles were there once. */
  wasCreated: boolean
  round: Round | undefined
  /** Rounds that failed in a row: the next one waits a moment, so that two owners do not meet again. */
  failures: number
  isResting: boolean
}

export function isLacking({ bundles }: OwnGroup): boolean {
  return bundles.some(({ at }) => at === undefined)
}

export function placesOf({ bundles }: OwnGroup): NodeId[] {
  return bundles.flatMap(({ at }) => at?.node ?? [])
}

/** For people who look. `whyNever`: what is missing, where the tabs as they are could never hold it. */
export function toRow(group: OwnGroup, whyNever: string | undefined): PlacementGroupRow {
  const { id, job, name, strategy, bundles, wasCreated, round } = group
  const waits = isLacking(group)
  const waiting = wasCreated ? 'RESCHEDULING' : 'PENDING'
  return {
    placementGroupId: formatObjectId(id),
    name,
    state: !waits ? 'CREATED' : round === undefined ? waiting : 'PREPARED',
    schedulingState: !waits ? 'FINISHED' : whyNever === undefined ? 'QUEUED' : 'INFEASIBLE',
    pendingReason: waits ? (whyNever ?? 'it waits until tabs have enough of it free') : undefined,
    strategy,
    jobId: formatJobId(job),
    bundles: bundles.map(({ resources, at }) => ({ resources, nodeId: at?.node })),
  }
}

import type { NodeId, NodeLabels, ResourceSet, RoomId } from '@shoal/protocol'
import type { Scheduler } from '@shoal/scheduler'
import type { Actors } from './actors/actors.ts'
import type { Cancellation } from './cancellation.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Ownership } from './ledger/ownership.ts'
import type { Groups } from './groups/groups.ts'
import type { Lending } from './lending/lending.ts'
import type { NodeHoldings, NodeStatus } from './node-options.ts'
import type { Objects } from './objects.ts'
import type { ObjectStore } from './object-store.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { References } from './references.ts'
import type { RoomLink } from './room-link.ts'
import { REFUSED } from './refused-words.ts'
import { guestsAmong } from './work.ts'
import type { Work } from './work.ts'
import type { Workers } from './workers.ts'

export interface NodeParts {
  readonly self: NodeId
  readonly slots: number
  readonly lending: Lending
  readonly labels: NodeLabels
  readonly resources: ResourceSet
  readonly room: { readonly id: RoomId; readonly link: RoomLink } | undefined
  readonly scheduler: Scheduler<Work>
  readonly workers: Workers
  readonly tasks: OwnTasks
  readonly actors: Actors
  readonly dispatcher: Dispatcher
  readonly cancellation: Cancellation
  readonly store: ObjectStore
  readonly ownership: Ownership
  readonly references: References
  readonly groups: Groups
  readonly objects: Objects
}

/** People are shown what runs in their tab; more names than this nobody reads. */
const GUEST_NAMES = 3

/** What a node tells of itself, of all its parts. */
export function nodeStatus(parts: NodeParts): NodeStatus {
  const { self, slots, lending, labels, resources, room, scheduler, workers, tasks, actors } = parts
  const { dispatcher, cancellation, store, ownership, references } = parts
  const traffic = room?.link.traffic()
  const guests = guestsAmong(workers.runs(), self, GUEST_NAMES)
  return {
    room: room?.id,
    isServerUp: room?.link.isServerUp ?? false,
    isOffline: room?.link.isOffline ?? false,
    refused: room?.link.refusal && REFUSED[room.link.refusal],
    isLending: lending.isOn,
    labels,
    lent: lending.lent,
    lendingPause: lending.pause,
    isResting: lending.isResting,
    bytesLastHour: lending.bytesLastHour,
    slots,
    resources,
    usedResources: scheduler.used,
    running: workers.runCount,
    queued: scheduler.queued,
    infeasible: scheduler.infeasible(),
    pending: tasks.pendingCount,
    hasOwnJob: tasks.hasOwnJob || actors.hasOwnJob,
    guestsRunning: guests.running,
    guestNames: guests.names,
    guestActors: actors.guestCount,
    ...dispatcher.counts,
    cancelsIgnored: cancellation.ignored,
    ...store.status(),
    ledgers: ownership.status(),
    pinned: references.pinned,
    borrowed: references.borrowed,
    bytesSent: traffic?.sent ?? 0,
    bytesReceived: traffic?.received ?? 0,
    members: (room?.link.members() ?? []).map((member) => ({ ...member, tasksDone: dispatcher.doneBy(member.node) })),
  }
}

/** Sent and received. */
export function bytesOf(traffic: { readonly sent: number; readonly received: number } | undefined): number {
  return traffic === undefined ? 0 : traffic.sent + traffic.received
}

/** What of it is kept for somebody, of all its parts; `others` are the node's own. */
export function nodeHoldings(
  parts: NodeParts,
  others: Pick<NodeHoldings, 'questions' | 'timers' | 'stateQuestions'>,
): NodeHoldings {
  const { objects, store, references, tasks, ownership, scheduler, workers, actors, groups } = parts
  return {
    ownObjects: objects.ownCount,
    otherObjects: objects.othersCount,
    objectBytes: store.table.bytes,
    borrowed: references.pinned + references.borrowed,
    waiters: objects.waiterCount,
    pendingTasks: tasks.pendingCount + ownership.counts().pending,
    queuedTasks: scheduler.queued,
    sentTasks: scheduler.sent,
    runs: workers.runCount,
    ...actors.holdings(),
    ...groups.holdings(),
    recipes: tasks.lineageCount + ownership.counts().recipes,
    replicas: ownership.replicaCount,
    pulls: store.transfers.openPulls,
    workers: workers.workerCount,
    ...others,
  }
}

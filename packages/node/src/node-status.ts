import type { NodeId, ResourceSet, RoomId } from '@shoal/protocol'
import type { Scheduler } from '@shoal/scheduler'
import type { Actors } from './actors/actors.ts'
import type { Cancellation } from './cancellation.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Ownership } from './ledger/ownership.ts'
import type { NodeStatus } from './node-options.ts'
import type { ObjectStore } from './object-store.ts'
import type { OwnTasks } from './own-tasks.ts'
import type { References } from './references.ts'
import type { RoomLink } from './room-link.ts'
import { guestsAmong } from './work.ts'
import type { Work } from './work.ts'
import type { Workers } from './workers.ts'

export interface NodeParts {
  readonly self: NodeId
  readonly slots: number
  readonly isLending: boolean
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
}

/** People are shown what runs in their tab; more names than this nobody reads. */
const GUEST_NAMES = 3

/** What a node tells of itself, of all its parts. */
export function nodeStatus(parts: NodeParts): NodeStatus {
  const { self, slots, isLending, resources, room, scheduler, workers, tasks, actors } = parts
  const { dispatcher, cancellation, store, ownership, references } = parts
  const traffic = room?.link.traffic()
  const guests = guestsAmong(workers.runs(), self, GUEST_NAMES)
  return {
    room: room?.id,
    isServerUp: room?.link.isServerUp ?? false,
    isOffline: room?.link.isOffline ?? false,
    refusal: room?.link.refusal,
    isLending,
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
    members: room?.link.members() ?? [],
  }
}

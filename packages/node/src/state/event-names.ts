import type { EndEvent, NodeId, ObjectId, RunEvent } from '@shoal/protocol'
import type { EndedOnce, RanOnce } from './task-event-log.ts'

/** Bytes of an event without its names at most; of an id that it names. */
const EVENT_BYTES = 56
const ID_BYTES = 12
const OWNER_BYTES = 16

/** The lists that events of one answer share, and the events in their terms. Undefined: the answer has no room for it. */
export class EventNames {
  readonly names: string[] = []
  readonly owners: NodeId[] = []
  readonly #fits: (bytes: number) => boolean
  readonly #nameAt = new Map<string, number>()
  readonly #ownerAt = new Map<NodeId, number>()

  constructor(fits: (bytes: number) => boolean) {
    this.#fits = fits
  }

  run(ran: RanOnce, nowMs: number): RunEvent | undefined {
    const { id, attempt } = ran.work
    if (!this.#hasRoom(ran.name, 0, [id.owner])) return undefined
    return {
      name: this.#name(ran.name),
      type: ran.type,
      owner: this.#owner(id.owner),
      number: id.number,
      epoch: attempt.epoch,
      attempt: attempt.number,
      worker: ran.worker,
      outcome: ran.outcome,
      waited: ran.waited,
      endedAgo: micros(nowMs - ran.endedMs),
      ran: micros(ran.ranMs),
      blocked: micros(ran.blockedMs),
      queued: micros(ran.queuedMs),
      fetched: micros(ran.fetchedMs),
    }
  }

  end(ended: EndedOnce, nowMs: number): EndEvent | undefined {
    const { owner, task, needs, node, errorType, errorMessage } = ended
    const { parent, actor, attempt } = task
    const extra = needs.length * ID_BYTES + (errorType?.length ?? 0) + (errorMessage?.length ?? 0) * 3
    const owners = [owner, ...needs.map((need) => need.owner), node, parent?.owner, actor?.owner]
    if (!this.#hasRoom(ended.name, extra, owners)) return undefined
    return {
      name: this.#name(ended.name),
      type: ended.type,
      owner: this.#owner(owner),
      number: task.number,
      epoch: attempt?.epoch ?? 0,
      attempt: attempt?.number ?? 0,
      returns: ended.returns,
      node: node && this.#owner(node),
      endedAgo: micros(nowMs - ended.endedMs),
      parent: parent && this.#placed(parent),
      actor: actor && this.#placed(actor),
      needs: needs.map((need) => this.#placed(need)),
      moreNeeds: ended.moreNeeds,
      errorType,
      errorMessage,
    }
  }

  #hasRoom(name: string, extra: number, owners: readonly (NodeId | undefined)[]): boolean {
    const isNew = (owner: NodeId | undefined): boolean => owner !== undefined && !this.#ownerAt.has(owner)
    const newOwners = owners.filter(isNew).length
    const nameBytes = this.#nameAt.has(name) ? 0 : 2 + name.length * 3
    return this.#fits(EVENT_BYTES + extra + nameBytes + newOwners * OWNER_BYTES)
  }

  #placed({ owner, number }: ObjectId): { owner: number; number: number } {
    return { owner: this.#owner(owner), number }
  }

  #name(name: string): number {
    return placeIn(this.names, this.#nameAt, name)
  }

  #owner(owner: NodeId): number {
    return placeIn(this.owners, this.#ownerAt, owner)
  }
}

function placeIn<T>(list: T[], places: Map<T, number>, value: T): number {
  let at = places.get(value)
  if (at === undefined) {
    at = list.length
    places.set(value, at)
    list.push(value)
  }
  return at
}

function micros(ms: number): number {
  return Math.max(0, Math.round(ms * 1000))
}

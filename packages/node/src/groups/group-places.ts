import { RecentMap } from '@shoal/base'
import { ByteReader, ByteWriter, formatObjectId, groupRecord } from '@shoal/protocol'
import type { GroupRecord, NodeId, ObjectId } from '@shoal/protocol'

type Group = NonNullable<GroupRecord['group']>
/** Where the bundles of a group are, in their order. */
export type GroupBundles = Group['bundles']

export interface GroupPlacesOptions {
  readonly self: NodeId
  /** Writes the directory record of a slot of this node. */
  write(slot: number, body: Uint8Array<ArrayBuffer>): void
  /** Undefined: the group was removed. */
  changed(group: ObjectId, bundles: GroupBundles | undefined): void
}

/** Groups that are known to be removed. */
const MOST_GONE = 4_096

/**
 * Where the bundles of all groups of the room are, as the directory says, and those of this tab. A directory has no delete:
 * each owner numbers its records, and a number whose group was removed serves for the next. A group that is in no slot any
 * more was removed.
 */
export class GroupPlaces {
  readonly #options: GroupPlacesOptions
  /** By record, or slot of this node. */
  readonly #bySlot = new Map<string, { readonly id: ObjectId; readonly bundles: GroupBundles }>()
  readonly #slotOf = new Map<string, string>()
  readonly #gone = new RecentMap<string, boolean>(MOST_GONE)

  constructor(options: GroupPlacesOptions) {
    this.#options = options
  }

  /** Undefined: nobody has told of it. */
  bundlesOf(group: ObjectId): GroupBundles | undefined {
    return this.#bySlot.get(this.#slotOf.get(formatObjectId(group)) ?? '')?.bundles
  }

  isGone(group: ObjectId): boolean {
    return this.#gone.get(formatObjectId(group)) === true
  }

  /** Of a group of this tab; undefined: it was removed. */
  set(group: ObjectId, bundles: GroupBundles | undefined): void {
    const known = this.#slotOf.get(formatObjectId(group))
    if (known === undefined && bundles === undefined) {
      this.#forget(group)
      return
    }
    const key = known ?? this.#freeSlot()
    this.#learn(key, bundles && { id: group, bundles })
    this.#write(key)
  }

  /** A record of the directory has changed. */
  onRecord(key: string, body: Uint8Array<ArrayBuffer> | undefined): void {
    const [, slot = '', owner] = key.split('/')
    if (owner === this.#options.self) {
      // Of a former session perhaps, which numbered its groups in another way.
      if (body !== undefined && !this.#bySlot.has(ownSlot(slot)) && groupIn(body) !== undefined)
        this.#write(ownSlot(slot))
      return
    }
    // Whose node is gone says nothing any more; its groups end when its job does.
    if (body === undefined || owner === undefined) return
    const group = groupIn(body)
    this.#learn(key, group && { id: { owner: owner as NodeId, number: group.number }, bundles: group.bundles })
  }

  /** The tab is in a room now: it tells of its groups there. */
  entered(): void {
    for (const key of this.#bySlot.keys()) if (key.startsWith(OWN)) this.#write(key)
  }

  /** Owners of known groups. */
  owners(): Set<NodeId> {
    return new Set([...this.#bySlot.values()].map(({ id }) => id.owner))
  }

  /** The owner is gone for good. */
  ownerGone(owner: NodeId): void {
    for (const [key, { id }] of [...this.#bySlot]) if (id.owner === owner) this.#learn(key, undefined)
  }

  #learn(key: string, told: { readonly id: ObjectId; readonly bundles: GroupBundles } | undefined): void {
    const known = this.#bySlot.get(key)
    if (known !== undefined && known.id.number !== told?.id.number) {
      this.#bySlot.delete(key)
      this.#forget(known.id)
    }
    if (told === undefined) return
    // Its owner was away for longer than anybody waits, and has it still.
    if (this.isGone(told.id)) this.#gone.set(formatObjectId(told.id), false)
    this.#bySlot.set(key, told)
    this.#slotOf.set(formatObjectId(told.id), key)
    this.#options.changed(told.id, told.bundles)
  }

  #forget(group: ObjectId): void {
    this.#slotOf.delete(formatObjectId(group))
    this.#gone.set(formatObjectId(group), true)
    this.#options.changed(group, undefined)
  }

  #freeSlot(): string {
    let slot = 0
    while (this.#bySlot.has(ownSlot(slot))) slot++
    return ownSlot(slot)
  }

  #write(key: string): void {
    const known = this.#bySlot.get(key)
    const writer = new ByteWriter(128)
    groupRecord.write(writer, { group: known && { number: known.id.number, bundles: known.bundles } })
    this.#options.write(Number(key.slice(OWN.length)), writer.finish())
  }
}

const OWN = 'own '
const ownSlot = (slot: number | string): string => `${OWN}${slot}`

/** Writers are entitled to their records, not to be understood. */
function groupIn(body: Uint8Array<ArrayBuffer>): Group | undefined {
  try {
    return groupRecord.read(new ByteReader(body)).group
  } catch {
    return undefined
  }
}

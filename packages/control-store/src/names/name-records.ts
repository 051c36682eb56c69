import type { Log } from '@shoal/base'
import { ByteReader, ByteWriter, nameRecord } from '@shoal/protocol'
import type { ActorId, NameHolding, NodeId } from '@shoal/protocol'
import type { Directory } from '../directory/directory.ts'
import { nameKey } from './name-key.ts'
import type { ActorName } from './name-key.ts'
import { compareObjectIds } from './object-order.ts'

const KIND = 'name/'

/** Where the directory keeps what a holder's slot of that number stands for. */
export function nameRecordKey(slot: number, holder: NodeId): string {
  return `${KIND}${slot}/${holder}`
}

/**
 * The directory's records of names. A directory has no delete: so each holder numbers its records, and a number whose name
 * was released serves for the next. It leaves as many as it ever had names at a time.
 * Invariants: a slot stands for one name; whatever a record of ours says that is no name of this session is taken back,
 * since the tab may have been in the room before.
 */
export class NameRecords {
  readonly #self: NodeId
  readonly #log: Log
  readonly #directory: Pick<Directory, 'set'>
  /** By record: what it says, of all holders. */
  readonly #said = new Map<string, NameHolding>()
  /** By name: the records that say who holds it. */
  readonly #records = new Map<string, Set<string>>()
  /** Our names, and the slots that stand for them. */
  readonly #slots = new Map<string, number>()
  readonly #used = new Set<number>()

  constructor(options: {
    readonly self: NodeId
    readonly log: Log
    readonly directory: Pick<Directory, 'set' | 'entries' | 'subscribe'>
  }) {
    this.#self = options.self
    this.#log = options.log
    this.#directory = options.directory
    options.directory.subscribe(({ key, entry }) => {
      if (key.startsWith(KIND)) this.#learn(key, entry?.body)
    })
    for (const [key, { body }] of options.directory.entries(KIND)) this.#learn(key, body)
  }

  /** Who holds the name, as far as this node knows: of several, as after a partition, the lowest actor. */
  find(name: ActorName): ActorId | undefined {
    let lowest: ActorId | undefined
    for (const key of this.#records.get(nameKey(name)) ?? []) {
      const actor = this.#said.get(key)?.actor
      if (actor && (lowest === undefined || compareObjectIds(actor, lowest) < 0)) lowest = actor
    }
    return lowest
  }

  /** The name is the actor's, which is ours. */
  hold(name: ActorName, actor: ActorId): void {
    const key = nameKey(name)
    const slot = this.#slots.get(key) ?? this.#freeSlot()
    this.#slots.set(key, slot)
    this.#write(slot, { namespace: name.namespace, name: name.name, actor })
  }

  /** No actor of ours has the name any more. */
  release(name: ActorName): void {
    const slot = this.#slots.get(nameKey(name))
    if (slot === undefined) return
    this.#slots.delete(nameKey(name))
    this.#used.delete(slot)
    this.#write(slot, undefined)
  }

  #freeSlot(): number {
    let slot = 0
    while (this.#used.has(slot)) slot++
    this.#used.add(slot)
    return slot
  }

  #write(slot: number, holding: NameHolding | undefined): void {
    const writer = new ByteWriter(64)
    nameRecord.write(writer, { holding })
    this.#directory.set(nameRecordKey(slot, this.#self), writer.finish()).catch((error: unknown) => {
      this.#log.error('the record of a name could not be written', { name: holding?.name, error })
    })
  }

  #learn(key: string, body: Uint8Array<ArrayBuffer> | undefined): void {
    const known = this.#said.get(key)
    const told = body === undefined ? undefined : holdingIn(body)
    if (known !== undefined) this.#forget(key, known)
    if (told === undefined) return
    this.#said.set(key, told)
    const name = nameKey(told)
    this.#records.set(name, (this.#records.get(name) ?? new Set()).add(key))
    this.#takeBack(key)
  }

  #forget(key: string, { namespace, name }: NameHolding): void {
    this.#said.delete(key)
    const of = nameKey({ namespace, name })
    const records = this.#records.get(of)
    records?.delete(key)
    if (records?.size === 0) this.#records.delete(of)
  }

  /** Of a former session, which numbered its names in another way. */
  #takeBack(key: string): void {
    const [, slot, holder] = key.split('/')
    if (holder === this.#self && !this.#used.has(Number(slot))) this.#write(Number(slot), undefined)
  }
}

/** Writers are entitled to their records, not to be understood. */
function holdingIn(body: Uint8Array<ArrayBuffer>): NameHolding | undefined {
  try {
    return nameRecord.read(new ByteReader(body)).holding
  } catch {
    return undefined
  }
}

import { ObjectRef } from '@shoal/core-worker'
import type { CoreWorker } from '@shoal/core-worker'
import type { FormerSelf, Joined, JoinRequest } from '@shoal/node/web'
import {
  formatObjectId,
  formatRoomFragment,
  fromHex,
  LIMITS,
  parseNodeId,
  parseObjectId,
  THIS_NODE,
  toHex,
} from '@shoal/protocol'
import type { NodeId, ObjectId, RoomSecret } from '@shoal/protocol'

/** What of sessionStorage is used: one tab's, which a reload keeps, and which a duplicate of the tab gets a copy of. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** What the page of one tab finds after its reload. */
interface Found {
  /** The tabs that it was, the last one first. */
  readonly selves: readonly FormerSelf[]
  readonly names: readonly (readonly [name: string, id: ObjectId])[]
}

/** Rooms that sessions of this page are in: a second one in the same room is no reload of the first. */
const inUse = new Set<string>()

/**
 * Refs that a page keeps by name, and what it puts by for its reload: their ids, and by which secrets the next life of the
 * page may claim what this one had. Each life makes a new secret, and what it found is overwritten as soon as it is in
 * the room. Nothing of a key is stored but public ones. Where the page may store nothing, names live as long as the page.
 */
export class KeptRefs {
  readonly #core: CoreWorker
  readonly #storage: TabStorage | undefined
  readonly #names = new Map<string, ObjectId>()
  #place: string | undefined
  #found: Found = NOTHING
  #secret: Uint8Array<ArrayBuffer> | undefined
  /** As a driver in a room, this tab first. */
  #selves: readonly FormerSelf[] = []

  constructor(core: CoreWorker, storage: TabStorage | undefined) {
    this.#core = core
    this.#storage = storage
  }

  /** See Session.keep. */
  keep(name: string, ref: ObjectRef | undefined): void {
    if (typeof name !== 'string') throw new TypeError('keep() takes a name and a ref')
    if (name === '' || name.length > LIMITS.nameBytes)
      throw new RangeError(`a name has 1 to ${LIMITS.nameBytes} characters`)
    if (ref !== undefined && !ObjectRef.is(ref)) throw new TypeError(`keep('${name}', ref) takes an ObjectRef`)
    const former = this.#names.get(name)
    if (ref === undefined) this.#names.delete(name)
    else {
      if (former === undefined && this.#names.size >= LIMITS.keptRefs)
        throw new RangeError(`a page keeps ${LIMITS.keptRefs} refs at most; keep a ref to a list of refs instead`)
      const id = this.#core.idOf(ref)
      this.#core.keepId(id)
      this.#names.set(name, id)
    }
    if (former !== undefined) this.#core.dropId(former)
    this.#store()
  }

  /** See Session.kept. */
  kept<T>(name: string): ObjectRef<T> | undefined {
    const id = this.#names.get(name)
    if (id === undefined) return undefined
    this.#core.keepId(id)
    return this.#core.adoptRef(id) as ObjectRef<T>
  }

  /** The page is about to enter a room as a driver: what it found of its former self, and a new secret. */
  enter(room: RoomSecret): JoinRequest['reload'] {
    // The check characters of the link tell rooms apart and give nothing of its key away.
    const place = `shoal-driver ${formatRoomFragment(room).slice(-4)}`
    if (this.#storage === undefined || inUse.has(place)) return undefined
    this.#found = read(this.#storage, place)
    inUse.add(place)
    this.#place = place
    this.#secret = crypto.getRandomValues(new Uint8Array(16))
    return { secret: this.#secret, former: this.#found.selves, kept: this.#found.names.map(([, id]) => id) }
  }

  /** It is in the room: from now on a reload finds what this life has, and no more what the former one left. */
  entered(node: NodeId, { publicKey }: Pick<Joined, 'publicKey'>): void {
    if (this.#secret === undefined) return
    const { selves, names } = this.#found
    this.#found = NOTHING
    this.#selves = [{ node, publicKey, secret: this.#secret }, ...selves].slice(0, LIMITS.formerSelves)
    for (const [name, id] of names)
      // A name that was given again meanwhile is of this life.
      if (this.#names.has(name)) this.#core.dropId(id)
      else this.#names.set(name, id)
    this.#store()
  }

  /** The room was left for good, or could not be entered: `isOver` says whether what is stored is of no use any more. */
  left(isOver: boolean): void {
    if (this.#place === undefined) return
    inUse.delete(this.#place)
    const place = this.#place
    this.#place = this.#secret = undefined
    this.#selves = []
    if (!isOver) return
    for (const id of this.#names.values()) this.#core.dropId(id)
    this.#names.clear()
    try {
      this.#storage?.removeItem(place)
    } catch {
      // What may not be removed was never written.
    }
  }

  #store(): void {
    const [self] = this.#selves
    if (this.#place === undefined || self === undefined) return
    const text = JSON.stringify({
      selves: this.#selves.map(({ node, publicKey, secret }) => [node, toHex(publicKey), toHex(secret)]),
      names: [...this.#names].map(([name, id]) => [
        name,
        formatObjectId(id.owner === THIS_NODE ? { ...id, owner: self.node } : id),
      ]),
    })
    try {
      this.#storage?.setItem(this.#place, text)
    } catch {
      // No room left for it, or storage was switched off: a reload finds less.
    }
  }
}

const NOTHING: Found = { selves: [], names: [] }

/** Undefined in frames that may not store anything. */
export function tabStorage(): TabStorage | undefined {
  try {
    return globalThis.sessionStorage
  } catch {
    return undefined
  }
}

/** Whatever else of this origin may have written there: what does not make sense is nothing. */
function read(storage: TabStorage, place: string): Found {
  try {
    const { selves, names } = JSON.parse(storage.getItem(place) ?? '') as {
      selves: readonly (readonly [string, string, string])[]
      names: readonly (readonly [string, string])[]
    }
    const found = {
      selves: selves.slice(0, LIMITS.formerSelves).map(([node, publicKey, secret]) => ({
        node: parseNodeId(node),
        publicKey: sized(fromHex(publicKey), 32),
        secret: sized(fromHex(secret), 16),
      })),
      names: names.slice(0, LIMITS.keptRefs).map(([name, id]) => [String(name), parseObjectId(id)] as const),
    }
    return found
  } catch {
    return NOTHING
  }
}

function sized(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes`)
  return bytes
}

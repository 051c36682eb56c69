import { formatObjectId } from '@shoal/protocol'
import type { ObjectId, RegisteredName } from '@shoal/protocol'

/** A room's names, as `RoomLink` has them. */
export interface RoomNames {
  claimName(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined>
  releaseName(name: RegisteredName, actor: ObjectId): void
  findName(name: RegisteredName): Promise<ObjectId | undefined>
}

/**
 * The names that actors of this tab have or want: in a room the room's, else this tab's own. What was named while the tab
 * was alone is claimed when it enters a room, and may turn out to be another's there.
 */
export class ActorNames {
  readonly #held = new Map<string, { readonly name: RegisteredName; readonly actor: ObjectId }>()
  readonly #lost: (actor: ObjectId) => void
  #room: RoomNames | undefined

  /** `lost` is called when an actor's name turns out to be another's. */
  constructor(lost: (actor: ObjectId) => void) {
    this.#lost = lost
  }

  async claim(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined> {
    const key = keyOf(name)
    const known = this.#held.get(key)
    if (known !== undefined && !isSame(known.actor, actor)) return known.actor
    // From now on: two of this tab that ask at once are one after the other.
    this.#held.set(key, { name, actor })
    if (this.#room === undefined) return undefined
    try {
      const holder = await this.#room.claimName(name, actor)
      if (holder !== undefined) this.#forget(name, actor)
      return holder
    } catch (error) {
      this.#forget(name, actor)
      throw error
    }
  }

  release(name: RegisteredName, actor: ObjectId): void {
    if (this.#forget(name, actor)) this.#room?.releaseName(name, actor)
  }

  find(name: RegisteredName): Promise<ObjectId | undefined> {
    const own = this.#held.get(keyOf(name))
    return own !== undefined || this.#room === undefined ? Promise.resolve(own?.actor) : this.#room.findName(name)
  }

  /** After a partition the room gave the name to another. */
  lost(actor: ObjectId): void {
    for (const { name, actor: holder } of this.#held.values()) if (isSame(holder, actor)) this.#forget(name, actor)
    this.#lost(actor)
  }

  enter(room: RoomNames): void {
    this.#room = room
    for (const { name, actor } of [...this.#held.values()])
      room.claimName(name, actor).then(
        (holder) => {
          if (holder !== undefined) this.lost(actor)
        },
        () => undefined,
      )
  }

  leave(): void {
    this.#room = undefined
  }

  #forget(name: RegisteredName, actor: ObjectId): boolean {
    const key = keyOf(name)
    const known = this.#held.get(key)
    return known !== undefined && isSame(known.actor, actor) && this.#held.delete(key)
  }
}

function keyOf({ namespace, name }: RegisteredName): string {
  return `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`
}

function isSame(a: ObjectId, b: ObjectId): boolean {
  return formatObjectId(a) === formatObjectId(b)
}

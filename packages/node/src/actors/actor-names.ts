import { formatObjectId } from '@shoal/protocol'
import type { ObjectId, RegisteredName } from '@shoal/protocol'

/** A room's names, as `RoomLink` has them. */
export interface RoomNames {
  claimName(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined>
  releaseName(name: RegisteredName, actor: ObjectId): void
  findName(name: RegisteredName): Promise<ObjectId | undefined>
}

/** A claim that nobody has answered. */
interface OpenClaim {
  readonly name: RegisteredName
  readonly actor: ObjectId
  settle(holder: ObjectId | undefined): void
  fail(error: unknown): void
}

/**
 * The names that actors of this tab have or want: in a room the room's, else this tab's own. What was named while the tab
 * was alone is claimed when it enters a room, and may turn out to be another's there.
 */
export class ActorNames {
  readonly #held = new Map<string, { readonly name: RegisteredName; readonly actor: ObjectId }>()
  readonly #lost: (actor: ObjectId) => void
  readonly #open = new Set<OpenClaim>()
  /** The room was left in order to enter it again: claims wait for that. */
  #isAway = false
  #room: RoomNames | undefined

  /** `lost` is called when an actor's name turns out to be another's. */
  constructor(lost: (actor: ObjectId) => void) {
    this.#lost = lost
  }

  claim(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined> {
    const key = keyOf(name)
    const known = this.#held.get(key)
    if (known !== undefined && !isSame(known.actor, actor)) return Promise.resolve(known.actor)
    // From now on: two of this tab that ask at once are one after the other.
    this.#held.set(key, { name, actor })
    if (this.#room === undefined && !this.#isAway) return Promise.resolve(undefined)
    return new Promise((settle, fail) => {
      const claim = { name, actor, settle, fail }
      this.#open.add(claim)
      this.#ask(claim)
    })
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
    this.#isAway = false
    const open = [...this.#open]
    for (const claim of open) this.#ask(claim)
    for (const { name, actor } of [...this.#held.values()])
      if (!open.some((claim) => isSame(claim.actor, actor)))
        room.claimName(name, actor).then(
          (holder) => {
            if (holder !== undefined) this.lost(actor)
          },
          () => undefined,
        )
  }

  /** `isBack`: in order to enter again, and what was not answered is asked there. */
  leave(isBack: boolean): void {
    this.#room = undefined
    this.#isAway = isBack
    if (isBack) return
    for (const claim of this.#open) claim.settle(undefined)
    this.#open.clear()
  }

  /** What a room that was left says of it counts no more. */
  #ask(claim: OpenClaim): void {
    const room = this.#room
    if (room === undefined) return
    const { name, actor } = claim
    const isOver = (): boolean => this.#room !== room || !this.#open.delete(claim)
    room.claimName(name, actor).then(
      (holder) => {
        if (isOver()) return
        if (holder !== undefined) this.#forget(name, actor)
        claim.settle(holder)
      },
      (error: unknown) => {
        if (isOver()) return
        this.#forget(name, actor)
        claim.fail(error)
      },
    )
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

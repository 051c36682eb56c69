import { formatObjectId, ObjectFreedError, THIS_NODE } from '@shoal/protocol'
import type { ObjectId } from '@shoal/protocol'
import { HANDLE } from './foreign-handle.ts'

// Safari has no Symbol.dispose yet: a class key written with it would be named `undefined` there.
if (typeof Symbol.dispose !== 'symbol')
  Object.defineProperty(Symbol, 'dispose', { value: Symbol.for('Symbol.dispose') })

declare const valueType: unique symbol

/** What a ref needs from the core worker that made it. */
export interface RefHome {
  release(id: ObjectId, ref: ObjectRef): void
}

// Not methods: user code gets hold of refs, and must not get from them to what is behind.
/** The id of a ref. @throws ObjectFreedError after its release. */
export let idOf: (ref: ObjectRef) => ObjectId
/** The core worker that a ref belongs to. */
export let homeOf: (ref: ObjectRef) => RefHome
/** False when the ref has this stamp already: finds a ref that is in a list twice without a table. */
export let markOnce: (ref: ObjectRef, stamp: number) => boolean

/**
 * A future for a value that a task returns or `put` stored. It has no `then`: `await get(ref)` fetches the value, and
 * passing the ref as an argument passes the value on without fetching it here. End it with `using` or `release()` when
 * it is no longer needed; the collector is only a hint.
 *
 * @example
 * const double = remote((n: number) => 2 * n)
 * {
 *   using half: ObjectRef<number> = double.remote(5)
 *   await get(double.remote(half)) // 20
 * } // released here
 */
export class ObjectRef<T = unknown> {
  declare readonly [valueType]: T
  readonly #home: RefHome
  readonly #id: ObjectId
  #isReleased = false
  #stamp = 0

  /** Made by Shoal, not by applications. */
  constructor(home: RefHome, id: ObjectId) {
    this.#home = home
    this.#id = id
  }

  /** The id as text, unique in the room once the ref has left its tab. */
  get id(): string {
    return this.#id.owner === THIS_NODE ? `this-tab/${this.#id.number}` : formatObjectId(this.#id)
  }

  /** Ends this reference; twice is harmless. Tasks that already have it as an argument keep the object alive. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#home.release(this.#id, this)
  }

  [Symbol.dispose](): void {
    this.release()
  }

  /** @throws TypeError: a ref is no value. */
  toJSON(): never {
    throw new TypeError('an ObjectRef was used as a value: await get(ref) gives what it stands for')
  }

  /** @throws TypeError: a ref is no value. */
  [Symbol.toPrimitive](): never {
    throw new TypeError('an ObjectRef was used as a value: await get(ref) gives what it stands for')
  }

  get [HANDLE](): true {
    return true
  }

  get [Symbol.toStringTag](): string {
    return 'ObjectRef'
  }

  static {
    idOf = (ref) => {
      if (ref.#isReleased)
        throw new ObjectFreedError('object-freed', `${ref.id} was released and can no longer be used`, {
          details: { objectId: ref.id },
        })
      return ref.#id
    }
    homeOf = (ref) => ref.#home
    markOnce = (ref, stamp) => {
      if (ref.#stamp === stamp) return false
      ref.#stamp = stamp
      return true
    }
  }

  /** True for any object made by this class in this copy of the SDK. */
  static is(value: unknown): value is ObjectRef {
    return typeof value === 'object' && value !== null && #home in value
  }
}

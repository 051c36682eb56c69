import type { Clock } from '@shoal/base'
import type { RefFinalizer } from '@shoal/core-worker'
import type { ObjectId } from '@shoal/protocol'

/**
 * The collector of one simulated thread: it takes every ref that nobody released when it is told to, and never by
 * itself, so that runs replay.
 */
export class SimCollector {
  readonly #live = new Map<object, () => void>()

  /** The finalizer of one core worker of the thread. */
  readonly createFinalizer = (collected: (id: ObjectId) => void): RefFinalizer => ({
    register: (ref, id) => void this.#live.set(ref, () => collected(id)),
    unregister: (ref) => void this.#live.delete(ref),
  })

  /** Refs that were made and neither released nor collected. */
  get liveCount(): number {
    return this.#live.size
  }

  /** Collects all of them, as when no code refers to any. */
  collect(): void {
    const collected = [...this.#live.values()]
    this.#live.clear()
    for (const take of collected) take()
  }

  /** Collects each of those that live now after a delay of its own. */
  collectLater(clock: Clock, delayMs: () => number): void {
    for (const ref of this.#live.keys())
      clock.after(delayMs(), () => {
        const take = this.#live.get(ref)
        this.#live.delete(ref)
        take?.()
      })
  }
}

/**
 * The last so many steps of all episodes, to learn from in any order (Lin, "Self-improving reactive agents", 1992). A full
 * one forgets the oldest.
 */
import type { Xoshiro128 } from '../random/xoshiro128.ts'
import type { Episode } from '../runner/episode.ts'

/** Steps side by side; row i of each belongs together. Lent until the next draw. */
export interface ReplayBatch {
  /** count x observationSize. */
  readonly observations: Float32Array
  readonly nextObservations: Float32Array
  readonly actions: Int32Array
  readonly rewards: Float32Array
  /** 1 where nothing follows. */
  readonly terminated: Uint8Array
}

export class ReplayBuffer {
  readonly capacity: number
  readonly #observationSize: number
  readonly #kept: ReplayBatch
  #batch: ReplayBatch | undefined
  #size = 0
  #next = 0

  /** @throws RangeError for a capacity that is no whole number of 1 or more. */
  constructor(capacity: number, observationSize: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError(`a buffer of ${capacity} steps`)
    this.capacity = capacity
    this.#observationSize = observationSize
    this.#kept = emptyBatch(capacity, observationSize)
  }

  /** Steps in it. */
  get size(): number {
    return this.#size
  }

  add({ length, observations, actions, rewards, isTerminated }: Episode): void {
    const size = this.#observationSize
    const kept = this.#kept
    for (let t = 0; t < length; t += 1) {
      const at = this.#next
      kept.observations.set(observations.subarray(t * size, (t + 1) * size), at * size)
      kept.nextObservations.set(observations.subarray((t + 1) * size, (t + 2) * size), at * size)
      kept.actions[at] = actions[t]!
      kept.rewards[at] = rewards[t]!
      kept.terminated[at] = isTerminated && t === length - 1 ? 1 : 0
      this.#next = (at + 1) % this.capacity
      this.#size = Math.min(this.#size + 1, this.capacity)
    }
  }

  /** `count` steps, each as likely as any other, with repetition. @throws RangeError when there are none. */
  draw(count: number, random: Xoshiro128): ReplayBatch {
    if (this.#size === 0) throw new RangeError('the buffer is empty')
    const size = this.#observationSize
    const kept = this.#kept
    if (this.#batch?.actions.length !== count) this.#batch = emptyBatch(count, size)
    const batch = this.#batch
    for (let i = 0; i < count; i += 1) {
      const at = random.nextInt(this.#size)
      batch.observations.set(kept.observations.subarray(at * size, (at + 1) * size), i * size)
      batch.nextObservations.set(kept.nextObservations.subarray(at * size, (at + 1) * size), i * size)
      batch.actions[i] = kept.actions[at]!
      batch.rewards[i] = kept.rewards[at]!
      batch.terminated[i] = kept.terminated[at]!
    }
    return batch
  }
}

function emptyBatch(count: number, observationSize: number): ReplayBatch {
  return {
    observations: new Float32Array(count * observationSize),
    nextObservations: new Float32Array(count * observationSize),
    actions: new Int32Array(count),
    rewards: new Float32Array(count),
    terminated: new Uint8Array(count),
  }
}

/**
 * Serves a policy-value network: calls that are there at the same time are answered from one batch. As an actor of some
 * concurrency it serves many searches and players at once. It holds no game.
 */
import { PolicyValueNet } from './policy-value-net.ts'
import type { PolicyValueSpec, Prediction } from './policy-value-net.ts'

export interface ServerStats {
  readonly calls: number
  readonly positions: number
  readonly batches: number
  /** Most positions of one batch. */
  readonly largest: number
}

interface Call {
  readonly inputs: Float32Array
  readonly count: number
  readonly resolve: (prediction: Prediction) => void
}

export class PolicyServer {
  readonly #network: PolicyValueNet
  readonly #capacity: number
  #weights: Float32Array
  #waiting: Call[] = []
  #stats: ServerStats = { calls: 0, positions: 0, batches: 0, largest: 0 }

  /** Batches of up to `capacity` positions. @throws RangeError when the weights are another network's. */
  constructor(spec: PolicyValueSpec, weights: Float32Array, capacity = 256) {
    this.#network = new PolicyValueNet(spec, capacity)
    this.#capacity = capacity
    this.#weights = weights
    this.setWeights(weights)
  }

  /** From the next batch on. */
  setWeights(weights: Float32Array): void {
    const { parameterCount } = this.#network
    if (weights.length !== parameterCount) throw new RangeError(`${parameterCount} weights, got ${weights.length}`)
    this.#weights = weights
  }

  /** `inputs`: positions x inputSize. @throws RangeError when that is no whole number of positions up to the capacity. */
  predict(inputs: Float32Array): Promise<Prediction> {
    const count = inputs.length / this.#network.spec.inputSize
    if (!Number.isInteger(count) || count < 1 || count > this.#capacity) {
      return Promise.reject(new RangeError(`${count} positions; a call takes 1 to ${this.#capacity}`))
    }
    return new Promise((resolve) => {
      // After what is delivered now: calls that came together are answered together.
      if (this.#waiting.length === 0) setTimeout(() => this.#answer(), 0)
      this.#waiting.push({ inputs, count, resolve })
    })
  }

  stats(): ServerStats {
    return this.#stats
  }

  #answer(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let from = 0; from < waiting.length;) {
      let to = from
      let positions = 0
      while (to < waiting.length && positions + waiting[to]!.count <= this.#capacity) positions += waiting[to++]!.count
      this.#answerBatch(waiting.slice(from, to), positions)
      from = to
    }
  }

  #answerBatch(calls: readonly Call[], positions: number): void {
    const { actions, inputSize } = this.#network.spec
    const inputs = new Float32Array(positions * inputSize)
    let at = 0
    for (const call of calls) {
      inputs.set(call.inputs, at * inputSize)
      at += call.count
    }
    const { policies, values } = this.#network.predict(this.#weights, inputs, positions)
    at = 0
    for (const { count, resolve } of calls) {
      resolve({
        policies: policies.slice(at * actions, (at + count) * actions),
        values: values.slice(at, at + count),
      })
      at += count
    }
    const { calls: callsBefore, positions: positionsBefore, batches, largest } = this.#stats
    this.#stats = {
      calls: callsBefore + calls.length,
      positions: positionsBefore + positions,
      batches: batches + 1,
      largest: Math.max(largest, positions),
    }
  }
}

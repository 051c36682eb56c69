/**
 * A multi-layer perceptron over one flat parameter vector: tanh in the hidden layers, a linear last layer.
 * Layout, layer by layer: weights row by row (outputs x inputs), then biases (outputs). It owns its activations, so
 * `forward` allocates nothing; it does not own parameters, which is what lets evolution strategies try thousands of them.
 */
import type { Xoshiro128 } from './random/xoshiro128.ts'

export type Parameters = Float64Array | Float32Array

/** How many numbers an MLP of these layer sizes has. */
export function parameterCount(sizes: readonly number[]): number {
  let count = 0
  for (let layer = 1; layer < sizes.length; layer += 1) count += (sizes[layer - 1]! + 1) * sizes[layer]!
  return count
}

/**
 * Start parameters: weights N(0, 1/inputs), those of the last layer times `lastLayerScale`, biases zero. A small last
 * layer starts as a policy without an opinion.
 */
export function initialParameters(sizes: readonly number[], lastLayerScale: number, random: Xoshiro128): Float32Array {
  const parameters = new Float32Array(parameterCount(sizes))
  let at = 0
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const inputs = sizes[layer - 1]!
    const scale = (layer === sizes.length - 1 ? lastLayerScale : 1) / Math.sqrt(inputs)
    const weights = inputs * sizes[layer]!
    for (let i = 0; i < weights; i += 1) parameters[at + i] = scale * random.nextNormal()
    at += weights + sizes[layer]!
  }
  return parameters
}

export class Mlp {
  readonly sizes: readonly number[]
  readonly parameterCount: number
  readonly #activations: readonly Float64Array[]

  /** @throws RangeError unless there are two or more layers, each of a positive whole size. */
  constructor(sizes: readonly number[]) {
    if (sizes.length < 2 || sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
      throw new RangeError(`an MLP needs two or more layers of positive sizes, got [${sizes.join(', ')}]`)
    }
    this.sizes = sizes
    this.parameterCount = parameterCount(sizes)
    this.#activations = sizes.slice(1).map((size) => new Float64Array(size))
  }

  /**
   * The last layer's values, before any squashing; lent until the next call. Shorter parameters or inputs than the
   * sizes say are the caller's bug: they are read unchecked, this is the hot loop.
   */
  forward(parameters: Parameters, input: Parameters): Float64Array {
    let from = input
    let at = 0
    const last = this.#activations.length - 1
    for (let layer = 0; ; layer += 1) {
      const to = this.#activations[layer]!
      const inputs = this.sizes[layer]!
      const outputs = to.length
      const biases = at + inputs * outputs
      for (let o = 0; o < outputs; o += 1) {
        let sum = parameters[biases + o]!
        for (let i = 0; i < inputs; i += 1) sum += parameters[at + i]! * from[i]!
        at += inputs
        to[o] = layer === last ? sum : Math.tanh(sum)
      }
      if (layer === last) return to
      at = biases + outputs
      from = to
    }
  }
}

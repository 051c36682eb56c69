/**
 * The multi-layer perceptron of `mlp.ts` over many inputs at once, with back-propagation (Rumelhart, Hinton and Williams, 1986).
 * Same layout of the flat parameters: per layer weights row by row (outputs x inputs), then biases; the last layer is
 * linear. It owns its activations, so that neither pass allocates; parameters and gradients are the caller's. Sums are in a
 * fixed order: the same input gives the same bits.
 */
import { parameterCount } from '../mlp.ts'
import type { Parameters } from '../mlp.ts'

export type Activation = 'tanh' | 'relu'

export class BatchMlp {
  readonly sizes: readonly number[]
  readonly parameterCount: number
  readonly capacity: number
  readonly #isRelu: boolean
  /** [0] the input, [k] what layer k gave; capacity x size each. */
  readonly #values: readonly Float64Array[]
  /** Likewise, the loss's gradient by what layer k gave before its activation; none for the input. */
  readonly #deltas: readonly Float64Array[]
  #count = 0

  /**
   * For up to `capacity` inputs at a time.
   * @throws RangeError unless there are two or more layers, each of a positive whole size, and a positive capacity.
   */
  constructor(sizes: readonly number[], capacity: number, activation: Activation = 'tanh') {
    const isPositive = (n: number): boolean => Number.isSafeInteger(n) && n >= 1
    if (sizes.length < 2 || !sizes.every(isPositive) || !isPositive(capacity)) {
      throw new RangeError(`no MLP of layers [${sizes.join(', ')}] for ${capacity} inputs`)
    }
    this.sizes = sizes
    this.capacity = capacity
    this.parameterCount = parameterCount(sizes)
    this.#isRelu = activation === 'relu'
    this.#values = sizes.map((size) => new Float64Array(size * capacity))
    this.#deltas = sizes.map((size) => new Float64Array(size * capacity))
  }

  /**
   * count x outputs, row by row, lent until the next call; `inputs` is count x inputs. Shorter arrays than that are the
   * caller's bug: they are read unchecked. @throws RangeError for a count above the capacity.
   */
  forward(parameters: Parameters, inputs: Parameters, count: number): Float64Array {
    if (count > this.capacity) throw new RangeError(`${count} inputs for a capacity of ${this.capacity}`)
    this.#count = count
    const first = this.#values[0]!
    for (let i = 0; i < count * this.sizes[0]!; i += 1) first[i] = inputs[i]!
    const last = this.sizes.length - 1
    for (let layer = 1, at = 0; layer <= last; layer += 1) {
      const inputSize = this.sizes[layer - 1]!
      const outputSize = this.sizes[layer]!
      const to = this.#values[layer]!
      affine(parameters, at, this.#values[layer - 1]!, inputSize, to, outputSize, count)
      at += (inputSize + 1) * outputSize
      if (layer < last) this.#activate(to, count * outputSize)
    }
    return this.#values[last]!
  }

  /**
   * Adds the loss's gradient by the parameters to `gradient`, for the inputs of the last `forward` and the same
   * parameters. `outputGradient`: the loss's gradient by each output, count x outputs.
   */
  backward(parameters: Parameters, outputGradient: Float64Array, gradient: Float64Array): void {
    const count = this.#count
    let delta = outputGradient
    let at = this.parameterCount
    for (let layer = this.sizes.length - 1; layer >= 1; layer -= 1) {
      const inputSize = this.sizes[layer - 1]!
      const outputSize = this.sizes[layer]!
      at -= (inputSize + 1) * outputSize
      const from = this.#values[layer - 1]!
      const below = layer > 1 ? this.#deltas[layer - 1]! : undefined
      below?.fill(0, 0, count * inputSize)
      const biases = at + inputSize * outputSize
      for (let row = 0; row < count; row += 1) {
        const input = row * inputSize
        for (let o = 0; o < outputSize; o += 1) {
          const d = delta[row * outputSize + o]!
          if (d === 0) continue
          gradient[biases + o]! += d
          const weights = at + o * inputSize
          if (below === undefined) {
            for (let i = 0; i < inputSize; i += 1) gradient[weights + i]! += d * from[input + i]!
          } else {
            for (let i = 0; i < inputSize; i += 1) {
              gradient[weights + i]! += d * from[input + i]!
              below[input + i]! += d * parameters[weights + i]!
            }
          }
        }
      }
      if (below === undefined) return
      this.#unactivate(below, from, count * inputSize)
      delta = below
    }
  }

  #activate(values: Float64Array, size: number): void {
    if (this.#isRelu) {
      for (let i = 0; i < size; i += 1) if (values[i]! < 0) values[i] = 0
    } else {
      for (let i = 0; i < size; i += 1) values[i] = Math.tanh(values[i]!)
    }
  }

  /** Takes gradients by what a layer gave back through its activation, whose slope can be told from what it gave. */
  #unactivate(delta: Float64Array, given: Float64Array, size: number): void {
    if (this.#isRelu) {
      for (let i = 0; i < size; i += 1) if (given[i] === 0) delta[i] = 0
    } else {
      for (let i = 0; i < size; i += 1) delta[i]! *= 1 - given[i]! * given[i]!
    }
  }
}

/** to = weights * from + biases for each row. Four outputs at a time, so that each input is read once for all of them. */
function affine(
  parameters: Parameters,
  at: number,
  from: Float64Array,
  inputSize: number,
  to: Float64Array,
  outputSize: number,
  count: number,
): void {
  const biases = at + inputSize * outputSize
  for (let row = 0; row < count; row += 1) {
    const input = row * inputSize
    const output = row * outputSize
    let o = 0
    for (; o + 3 < outputSize; o += 4) {
      const w0 = at + o * inputSize
      const w1 = w0 + inputSize
      const w2 = w1 + inputSize
      const w3 = w2 + inputSize
      let s0 = parameters[biases + o]!
      let s1 = parameters[biases + o + 1]!
      let s2 = parameters[biases + o + 2]!
      let s3 = parameters[biases + o + 3]!
      for (let i = 0; i < inputSize; i += 1) {
        const x = from[input + i]!
        s0 += parameters[w0 + i]! * x
        s1 += parameters[w1 + i]! * x
        s2 += parameters[w2 + i]! * x
        s3 += parameters[w3 + i]! * x
      }
      to[output + o] = s0
      to[output + o + 1] = s1
      to[output + o + 2] = s2
      to[output + o + 3] = s3
    }
    for (; o < outputSize; o += 1) {
      const weights = at + o * inputSize
      let sum = parameters[biases + o]!
      for (let i = 0; i < inputSize; i += 1) sum += parameters[weights + i]! * from[input + i]!
      to[output + o] = sum
    }
  }
}

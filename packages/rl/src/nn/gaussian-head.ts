import type { Parameters } from '../mlp.ts'
import type { Xoshiro128 } from '../random/xoshiro128.ts'
import type { ActionHead } from './action-head.ts'

const HALF_LOG_TAU = 0.5 * Math.log(2 * Math.PI)

/**
 * Independent normals: the outputs are their means, the extra parameters the logarithms of their standard deviations, the same
 * in every state.
 */
export class GaussianHead implements ActionHead {
  readonly outputSize: number
  readonly extraSize: number
  readonly actionSize: number
  readonly #mean: Float64Array
  readonly #logStd: Float64Array

  constructor(size: number) {
    this.outputSize = size
    this.extraSize = size
    this.actionSize = size
    this.#mean = new Float64Array(size)
    this.#logStd = new Float64Array(size)
  }

  look(outputs: Float64Array, offset: number, parameters: Parameters, extraOffset: number): void {
    for (let i = 0; i < this.actionSize; i += 1) {
      this.#mean[i] = outputs[offset + i]!
      this.#logStd[i] = parameters[extraOffset + i]!
    }
  }

  sample(random: Xoshiro128, target: Float32Array, offset: number): void {
    for (let i = 0; i < this.actionSize; i += 1) {
      target[offset + i] = this.#mean[i]! + Math.exp(this.#logStd[i]!) * random.nextNormal()
    }
  }

  mode(target: Float32Array, offset: number): void {
    for (let i = 0; i < this.actionSize; i += 1) target[offset + i] = this.#mean[i]!
  }

  logProb(action: Float32Array, offset: number): number {
    let sum = 0
    for (let i = 0; i < this.actionSize; i += 1) {
      const z = (action[offset + i]! - this.#mean[i]!) / Math.exp(this.#logStd[i]!)
      sum -= 0.5 * z * z + this.#logStd[i]! + HALF_LOG_TAU
    }
    return sum
  }

  entropy(): number {
    let sum = 0
    for (let i = 0; i < this.actionSize; i += 1) sum += this.#logStd[i]! + 0.5 + HALF_LOG_TAU
    return sum
  }

  addGradient(
    action: Float32Array,
    offset: number,
    byLogProb: number,
    byEntropy: number,
    target: Float64Array,
    targetOffset: number,
    extraTarget: Float64Array,
    extraTargetOffset: number,
  ): void {
    for (let i = 0; i < this.actionSize; i += 1) {
      const std = Math.exp(this.#logStd[i]!)
      const z = (action[offset + i]! - this.#mean[i]!) / std
      target[targetOffset + i]! += (byLogProb * z) / std
      extraTarget[extraTargetOffset + i]! += byLogProb * (z * z - 1) + byEntropy
    }
  }
}

import type { Xoshiro128 } from '../random/xoshiro128.ts'
import type { ActionHead } from './action-head.ts'

/** Choices 0 .. n-1 with probabilities softmax(outputs). An action is one number, the index. */
export class CategoricalHead implements ActionHead {
  readonly outputSize: number
  readonly extraSize = 0
  readonly actionSize = 1
  readonly #logProbs: Float64Array
  readonly #probs: Float64Array

  constructor(n: number) {
    this.outputSize = n
    this.#logProbs = new Float64Array(n)
    this.#probs = new Float64Array(n)
  }

  look(outputs: Float64Array, offset: number): void {
    const n = this.outputSize
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < n; i += 1) if (outputs[offset + i]! > most) most = outputs[offset + i]!
    let sum = 0
    for (let i = 0; i < n; i += 1) sum += Math.exp(outputs[offset + i]! - most)
    const logSum = most + Math.log(sum)
    for (let i = 0; i < n; i += 1) {
      const logProb = outputs[offset + i]! - logSum
      this.#logProbs[i] = logProb
      this.#probs[i] = Math.exp(logProb)
    }
  }

  sample(random: Xoshiro128, target: Float32Array, offset: number): void {
    const draw = random.nextDouble()
    const last = this.outputSize - 1
    let choice = 0
    for (let sum = this.#probs[0]!; choice < last && sum <= draw; sum += this.#probs[choice]!) choice += 1
    target[offset] = choice
  }

  mode(target: Float32Array, offset: number): void {
    let best = 0
    for (let i = 1; i < this.outputSize; i += 1) if (this.#probs[i]! > this.#probs[best]!) best = i
    target[offset] = best
  }

  logProb(action: Float32Array, offset: number): number {
    return this.#logProbs[action[offset]!]!
  }

  entropy(): number {
    let sum = 0
    for (let i = 0; i < this.outputSize; i += 1) sum -= this.#probs[i]! * this.#logProbs[i]!
    return sum
  }

  addGradient(
    action: Float32Array,
    offset: number,
    byLogProb: number,
    byEntropy: number,
    target: Float64Array,
    targetOffset: number,
  ): void {
    const entropy = this.entropy()
    const chosen = action[offset]!
    for (let i = 0; i < this.outputSize; i += 1) {
      const p = this.#probs[i]!
      target[targetOffset + i]! +=
        byLogProb * ((i === chosen ? 1 : 0) - p) - byEntropy * p * (this.#logProbs[i]! + entropy)
    }
  }
}

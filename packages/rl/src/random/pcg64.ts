/**
 * PCG64 (XSL-RR 128/64) as NumPy's default_rng seeds and runs it. M. O'Neill, "PCG: A family of simple fast
 * space-efficient statistically good algorithms for random number generation" (2014).
 * BigInt makes it slow (about a microsecond a draw), which is fine for what it is for: start states equal to
 * Gymnasium's. Hot loops use `Xoshiro128`.
 */
import type { UniformSource } from './random.ts'
import { seedSequenceState } from './seed-sequence.ts'

const MASK_64 = (1n << 64n) - 1n
const MASK_128 = (1n << 128n) - 1n
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n

export class Pcg64 implements UniformSource {
  #state = 0n
  readonly #increment: bigint

  /** @throws RangeError when seed is no integer in [0, 2^53). */
  constructor(seed: number) {
    const words = seedSequenceState(seed, 8)
    const quad = (i: number): bigint => (BigInt(words[2 * i + 1] ?? 0) << 32n) | BigInt(words[2 * i] ?? 0)
    this.#increment = ((((quad(2) << 64n) | quad(3)) << 1n) | 1n) & MASK_128
    this.#advance()
    this.#state = (this.#state + ((quad(0) << 64n) | quad(1))) & MASK_128
    this.#advance()
  }

  /** The next 64 bits, as a non-negative BigInt. */
  nextUint64(): bigint {
    this.#advance()
    const folded = (this.#state >> 64n) ^ (this.#state & MASK_64)
    const rotation = this.#state >> 122n
    return ((folded >> rotation) | (folded << (64n - rotation))) & MASK_64
  }

  /** Uniform in [0, 1) with 53 random bits. */
  nextDouble(): number {
    return Number(this.nextUint64() >> 11n) * 2 ** -53
  }

  #advance(): void {
    this.#state = (this.#state * MULTIPLIER + this.#increment) & MASK_128
  }
}

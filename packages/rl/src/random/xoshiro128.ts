/**
 * The house generator for hot loops: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded through splitmix32. Only integer operations, + - * / and sqrt are used, so a seed gives the
 * same bits in every engine: what a tab on a phone draws is what the driver draws.
 */
import type { UniformSource } from './random.ts'

const WEYL = 0x9e3779b9

/** One splitmix32 output for a counter: MurmurHash3's finalizer over it. Good enough to derive child seeds from seeds. */
export function splitmix32(counter: number): number {
  let z = (counter + WEYL) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}

/** A seed (uint32) that depends on all parts, in order: `mixSeeds(runSeed, iteration, purpose)`. */
export function mixSeeds(...parts: readonly number[]): number {
  let mixed = 0
  for (const part of parts) mixed = splitmix32(mixed ^ splitmix32(part))
  return mixed
}

export class Xoshiro128 implements UniformSource {
  #a = 0
  #b = 0
  #c = 0
  #d = 0
  #spareNormal = 0
  #hasSpareNormal = false

  constructor(seed: number) {
    this.reseed(seed)
  }

  /** From four explicit state words, as the reference implementation's tests do. Not all may be zero. */
  static fromState(a: number, b: number, c: number, d: number): Xoshiro128 {
    if ((a | b | c | d) === 0) throw new RangeError('xoshiro128: the all-zero state only yields zeros')
    const random = new Xoshiro128(0)
    random.#a = a | 0
    random.#b = b | 0
    random.#c = c | 0
    random.#d = d | 0
    return random
  }

  /** Starts the stream of `seed` (taken modulo 2^32) without allocating. */
  reseed(seed: number): void {
    this.#a = splitmix32(seed)
    this.#b = splitmix32(seed + WEYL)
    this.#c = splitmix32(seed + 2 * WEYL)
    this.#d = splitmix32(seed + 3 * WEYL) // splitmix32 is a bijection of four different counters: never all zero
    this.#hasSpareNormal = false
  }

  nextUint32(): number {
    const scrambled = Math.imul(this.#b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** Uniform in [0, 1) with 32 random bits: enough for start states and for float32 noise. */
  nextDouble(): number {
    return this.nextUint32() * 2 ** -32
  }

  /** Uniform integer in [0, bound), bound <= 2^32. By multiplication: the bias is below bound / 2^32. */
  nextInt(bound: number): number {
    return Math.floor(this.nextDouble() * bound)
  }

  /** N(0, 1) by Marsaglia's polar method ("A convenient method for generating normal variables", 1964). */
  nextNormal(): number {
    if (this.#hasSpareNormal) {
      this.#hasSpareNormal = false
      return this.#spareNormal
    }
    for (;;) {
      const x = 2 * this.nextDouble() - 1
      const y = 2 * this.nextDouble() - 1
      const radius = x * x + y * y
      if (radius >= 1 || radius === 0) continue
      const scale = Math.sqrt((-2 * portableLog(radius)) / radius)
      this.#spareNormal = y * scale
      this.#hasSpareNormal = true
      return x * scale
    }
  }
}

/**
 * Natural logarithm of x in (0, 1], error below 1e-13, from exact operations only: ECMAScript leaves the last bits of
 * `Math.log` to the engine. log(m 2^e) = e log 2 + 2 artanh((m - 1) / (m + 1)), the series cut after z^17, |z| < 0.18.
 */
export function portableLog(x: number): number {
  let mantissa = x
  let exponent = 0
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2
    exponent -= 1
  }
  const z = (mantissa - 1) / (mantissa + 1)
  const q = z * z
  let series = 1 / 17
  series = series * q + 1 / 15
  series = series * q + 1 / 13
  series = series * q + 1 / 11
  series = series * q + 1 / 9
  series = series * q + 1 / 7
  series = series * q + 1 / 5
  series = series * q + 1 / 3
  series = series * q + 1
  return exponent * Math.LN2 + 2 * z * series
}

/**
 * The shared noise of evolution strategies: one table of N(0, 1) floats that every worker makes from the same seed, so
 * that a perturbation travels as an index into it (Salimans et al., "Evolution strategies as a scalable alternative to
 * reinforcement learning", 2017). Bit-identical in every engine: `Xoshiro128` uses exact operations only.
 */
import { Xoshiro128 } from '../random/xoshiro128.ts'

export interface NoiseSpec {
  readonly seed: number
  /** Floats in the table, 4 bytes each. */
  readonly length: number
}

/** 64 MiB. The length arrives with a task, so it needs a bound. */
export const MAX_NOISE_LENGTH = 1 << 24

/** @throws RangeError when length is no integer in [1, MAX_NOISE_LENGTH]. */
export function createNoiseTable(spec: NoiseSpec): Float32Array {
  if (!Number.isSafeInteger(spec.length) || spec.length < 1 || spec.length > MAX_NOISE_LENGTH) {
    throw new RangeError(`a noise table has 1 to ${MAX_NOISE_LENGTH} floats, got ${spec.length}`)
  }
  const random = new Xoshiro128(spec.seed)
  const table = new Float32Array(spec.length)
  for (let i = 0; i < table.length; i += 1) table[i] = random.nextNormal()
  return table
}

let cached: { readonly spec: NoiseSpec; readonly table: Float32Array } | undefined

/** The table of `spec`, made once (about 40 ms a million) and kept until another one is asked for. Do not write to it. */
export function noiseTable(spec: NoiseSpec): Float32Array {
  if (cached === undefined || cached.spec.seed !== spec.seed || cached.spec.length !== spec.length) {
    cached = { spec: { seed: spec.seed, length: spec.length }, table: createNoiseTable(spec) }
  }
  return cached.table
}

/**
 * NumPy's SeedSequence for one non-negative integer seed, without spawn keys: spreads a small seed over a pool of four
 * words so that neighbouring seeds give unrelated streams. Algorithm: M. O'Neill, "Developing a seed_seq alternative"
 * (2015), with NumPy's constants. Present for equality with Gymnasium, which seeds each environment this way.
 */

const POOL_WORDS = 4
const INIT_A = 0x43b0d7e5
const MULT_A = 0x931e8875
const INIT_B = 0x8b51f9dd
const MULT_B = 0x58f38ded
const MIX_L = 0xca01f9dd
const MIX_R = 0x4973f715

/**
 * The first `words` state words (uint32) of SeedSequence(seed).
 * @throws RangeError when seed is no integer in [0, 2^53).
 */
export function seedSequenceState(seed: number, words: number): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed must be an integer in [0, 2^53), got ${seed}`)
  const pool = mixPool(entropyWords(seed))
  const state = new Uint32Array(words)
  let hashConstant = INIT_B
  for (let i = 0; i < words; i += 1) {
    let value = (pool[i % POOL_WORDS] ?? 0) ^ hashConstant
    hashConstant = Math.imul(hashConstant, MULT_B)
    value = Math.imul(value, hashConstant)
    state[i] = value ^ (value >>> 16)
  }
  return state
}

/** Little-end uint32 words; seed 0 is one zero word. */
function entropyWords(seed: number): number[] {
  return seed >= 2 ** 32 ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : [seed]
}

function mixPool(entropy: readonly number[]): Uint32Array {
  const pool = new Uint32Array(POOL_WORDS)
  let hashConstant = INIT_A
  const hash = (input: number): number => {
    let value = input ^ hashConstant
    hashConstant = Math.imul(hashConstant, MULT_A)
    value = Math.imul(value, hashConstant)
    return (value ^ (value >>> 16)) >>> 0
  }
  for (let i = 0; i < POOL_WORDS; i += 1) pool[i] = hash(entropy[i] ?? 0)
  // Every word reaches every other. A seed below 2^53 never has more words than the pool, so no further round is needed.
  for (let source = 0; source < POOL_WORDS; source += 1) {
    for (let target = 0; target < POOL_WORDS; target += 1) {
      if (source === target) continue
      const mixed = Math.imul(pool[target] ?? 0, MIX_L) - Math.imul(hash(pool[source] ?? 0), MIX_R)
      pool[target] = mixed ^ (mixed >>> 16)
    }
  }
  return pool
}

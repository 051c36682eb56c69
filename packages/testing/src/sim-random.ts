import { seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'

/** Randomness that forks: each part draws from a stream of its own, so one part's draws never shift another's. */
export interface SimRandom extends Random {
  /** The same seed and path of names give the same stream, however much was drawn before. */
  fork(name: string): SimRandom
}

export function simRandom(seed: number): SimRandom {
  const random = seededRandom(seed)
  return {
    bytes: (length) => random.bytes(length),
    float: () => random.float(),
    fork: (name) => simRandom(mixed(seed, name)),
  }
}

/** FNV-1a over the seed's bytes and the name. */
function mixed(seed: number, name: string): number {
  let hash = 0x811c9dc5
  const step = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  for (let shift = 0; shift < 32; shift += 8) step((seed >>> shift) & 0xff)
  for (let i = 0; i < name.length; i++) step(name.charCodeAt(i) & 0xff)
  return hash
}

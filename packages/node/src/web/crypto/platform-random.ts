import type { Random } from '@shoal/base'

/** `getRandomValues` gives at most this much a call. */
const QUOTA_BYTES = 65_536

/** The platform's secure randomness; there on insecure origins and in every worker too. */
export const platformRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += QUOTA_BYTES) {
      globalThis.crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + QUOTA_BYTES)))
    }
    return bytes
  },
  float() {
    const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2))
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
  },
}

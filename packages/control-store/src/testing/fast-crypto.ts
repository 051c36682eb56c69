import { createHash } from 'node:crypto'
import type { Random } from '@shoal/base'
import type { Crypto } from '@shoal/protocol'

type Bytes = Uint8Array<ArrayBuffer>

const TAG_BYTES = 16
/** The head of a signature is free, as a real one's is for a signer that chooses its nonce. */
const HEAD_BYTES = 32

const hash = (...parts: readonly Uint8Array[]): Bytes => {
  const running = createHash('sha256')
  for (const part of parts) running.update(part)
  return Uint8Array.from(running.digest())
}

/**
 * A stand-in for long histories: it refuses what the real algorithms refuse, at a twentieth of their cost, and keeps
 * nothing secret. `head` chooses the first half of every signature, which a hostile signer may do with Ed25519 too.
 */
export function createFastCrypto(random: Random, head?: Bytes): Crypto {
  const tagOf = (key: Bytes, context: Bytes, plain: Uint8Array): Bytes => hash(key, context, plain).slice(0, TAG_BYTES)
  const proof = (publicKey: Bytes, signed: Uint8Array): Bytes => hash(publicKey, signed)
  return {
    sha256: (bytes) => Promise.resolve(hash(bytes)),
    hkdf: (secret, purpose) => Promise.resolve(hash(secret, new TextEncoder().encode(purpose))),
    seal: (key, plain, context) => {
      const sealed = new Uint8Array(12 + plain.length + TAG_BYTES)
      sealed.set(random.bytes(12))
      sealed.set(plain, 12)
      sealed.set(tagOf(key, context, sealed.subarray(0, 12 + plain.length)), 12 + plain.length)
      return Promise.resolve(sealed)
    },
    open: (key, sealed, context) => {
      if (sealed.length < 12 + TAG_BYTES) return Promise.resolve(undefined)
      const tag = tagOf(key, context, sealed.subarray(0, -TAG_BYTES))
      const isWhole = tag.every((byte, i) => byte === sealed[sealed.length - TAG_BYTES + i])
      return Promise.resolve(isWhole ? sealed.slice(12, -TAG_BYTES) : undefined)
    },
    keyPair: (seed) => {
      const publicKey = hash(seed)
      return Promise.resolve({
        publicKey,
        sign: (message) => {
          const signature = new Uint8Array(64)
          signature.set(head ?? hash(seed, message))
          signature.set(proof(publicKey, concat(signature.subarray(0, HEAD_BYTES), message)), HEAD_BYTES)
          return Promise.resolve(signature)
        },
      })
    },
    verify: (publicKey, message, signature) => {
      const expected = proof(publicKey, concat(signature.subarray(0, HEAD_BYTES), message))
      return Promise.resolve(expected.every((byte, i) => byte === signature[HEAD_BYTES + i]))
    },
  }
}

function concat(a: Uint8Array, b: Uint8Array): Bytes {
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

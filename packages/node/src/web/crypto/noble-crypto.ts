import { gcm } from '@noble/ciphers/aes.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import type { Random } from '@shoal/base'
import type { Crypto } from '@shoal/protocol'
import { platformRandom } from './platform-random.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * The crypto port in JavaScript, for pages without `crypto.subtle` (a phone on a plain http link). Import this module
 * lazily: it weighs more than all other cryptography of a tab together. It computes before it returns, so a large input
 * holds its thread.
 */
export function createNobleCrypto(options: { readonly random?: Random } = {}): Crypto {
  const { random = platformRandom } = options
  return {
    sha256: (bytes) => settle(() => owned(sha256(bytes))),
    hkdf: (secret, purpose) =>
      settle(() => owned(hkdf(sha256, secret, new Uint8Array(0), new TextEncoder().encode(purpose), 32))),
    seal: (key, plain, context) =>
      settle(() => {
        const nonce = random.bytes(NONCE_BYTES)
        const encrypted = gcm(key, nonce, context).encrypt(plain)
        const sealed = new Uint8Array(NONCE_BYTES + encrypted.length)
        sealed.set(nonce)
        sealed.set(encrypted, NONCE_BYTES)
        return sealed
      }),
    open: (key, sealed, context) =>
      settle(() => {
        if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
        const cipher = gcm(key, sealed.subarray(0, NONCE_BYTES), context)
        try {
          return owned(cipher.decrypt(sealed.subarray(NONCE_BYTES)))
        } catch {
          return undefined // The library's word for a wrong tag.
        }
      }),
    keyPair: (seed) =>
      settle(() => {
        if (seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`)
        const secret = seed.slice()
        return {
          publicKey: owned(ed25519.getPublicKey(secret)),
          sign: (message: Uint8Array<ArrayBuffer>) => settle(() => owned(ed25519.sign(message, secret))),
        }
      }),
    verify: (publicKey, message, signature) => settle(() => verify(publicKey, message, signature)),
  }
}

/**
 * RFC 8032, section 5.1.7, in its cofactorless form with the encodings compared, as OpenSSL and BoringSSL do behind
 * WebCrypto. noble's own `verify` multiplies by the cofactor: a writer could sign so that half of a room accepts.
 */
function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const { Point } = ed25519
  const nonce = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Point.Fn.ORDER) return false
  try {
    const key = Point.fromBytes(publicKey)
    const input = new Uint8Array(64 + message.length)
    input.set(nonce)
    input.set(publicKey, 32)
    input.set(message, 64)
    const k = littleEndian(sha512(input)) % Point.Fn.ORDER
    const left = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k)).toBytes()
    return left.every((byte, i) => byte === nonce[i])
  } catch {
    return false // Not a point of the curve.
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

/** Answers and failures alike come as a promise, as WebCrypto's do. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}

/** The library's types leave open what buffer stands behind its bytes; it is always a plain one of their own. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes)
}

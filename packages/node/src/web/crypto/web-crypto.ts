import type { Random } from '@shoal/base'
import { fromBase64Url, fromHex, toHex } from '@shoal/protocol'
import type { Crypto } from '@shoal/protocol'
import { platformRandom } from './platform-random.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** PKCS #8 around a bare Ed25519 seed (RFC 8410, section 7). */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
/** Imported keys kept: a room has two or three secrets and at most a few hundred writers. */
const CACHED_KEYS = 512

/**
 * The crypto port over `crypto.subtle`. It exists in secure contexts only; Ed25519 in it since Chromium 137, Firefox 129,
 * Safari 17 and Node 18, which is why `createPlatformCrypto` probes before it picks this one.
 */
export function createWebCrypto(options: { readonly subtle?: SubtleCrypto; readonly random?: Random } = {}): Crypto {
  const { subtle = globalThis.crypto.subtle, random = platformRandom } = options
  const aesKeys = keyCache((raw) => subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']))
  const publicKeys = keyCache((raw) => subtle.importKey('raw', raw, 'Ed25519', false, ['verify']))
  return {
    async sha256(bytes) {
      return new Uint8Array(await subtle.digest('SHA-256', bytes))
    },
    async hkdf(secret, purpose) {
      const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
      const info = new TextEncoder().encode(purpose)
      const salt = new Uint8Array(0)
      return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256))
    },
    async seal(key, plain, context) {
      const iv = random.bytes(NONCE_BYTES)
      const algorithm = { name: 'AES-GCM', iv, additionalData: context }
      const encrypted = new Uint8Array(await subtle.encrypt(algorithm, await aesKeys(key), plain))
      const sealed = new Uint8Array(NONCE_BYTES + encrypted.length)
      sealed.set(iv)
      sealed.set(encrypted, NONCE_BYTES)
      return sealed
    },
    async open(key, sealed, context) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
      const cryptoKey = await aesKeys(key)
      const algorithm = { name: 'AES-GCM', iv: sealed.subarray(0, NONCE_BYTES), additionalData: context }
      try {
        return new Uint8Array(await subtle.decrypt(algorithm, cryptoKey, sealed.subarray(NONCE_BYTES)))
      } catch {
        return undefined // OperationError is the platform's word for a wrong tag.
      }
    },
    async keyPair(seed) {
      if (seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`)
      const wrapped = new Uint8Array(PKCS8_PREFIX.length + seed.length)
      wrapped.set(PKCS8_PREFIX)
      wrapped.set(seed, PKCS8_PREFIX.length)
      // Extractable only to learn the public half; the key that signs is not.
      const readable = await subtle.importKey('pkcs8', wrapped, 'Ed25519', true, ['sign'])
      const { x = '' } = await subtle.exportKey('jwk', readable)
      const publicKey = fromBase64Url(x)
      if (publicKey?.length !== 32) throw new TypeError('the platform gave no Ed25519 public key')
      const secret = await subtle.importKey('pkcs8', wrapped, 'Ed25519', false, ['sign'])
      return {
        publicKey,
        sign: async (message) => new Uint8Array(await subtle.sign('Ed25519', secret, message)),
      }
    },
    async verify(publicKey, message, signature) {
      if (publicKey.length !== 32 || signature.length !== 64) return false
      try {
        return await subtle.verify('Ed25519', await publicKeys(publicKey), signature, message)
      } catch {
        return false // Some engines refuse bytes that are no point at import, others at verification.
      }
    },
  }
}

/** Imports a key once and remembers it by its bytes; when full it starts afresh. */
function keyCache(
  load: (raw: Uint8Array<ArrayBuffer>) => Promise<CryptoKey>,
): (raw: Uint8Array<ArrayBuffer>) => Promise<CryptoKey> {
  const known = new Map<string, CryptoKey>()
  return async (raw) => {
    const name = toHex(raw)
    const cached = known.get(name)
    if (cached) return cached
    const key = await load(raw)
    if (known.size >= CACHED_KEYS) known.clear()
    known.set(name, key)
    return key
  }
}

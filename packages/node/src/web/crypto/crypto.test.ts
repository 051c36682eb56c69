import { seededRandom } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { cryptoContract } from './testing/crypto-contract.ts'
import { createNobleCrypto } from './noble-crypto.ts'
import { createPlatformCrypto } from './platform-crypto.ts'
import { createWebCrypto } from './web-crypto.ts'

cryptoContract('WebCrypto', createWebCrypto)
cryptoContract('noble', createNobleCrypto)

describe('WebCrypto and noble', () => {
  const random = seededRandom(11)

  it('interoperate on inputs of every length around the block sizes', async () => {
    const web = createWebCrypto({ random: seededRandom(3) })
    const noble = createNobleCrypto({ random: seededRandom(3) })
    const key = random.bytes(32)
    const seed = random.bytes(32)
    const [webPair, noblePair] = await Promise.all([web.keyPair(seed), noble.keyPair(seed)])
    expect(webPair.publicKey).toEqual(noblePair.publicKey)
    for (let length = 0; length < 140; length++) {
      const message = random.bytes(length)
      const context = random.bytes(length % 20)
      expect(await web.sha256(message)).toEqual(await noble.sha256(message))
      const sealed = await web.seal(key, message, context)
      expect(await noble.seal(key, message, context)).toEqual(sealed)
      expect(await noble.open(key, sealed, context)).toEqual(message)
      const signature = await webPair.sign(message)
      expect(await noblePair.sign(message)).toEqual(signature)
      if (length % 20 === 0) expect(await noble.verify(webPair.publicKey, message, signature)).toBe(true)
    }
    expect(await web.hkdf(key, 'directory')).toEqual(await noble.hkdf(key, 'directory'))
  })

  it('agree on signatures made with a key of mixed order, where the cofactor would make them differ', async () => {
    const { ed25519 } = await import('@noble/curves/ed25519.js')
    const { sha512 } = await import('@noble/hashes/sha2.js')
    const { Point } = ed25519
    const le = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    // The point (sqrt(-1), 0) of order 4, added to an honest public key.
    const torsion = Point.fromBytes(new Uint8Array(32))
    const secret = le(random.bytes(32)) % Point.Fn.ORDER
    const publicKey = Uint8Array.from(Point.BASE.multiply(secret).add(torsion).toBytes())
    const [web, noble] = [createWebCrypto(), createNobleCrypto()]
    const verdicts = new Set<boolean>()
    for (let i = 0; i < 24; i++) {
      const message = random.bytes(8)
      const r = le(random.bytes(32)) % Point.Fn.ORDER
      const signature = new Uint8Array(64)
      signature.set(Point.BASE.multiply(r).toBytes())
      const k = le(sha512(Uint8Array.from([...signature.subarray(0, 32), ...publicKey, ...message]))) % Point.Fn.ORDER
      let s = (r + k * secret) % Point.Fn.ORDER
      for (let at = 32; at < 64; at++, s >>= 8n) signature[at] = Number(s & 255n)
      const verdict = await web.verify(publicKey, message, signature)
      expect(await noble.verify(publicKey, message, signature)).toBe(verdict)
      verdicts.add(verdict)
    }
    expect(verdicts).toEqual(new Set([true, false]))
  })
})

describe('createPlatformCrypto', () => {
  it('takes WebCrypto where it signs, and loads nothing', async () => {
    const crypto = await createPlatformCrypto(() => Promise.reject(new Error('loaded')))
    expect(await crypto.sha256(new Uint8Array(0))).toHaveLength(32)
  })

  it('loads the other one where there is no subtle, or one without Ed25519', async () => {
    const noble = createNobleCrypto()
    const old = new Proxy(globalThis.crypto.subtle, {
      get: (target, name) =>
        name === 'importKey'
          ? () => Promise.reject(new DOMException('no', 'NotSupportedError'))
          : Reflect.get(target, name),
    })
    expect(await createPlatformCrypto(() => Promise.resolve(noble), old)).toBe(noble)
    const insecure = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
    Object.defineProperty(globalThis, 'crypto', { configurable: true, value: {} })
    try {
      expect(await createPlatformCrypto(() => Promise.resolve(noble))).toBe(noble)
    } finally {
      if (insecure) Object.defineProperty(globalThis, 'crypto', insecure)
    }
  })
})

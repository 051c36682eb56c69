import { describe, expect, it } from 'vitest'
import { simCrypto } from './sim-crypto.ts'
import { simRandom } from './sim-random.ts'

describe('the simulated cryptography', () => {
  it('[R2] repeats to the byte, and is the real thing', async () => {
    const [one, again] = [simCrypto(simRandom(1)), simCrypto(simRandom(1))]
    const key = await one.hkdf(new Uint8Array(16), 'a purpose')
    const plain = Uint8Array.of(1, 2, 3)
    const context = Uint8Array.of(9)
    const sealed = await one.seal(key, plain, context)
    expect(sealed).toEqual(await again.seal(key, plain, context))
    expect(sealed.length).toBe(12 + 3 + 16)
    expect(await one.open(key, sealed, context)).toEqual(plain)
    expect(await one.open(key, sealed, Uint8Array.of(8))).toBeUndefined()
    expect(await one.open(key, sealed.slice(0, 20), context)).toBeUndefined()
    const pair = await one.keyPair(new Uint8Array(32).fill(7))
    const signature = await pair.sign(plain)
    expect([pair.publicKey.length, signature.length]).toEqual([32, 64])
    expect(await one.verify(pair.publicKey, plain, signature)).toBe(true)
    expect(await one.verify(pair.publicKey, context, signature)).toBe(false)
    // SHA-256 of nothing, FIPS 180-4.
    const empty = await one.sha256(new Uint8Array(0))
    expect(Buffer.from(empty).toString('hex').slice(0, 16)).toBe('e3b0c44298fc1c14')
  })
})

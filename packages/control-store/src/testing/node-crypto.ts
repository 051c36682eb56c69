import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  verify,
} from 'node:crypto'
import type { Random } from '@shoal/base'
import { fromHex } from '@shoal/protocol'
import type { Crypto } from '@shoal/protocol'

const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
const SPKI_PREFIX = fromHex('302a300506032b6570032100')

/** The crypto port over Node's own library, with nonces from a seed: tests of this package repeat exactly. */
export function createNodeCrypto(random: Random): Crypto {
  return {
    sha256: async (bytes) => Uint8Array.from(createHash('sha256').update(bytes).digest()),
    hkdf: async (secret, purpose) => new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), purpose, 32)),
    async seal(key, plain, context) {
      const nonce = random.bytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
      return Uint8Array.from(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
    },
    async open(key, sealed, context) {
      if (sealed.length < 28) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(context)
      decipher.setAuthTag(sealed.subarray(-16))
      try {
        return Uint8Array.from(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]))
      } catch {
        return undefined
      }
    },
    async keyPair(seed) {
      const secret = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
      const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
      return {
        publicKey: Uint8Array.from(spki.subarray(-32)),
        sign: async (message) => Uint8Array.from(sign(null, message, secret)),
      }
    },
    async verify(publicKey, message, signature) {
      const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
      return verify(null, message, key, signature)
    },
  }
}

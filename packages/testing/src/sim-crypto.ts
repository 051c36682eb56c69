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
import type { KeyObject } from 'node:crypto'
import type { Random } from '@shoal/base'
import type { Crypto, KeyPair } from '@shoal/protocol'

type Bytes = Uint8Array<ArrayBuffer>

// The fixed heads of an Ed25519 key's DER forms (RFC 8410); the 32 raw bytes follow.
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
const NONCE_BYTES = 12
const TAG_BYTES = 16

const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes)

export function simSha256(bytes: Bytes): Bytes {
  return own(createHash('sha256').update(bytes).digest())
}

/** An Ed25519 key pair from a 32-byte seed. */
export function simKeyPair(seed: Bytes): KeyPair {
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = own(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_HEAD.length))
  return { publicKey, sign: (message) => Promise.resolve(own(sign(null, message, key))) }
}

/**
 * The real algorithms, done at once: promises that are already settled when they are handed out, so no thread pool
 * decides what happens first. Nonces come from the seed, so a run repeats to the byte.
 */
export function simCrypto(random: Random): Crypto {
  return {
    sha256: (bytes) => Promise.resolve(simSha256(bytes)),
    hkdf: (secret, purpose) =>
      Promise.resolve(new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), purpose, 32))),
    seal(key, plain, context) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
      return Promise.resolve(own(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])))
    },
    open: (key, sealed, context) => Promise.resolve(opened(key, sealed, context)),
    keyPair: (seed) => Promise.resolve(simKeyPair(seed)),
    verify: (publicKey, message, signature) => Promise.resolve(verified(publicKey, message, signature)),
  }
}

/** In a room of hundreds each signature is checked by everybody: the answers, which depend on nothing else, are kept. */
const answers = new Map<string, { readonly publicKey: Bytes; readonly message: Bytes; readonly isRight: boolean }>()
const ANSWERS_LIMIT = 50_000
const KEYS_LIMIT = 5_000

function verified(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  const name = Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
  const known = answers.get(name)
  if (known && Buffer.compare(known.message, message) === 0 && Buffer.compare(known.publicKey, publicKey) === 0)
    return known.isRight
  const isRight = verify(null, message, publicKeyOf(publicKey), signature)
  if (answers.size >= ANSWERS_LIMIT) answers.clear()
  answers.set(name, { publicKey, message, isRight })
  return isRight
}

const keys = new Map<string, KeyObject>()
/** Making it takes as long as a check. @throws on what is no point of the curve */
function publicKeyOf(raw: Bytes): KeyObject {
  const name = Buffer.from(raw).toString('latin1')
  let key = keys.get(name)
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, raw]), format: 'der', type: 'spki' })
    if (keys.size >= KEYS_LIMIT) keys.clear()
    keys.set(name, key)
  }
  return key
}

function opened(key: Bytes, sealed: Bytes, context: Bytes): Bytes | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(context)
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  try {
    const plain = cipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
    return own(Buffer.concat([plain, cipher.final()]))
  } catch {
    return undefined
  }
}

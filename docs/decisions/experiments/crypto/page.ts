// Times the product's two adapters of the crypto port side by side.
import type { Crypto } from '@shoal/protocol'
import { createNobleCrypto } from '../../../../packages/node/src/web/crypto/noble-crypto.ts'
import { createWebCrypto } from '../../../../packages/node/src/web/crypto/web-crypto.ts'

/** Median microseconds of one operation, one after another. */
export type Times = Record<'sign' | 'verify' | 'seal 1 kB' | 'open 1 kB', number>

declare global {
  interface Window {
    timeCrypto(rounds: number): Promise<{ readonly noble: Times; readonly webCrypto: Times }>
  }
}

/** The timer of a page that is not isolated is too coarse for one operation. */
const BATCH = 200

async function time(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    for (let i = 0; i < BATCH; i++) await work()
    samples.push(((performance.now() - startedAt) * 1000) / BATCH)
  }
  return samples.toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN
}

async function timesOf(crypto: Crypto, rounds: number): Promise<Times> {
  const random = (length: number): Uint8Array<ArrayBuffer> => globalThis.crypto.getRandomValues(new Uint8Array(length))
  const [message, key, context] = [random(1000), random(32), random(32)]
  const pair = await crypto.keyPair(random(32))
  const signature = await pair.sign(message)
  const sealed = await crypto.seal(key, message, context)
  if (!(await crypto.verify(pair.publicKey, message, signature))) throw new Error('a true signature was refused')
  if ((await crypto.open(key, sealed, context)) === undefined) throw new Error('a sealed message was refused')
  return {
    sign: await time(rounds, () => pair.sign(message)),
    verify: await time(rounds, () => crypto.verify(pair.publicKey, message, signature)),
    'seal 1 kB': await time(rounds, () => crypto.seal(key, message, context)),
    'open 1 kB': await time(rounds, () => crypto.open(key, sealed, context)),
  }
}

window.timeCrypto = async (rounds) => ({
  noble: await timesOf(createNobleCrypto(), rounds),
  webCrypto: await timesOf(createWebCrypto(), rounds),
})

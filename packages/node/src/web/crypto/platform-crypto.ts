import type { Crypto } from '@shoal/protocol'
import { createWebCrypto } from './web-crypto.ts'

/**
 * WebCrypto where it is there and knows Ed25519, else what `load` brings (noble's adapter, fetched only then).
 * Probing is the only sure way: insecure origins have no `subtle` at all, older engines have one without Ed25519.
 */
export async function createPlatformCrypto(
  load: () => Promise<Crypto>,
  subtle: SubtleCrypto | undefined = (globalThis.crypto as { readonly subtle?: SubtleCrypto }).subtle,
): Promise<Crypto> {
  if (subtle === undefined) return load()
  const candidate = createWebCrypto({ subtle })
  return (await signs(candidate)) ? candidate : load()
}

async function signs(crypto: Crypto): Promise<boolean> {
  try {
    const message = new Uint8Array(1)
    const pair = await crypto.keyPair(new Uint8Array(32))
    return await crypto.verify(pair.publicKey, message, await pair.sign(message))
  } catch {
    return false
  }
}

// Loaded by the node worker where WebCrypto is missing: a page that is no secure context.
import { createNobleCrypto } from './crypto/noble-crypto.ts'

;(globalThis as { shoalChunk?: unknown }).shoalChunk = createNobleCrypto

export { createNobleCrypto } from './noble-crypto.ts'

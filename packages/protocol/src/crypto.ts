/**
 * Cryptography as a port: AES-256-GCM, HKDF-SHA-256, SHA-256 and Ed25519. WebCrypto is one adapter; where a page is no
 * secure context a lazily loaded noble one stands in, and the two interoperate.
 */
export interface Crypto {
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /** 32 bytes derived from `secret` for one `purpose`. */
  hkdf(secret: Uint8Array<ArrayBuffer>, purpose: string): Promise<Uint8Array<ArrayBuffer>>
  /** `nonce` (12 random bytes) followed by the ciphertext and its 16-byte tag; `context` is authenticated with it. */
  seal(
    key: Uint8Array<ArrayBuffer>,
    plain: Uint8Array<ArrayBuffer>,
    context: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>>
  /** Undefined when the bytes were not sealed with this key and context. */
  open(
    key: Uint8Array<ArrayBuffer>,
    sealed: Uint8Array<ArrayBuffer>,
    context: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** A key pair from a 32-byte seed. */
  keyPair(seed: Uint8Array<ArrayBuffer>): Promise<KeyPair>
  verify(
    publicKey: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>
}

/** An Ed25519 key pair whose secret half stays behind `sign`. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** 64 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

import { seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { fromHex, toHex } from '@shoal/protocol'
import type { Crypto } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const flipped = (bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** What every adapter of the crypto port must do; run for each, in Node and in browsers. */
export function cryptoContract(name: string, create: (options?: { readonly random: Random }) => Crypto): void {
  describe(`crypto contract: ${name}`, () => {
    const crypto = create()
    const random = seededRandom(7)

    it('hashes as FIPS 180-2 says', async () => {
      const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
      expect(toHex(await crypto.sha256(text('abc')))).toBe(abc)
    })

    it('derives as RFC 5869, test case 3 (no salt, no info) says', async () => {
      const derived = await crypto.hkdf(new Uint8Array(22).fill(0x0b), '')
      expect(toHex(derived)).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d')
    })

    it('derives another key for another purpose', async () => {
      const secret = random.bytes(16)
      expect(await crypto.hkdf(secret, 'directory')).not.toEqual(await crypto.hkdf(secret, 'signaling'))
    })

    // GCM specification (McGrew and Viega), test cases 14 and 16: AES-256 with a 96-bit nonce.
    it.each([
      {
        key: '00'.repeat(32),
        nonce: '00'.repeat(12),
        plain: '00'.repeat(16),
        context: '',
        sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
      },
      {
        key: 'feffe9928665731c6d6a8f9467308308'.repeat(2),
        nonce: 'cafebabefacedbaddecaf888',
        plain:
          'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
        context: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
        sealed:
          '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
      },
    ])('seals as the GCM test vectors say', async ({ key, nonce, plain, context, sealed }) => {
      const fixed = create({ random: { bytes: () => fromHex(nonce), float: () => 0 } })
      expect(toHex(await fixed.seal(fromHex(key), fromHex(plain), fromHex(context)))).toBe(nonce + sealed)
      const opened = await fixed.open(fromHex(key), fromHex(nonce + sealed), fromHex(context))
      expect(opened && toHex(opened)).toBe(plain)
    })

    it('opens nothing that was changed, cut, or sealed with another key or context', async () => {
      const key = random.bytes(32)
      const sealed = await crypto.seal(key, text('secret'), text('node/1'))
      expect(await crypto.open(key, sealed, text('node/1'))).toEqual(text('secret'))
      for (let at = 0; at < sealed.length; at++) {
        expect(await crypto.open(key, flipped(sealed, at), text('node/1'))).toBeUndefined()
      }
      for (const length of [0, 11, 12, 27, sealed.length - 1]) {
        expect(await crypto.open(key, sealed.slice(0, length), text('node/1'))).toBeUndefined()
      }
      expect(await crypto.open(random.bytes(32), sealed, text('node/1'))).toBeUndefined()
      expect(await crypto.open(key, sealed, text('node/2'))).toBeUndefined()
    })

    it('seals and opens nothing at all, too, and never with the same nonce', async () => {
      const key = random.bytes(32)
      const empty = new Uint8Array(0)
      const sealed = await crypto.seal(key, empty, empty)
      expect(sealed).toHaveLength(28)
      expect(await crypto.open(key, sealed, empty)).toEqual(empty)
      expect(await crypto.seal(key, empty, empty)).not.toEqual(sealed)
    })

    // RFC 8032, section 7.1, tests 1 to 3.
    it.each([
      {
        seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
        key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        message: '',
        signature:
          'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      },
      {
        seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        message: '72',
        signature:
          '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      },
      {
        seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
        key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
        message: 'af82',
        signature:
          '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      },
    ])('signs as RFC 8032 says', async ({ seed, key, message, signature }) => {
      const pair = await crypto.keyPair(fromHex(seed))
      expect(toHex(pair.publicKey)).toBe(key)
      expect(toHex(await pair.sign(fromHex(message)))).toBe(signature)
      expect(await crypto.verify(pair.publicKey, fromHex(message), fromHex(signature))).toBe(true)
    })

    it('verifies nothing that was changed, nor with another key, nor with lengths that are wrong', async () => {
      const pair = await crypto.keyPair(random.bytes(32))
      const other = await crypto.keyPair(random.bytes(32))
      const signature = await pair.sign(text('yes'))
      expect(await crypto.verify(pair.publicKey, text('yes'), signature)).toBe(true)
      expect(await crypto.verify(pair.publicKey, text('no'), signature)).toBe(false)
      expect(await crypto.verify(other.publicKey, text('yes'), signature)).toBe(false)
      for (const at of [0, 31, 32, 63]) {
        expect(await crypto.verify(pair.publicKey, text('yes'), flipped(signature, at))).toBe(false)
      }
      expect(await crypto.verify(pair.publicKey.slice(1), text('yes'), signature)).toBe(false)
      expect(await crypto.verify(pair.publicKey, text('yes'), signature.slice(1))).toBe(false)
      expect(await crypto.verify(new Uint8Array(32).fill(0xff), text('yes'), signature)).toBe(false)
    })

    it('refuses a malleated signature, whose s is larger by the order of the group', async () => {
      const pair = await crypto.keyPair(random.bytes(32))
      const signature = await pair.sign(text('yes'))
      const order = 2n ** 252n + 27742317777372353535851937790883648493n
      let s = order
      for (let i = 0; i < 32; i++) s += BigInt(signature[32 + i] ?? 0) << BigInt(8 * i)
      const forged = signature.slice()
      for (let i = 0; i < 32; i++) forged[32 + i] = Number((s >> BigInt(8 * i)) & 255n)
      expect(await crypto.verify(pair.publicKey, text('yes'), forged)).toBe(false)
    })

    it('rejects a seed of another length', async () => {
      await expect(crypto.keyPair(new Uint8Array(31))).rejects.toThrow(RangeError)
    })
  })
}

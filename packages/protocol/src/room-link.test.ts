import { randomInt, seededRandom } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { RoomError } from './errors.ts'
import { formatRoomFragment, fromBase64Url, parseRoomLink, toBase64Url } from './room-link.ts'
import type { RoomSecret } from './room-link.ts'

function secrets(seed: number): RoomSecret[] {
  const random = seededRandom(seed)
  const roomKey = random.bytes(16)
  return [
    { kind: 'helper', roomKey, ownerPublicKey: random.bytes(32) },
    { kind: 'owner', roomKey, ownerSeed: random.bytes(32) },
  ]
}

describe('a room link', () => {
  it('reads back, with its server, wherever the page stands', () => {
    for (let seed = 1; seed <= 50; seed++)
      for (const secret of secrets(seed)) {
        const fragment = formatRoomFragment(secret)
        expect(parseRoomLink(`https://host:8080/#${fragment}`)).toEqual({ server: 'https://host:8080/', secret })
        expect(parseRoomLink(`  http://h/app/page.html?x=1#a=b&${fragment}&c=d `)).toEqual({
          server: 'http://h/app/',
          secret,
        })
      }
    const bare = parseRoomLink(`https://host#${formatRoomFragment(secrets(1)[0] as RoomSecret)}`)
    expect(new URL('x', bare.server).href).toBe('https://host/x')
  })

  it('is recognised as damaged without the network: any one character lost, changed or added', () => {
    const random = seededRandom(7)
    for (const secret of secrets(3)) {
      const text = formatRoomFragment(secret).slice('room='.length)
      for (let at = 0; at < text.length; at++) {
        const other = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[
          randomInt(random, 64)
        ] as string
        const tries = [text.slice(0, at) + text.slice(at + 1), `${text.slice(0, at)}${other}${text.slice(at)}`]
        if (other !== text[at]) tries.push(text.slice(0, at) + other + text.slice(at + 1))
        for (const damaged of tries) expect(() => parseRoomLink(`https://h/#room=${damaged}`)).toThrow(RoomError)
      }
      expect(() => parseRoomLink(`https://h/#room=${text.slice(0, 20)}`)).toThrow(/damaged/)
      expect(() => parseRoomLink(`https://h/#room=${text}%20`)).toThrow(/damaged/)
    }
  })

  it('is told from what is no link at all', () => {
    for (const text of ['', 'hello', 'https://host/', 'https://host/#room', 'ftp://h/#room=x', '#room=abc'])
      expect(() => parseRoomLink(text)).toThrow(/not a Shoal room link/)
  })

  it('carries base64url as everybody writes it', () => {
    for (let length = 0; length < 20; length++) {
      const bytes = seededRandom(length).bytes(length)
      expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes)
    }
    for (const text of ['a', 'ab=', 'a b', 'ab+/']) expect(fromBase64Url(text)).toBeUndefined()
  })
})

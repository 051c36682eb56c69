import { seededRandom } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { formatJobId, formatObjectId, parseNodeId, parseObjectId, showId } from './id-text.ts'
import {
  attempt,
  compareAttempts,
  fromHex,
  functionHash,
  functionHashOf,
  nodeId,
  nodeIdOfKeyHash,
  objectId,
  parseRoomId,
  randomNodeId,
  toHex,
} from './ids.ts'
import { ProtocolError } from './protocol-error.ts'
import type { Schema } from './schema.ts'

function again<T>(schema: Schema<T>, value: T): T {
  const writer = new ByteWriter()
  schema.write(writer, value)
  return schema.read(new ByteReader(writer.finish()))
}

describe('ids', () => {
  it('read back from bytes and from text, also after the tables of known ids were emptied', () => {
    const random = seededRandom(1)
    const first = randomNodeId(random)
    for (let i = 0; i < 10_000; i++) {
      const id = { owner: randomNodeId(random), number: i * 2 ** 38 }
      expect(again(objectId, id)).toEqual(id)
      if (i % 1000 === 0) expect(parseObjectId(formatObjectId(id))).toEqual(id)
    }
    expect(again(nodeId, first)).toBe(first)
    const hash = functionHashOf(random.bytes(32))
    expect(again(functionHash, hash)).toBe(hash)
    expect(again(attempt, { epoch: 2, number: 7 })).toEqual({ epoch: 2, number: 7 })
  })

  it('are refused as text when they are not what they seem', () => {
    const wrong = ['', 'xyz', 'A'.repeat(32), '0'.repeat(31), '0'.repeat(33), `${'0'.repeat(31)}g`]
    for (const text of wrong) {
      expect(() => parseNodeId(text)).toThrow(ProtocolError)
      expect(() => parseRoomId(text)).toThrow(ProtocolError)
      expect(() => parseObjectId(`${text}/1`)).toThrow(ProtocolError)
    }
    for (const number of ['', '-1', '1e3', '1.5', '9'.repeat(17)])
      expect(() => parseObjectId(`${'0'.repeat(32)}/${number}`)).toThrow(ProtocolError)
    for (const hex of ['0', 'zz', 'AB']) expect(() => fromHex(hex)).toThrow(ProtocolError)
    expect(toHex(fromHex('00ff10'))).toBe('00ff10')
  })

  it('order attempts as pairs', () => {
    const sorted = [
      { epoch: 0, number: 0 },
      { epoch: 0, number: 5 },
      { epoch: 1, number: 0 },
      { epoch: 1, number: 1 },
    ]
    expect([...sorted].reverse().sort(compareAttempts)).toEqual(sorted)
    expect(compareAttempts({ epoch: 1, number: 1 }, { epoch: 1, number: 1 })).toBe(0)
  })

  it('show whose they are', () => {
    const owner = nodeIdOfKeyHash(Uint8Array.from({ length: 32 }, (_, i) => i))
    expect(owner).toBe('000102030405060708090a0b0c0d0e0f')
    expect(showId({ owner, number: 17 })).toBe('00010203/17')
    expect(formatJobId({ driver: owner, number: 1 })).toBe(`${owner}-1`)
  })
})

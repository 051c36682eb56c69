import { describe, expect, it } from 'vitest'
import { SerializationError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { decodeValue } from './decode-value.ts'
import { ValueEncoder } from './encode-value.ts'
import { transfer } from './transfer.ts'

const encoder = new ValueEncoder()
const send = <T>(value: T): T => decodeValue(encoder.encode(value, 'value')) as T

describe('transfer', () => {
  it.each([
    ['a small one', 16],
    ['a large one', LIMITS.outOfBandBytes],
  ])('[V7] moves a buffer at once: %s is detached here and whole there', (_, length) => {
    const bytes = new Uint8Array(length).fill(7)
    const encoded = encoder.encode(transfer(bytes), 'value')
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0])
    expect(decodeValue(encoded)).toEqual(new Uint8Array(length).fill(7))
  })

  it('[V7] moves a large buffer without a copy, through decoding too', () => {
    const bytes = new Float64Array(LIMITS.outOfBandBytes).fill(0.5)
    const encoded = encoder.encode(transfer(bytes), 'value')
    const [beside] = encoded.buffers
    const copy = decodeValue(encoded) as Float64Array
    expect(copy.buffer).toBe(beside?.buffer)
    expect(copy[LIMITS.outOfBandBytes - 1]).toBe(0.5)
  })

  it('[V7] takes all buffers of an object, whatever holds them, and copies what lies beside it', () => {
    const moved = { a: new Float32Array(8), list: [new Map([['b', new Uint8Array(20_000)]])] }
    const kept = new Uint8Array(20_000)
    const copy = send({ moved: transfer(moved), kept })
    expect([moved.a.length, moved.list[0]?.get('b')?.length, kept.length]).toEqual([0, 0, 20_000])
    expect([copy.moved.a.length, copy.moved.list[0]?.get('b')?.length, copy.kept.length]).toEqual([8, 20_000, 20_000])
  })

  it('[V7] what arrives is the same as without: of a view only what it covers, though all of its buffer is gone', () => {
    const memory = new ArrayBuffer(100_000)
    const part = new Uint8Array(memory, 50_000, 20_000).fill(3)
    const other = new Uint8Array(memory)
    const copy = send(transfer(part))
    expect(copy).toEqual(new Uint8Array(20_000).fill(3))
    expect(copy.buffer.byteLength).toBe(20_000)
    expect([part.length, other.length, memory.byteLength]).toEqual([0, 0, 0])
  })

  it('[V7] counts for the next time alone', () => {
    const holder = { bytes: new Uint8Array(10) }
    send(transfer(holder))
    holder.bytes = new Uint8Array(10)
    send(holder)
    expect(holder.bytes.length).toBe(10)
  })

  it('[V7] detaches nothing when the value cannot be sent, and what is detached already is refused by path', () => {
    const bytes = new Uint8Array(20_000)
    const value = transfer({ bytes, fn: () => 1 })
    expect(() => send(value)).toThrow(SerializationError)
    expect(bytes.length).toBe(20_000)
    send(transfer(bytes))
    expect(() => send({ bytes })).toThrow(/value\.bytes cannot be sent: its buffer was moved away/)
    const { buffer } = new WebAssembly.Memory({ initial: 1 })
    expect(() => send([transfer(new Uint8Array(buffer))])).toThrow(/value\[0\] cannot be sent: .*WebAssembly\.Memory/)
    expect(() => transfer(5)).toThrow(TypeError)
  })
})

import { seededRandom } from '@shoal/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { SerializationError } from '../errors.ts'
import { randomNodeId } from '../ids.ts'
import type { ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { decodeValue } from './decode-value.ts'
import { ValueEncoder } from './encode-value.ts'
import { fromRun, inlineValue, toRun, valueBytes } from './encoded-value.ts'

const encoder = new ValueEncoder()

function copied(value: unknown): unknown {
  return decodeValue(encoder.encode(value, 'value'))
}

/** What structured clone copies without loss and toEqual can compare, with sharing, but not cycles. */
const clonable = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withNullPrototype: false,
  maxDepth: 4,
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '\uFEFF')),
  values: [
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, Number.NaN, Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, '\uFEFFbom'),
  ],
})

describe('values', () => {
  it('come out as structured clone copies them', () => {
    fc.assert(
      fc.property(clonable, (value) => {
        expect(copied(value)).toEqual(structuredClone(value))
      }),
      { numRuns: 500 },
    )
  })

  it('keep -0, NaN, holes, odd keys and odd numbers', () => {
    expect(Object.is(copied(-0), -0)).toBe(true)
    expect(copied(Number.NaN)).toBeNaN()
    // eslint-disable-next-line no-sparse-arrays -- holes are what is tested
    const sparse = copied([1, , 3]) as unknown[]
    expect([sparse.length, 1 in sparse]).toEqual([3, false])
    expect(copied(new Array(3))).toHaveLength(3)
    const odd = copied(JSON.parse('{"__proto__":{"isAdmin":true}}')) as { isAdmin?: boolean }
    expect(Object.keys(odd)).toEqual(['__proto__'])
    expect(odd.isAdmin).toBeUndefined()
    expect(Object.getPrototypeOf(odd)).toBe(Object.prototype)
    for (const number of [-(2 ** 31), 2 ** 31 - 1, 2 ** 31, 1e308, 5e-324]) expect(copied(number)).toBe(number)
    for (const text of ['\uFEFF', `\uFEFF${'x'.repeat(100)}`, 'ü'.repeat(70), '\u0000']) expect(copied(text)).toBe(text)
  })

  it('keep cycles and sharing, through every container', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = { a: shared, b: [shared, shared], date: new Date(5) }
    value['again'] = value['date']
    value['self'] = value
    value['map'] = new Map<unknown, unknown>([
      [value, shared],
      ['set', new Set<unknown>([value, shared])],
    ])
    const error = new Error('with a cause', { cause: value })
    value['error'] = error
    const copy = copied(value) as typeof value & { a: object; map: Map<unknown, unknown>; error: Error }
    expect(copy['self']).toBe(copy)
    expect(copy['again']).toBe(copy['date'])
    expect((copy['b'] as unknown[])[0]).toBe(copy.a)
    expect((copy['b'] as unknown[])[1]).toBe(copy.a)
    expect(copy.map.get(copy)).toBe(copy.a)
    expect([...(copy.map.get('set') as Set<unknown>)]).toEqual([copy, copy.a])
    expect(copy.error.cause).toBe(copy)
    expect(copy.a).not.toBe(shared)
  })

  it('keep regular expressions and dates that are none', () => {
    const copy = copied({ r: /a+\/b/giu, d: new Date(Number.NaN) }) as { r: RegExp; d: Date }
    expect([copy.r.source, copy.r.flags, copy.r.test('AA/B')]).toEqual(['a+\\/b', 'giu', true])
    expect(copy.d.getTime()).toBeNaN()
  })

  it('keep class, message, stack, cause and fields of errors, also of those whose class is unknown', () => {
    class MyError extends RangeError {
      override readonly name = 'MyError'
      readonly code = 7
      readonly onRetry = (): void => undefined
    }
    const mine = new MyError('mine', { cause: new TypeError('inner') })
    const copy = copied(mine) as MyError
    expect(copy).toBeInstanceOf(Error)
    expect([copy.name, copy.message, copy.code, copy.stack]).toEqual(['MyError', 'mine', 7, mine.stack])
    expect(copy.cause).toBeInstanceOf(TypeError)
    expect(Object.keys(copy)).not.toContain('onRetry')
    expect(copied(new SyntaxError('s'))).toBeInstanceOf(SyntaxError)
    const several = copied(new AggregateError([new Error('one'), 2], 'all')) as AggregateError
    expect((several.errors[0] as Error).message).toBe('one')
    const hostile = new Error('x')
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('no')
      },
    })
    expect((copied(hostile) as Error).message).toBe('')
  })

  it('keep every kind of buffer, small inside the body and large beside it', () => {
    const random = seededRandom(1)
    for (const length of [0, 24, LIMITS.outOfBandBytes]) {
      const bytes = random.bytes(length)
      const views = [
        new Int8Array(bytes.slice().buffer),
        bytes.slice(),
        new Uint8ClampedArray(bytes.slice().buffer),
        new Int16Array(bytes.slice().buffer),
        new Uint16Array(bytes.slice().buffer),
        new Int32Array(bytes.slice().buffer),
        new Uint32Array(bytes.slice().buffer),
        new Float32Array(length / 4).fill(0.5),
        new Float64Array(length / 8).fill(Math.PI),
        new BigInt64Array(bytes.slice().buffer),
        new BigUint64Array(bytes.slice().buffer),
        new DataView(bytes.slice().buffer),
        bytes.slice().buffer,
      ]
      const encoded = encoder.encode(views, 'value')
      expect(encoded.buffers.length).toBe(length >= LIMITS.outOfBandBytes ? views.length : 0)
      expect(valueBytes(encoded)).toBeGreaterThanOrEqual(views.length * length)
      expect(decodeValue(encoded)).toEqual(views)
    }
  })

  it('copy: later changes of the original do not show, and only the part that a view covers travels', () => {
    const whole = new Float64Array(10_000)
    const part = whole.subarray(100, 103)
    const large = new Float64Array(10_000)
    const value = { list: [1], part, large }
    const encoded = encoder.encode(value, 'value')
    value.list.push(2)
    large[0] = 9
    part[0] = 9
    const copy = decodeValue(encoded) as typeof value
    expect([copy.list, [...copy.part], copy.large[0]]).toEqual([[1], [0, 0, 0], 0])
    expect(copy.part.buffer.byteLength).toBe(24)
  })

  it('say where in the value what cannot be sent lies', () => {
    const path = (value: unknown): string | undefined => {
      try {
        encoder.encode(value, 'result')
      } catch (error) {
        expect(error).toBeInstanceOf(SerializationError)
        return (error as SerializationError).details.path
      }
      return undefined
    }
    expect(path(() => 1)).toBe('result')
    expect(path({ model: { layers: [1, { onDone() {} }] } })).toBe('result.model.layers[1].onDone')
    expect(path({ 'a-b': Symbol('s') })).toBe('result["a-b"]')
    expect(path(new Map([['k', Promise.resolve()]]))).toBe('result.k')
    expect(path(new Map<unknown, unknown>([[Object.create(null), new WeakMap()]]))).toBe('result.value')
    expect(path(new Map<unknown, unknown>([[Object.assign(Object.create(null) as object, { f() {} }), 1]]))).toContain(
      'key',
    )
    expect(path(new Set([1, 2, new WeakSet()]))).toBe('result[2]')
    expect(path([new SharedArrayBuffer(8)])).toBe('result[0]')
    expect(path([new Uint8Array(new SharedArrayBuffer(8))])).toBe('result[0]')
    // After a fault the encoder is as good as new.
    expect(copied([1, 'x'])).toEqual([1, 'x'])
  })

  it('refuse what is nested too deeply in words, and read back what is nested deeply', () => {
    let deep: unknown[] = []
    for (let i = 0; i < 1_000; i++) deep = [deep]
    expect(copied(deep)).toEqual(deep)
    for (let i = 0; i < 200_000; i++) deep = [deep]
    expect(() => encoder.encode(deep, 'result')).toThrow(/nested too deeply/)
  })
})

describe('references and extensions', () => {
  class Ref {
    readonly id: ObjectId
    constructor(id: ObjectId) {
      this.id = id
    }
  }
  const owner = randomNodeId(seededRandom(2))
  const hooked = new ValueEncoder({
    replace: (value) => {
      if (value instanceof Ref) return { kind: 'ref', id: value.id }
      if (typeof value === 'function') return { kind: 'extension', name: 'fn', payload: { name: value.name } }
      return undefined
    },
  })

  it('go through the hooks, keep their places and their sharing', () => {
    const ref = new Ref({ owner, number: 5 })
    const fn = function named(): void {}
    const made: ObjectId[] = []
    const encoded = hooked.encode({ a: ref, b: [ref, fn, new Ref({ owner, number: 6 })], fn, c: { d: ref } }, 'value')
    expect(encoded.refs.map(({ number }) => number)).toEqual([5, 6])
    const value = decodeValue(encoded, {
      ref: (id) => {
        made.push(id)
        return new Ref(id)
      },
      extension: (name, payload) => ({ name, payload }),
    }) as { a: Ref; b: [Ref, object, Ref]; fn: object; c: { d: Ref } }
    expect(made.map(({ number }) => number)).toEqual([5, 6])
    expect(value.b[0]).toBe(value.a)
    expect(value.c.d).toBe(value.a)
    expect(value.b[2].id.number).toBe(6)
    expect(value.fn).toEqual({ name: 'fn', payload: { name: 'named' } })
    expect(value.b[1]).toBe(value.fn)
  })

  it('are refused where none are expected', () => {
    const encoded = hooked.encode(new Ref({ owner, number: 1 }), 'value')
    expect(() => decodeValue(encoded)).toThrow(/unexpected reference/)
  })
})

describe('the forms in which values travel', () => {
  it('a run reads back whole, with its buffers at multiples of 8', () => {
    const buffer = fc.integer({ min: 0, max: 40 }).map((n) => seededRandom(n).bytes(n))
    fc.assert(
      fc.property(buffer, fc.array(buffer, { maxLength: 5 }), fc.nat(3), (body, buffers, refCount) => {
        const refs = Array.from({ length: refCount }, (_, n) => ({ owner: randomNodeId(seededRandom(n)), number: n }))
        const pieces = toRun({ refs, body, buffers }, new ByteWriter(64))
        const run = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
        let at = 0
        for (const piece of pieces) {
          run.set(piece, at)
          at += piece.length
        }
        const back = fromRun(run, (bytes) => new ByteReader(bytes))
        expect(back).toEqual({ refs, body, buffers })
        for (const part of back.buffers) expect(part.byteOffset % 8).toBe(0)
      }),
    )
  })

  it('a value inside a message reads back', () => {
    const value = encoder.encode({ a: [1, 'two'], b: new Uint8Array(LIMITS.outOfBandBytes) }, 'value')
    const writer = new ByteWriter()
    inlineValue.write(writer, value)
    expect(inlineValue.read(new ByteReader(writer.finish()))).toEqual(value)
  })
})

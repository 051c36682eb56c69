// Long because every kind of value is compared with structuredClone here, by the same few means.
import { seededRandom } from '@shoal/base'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { ObjectLostError, OwnerDiedError, SerializationError, TaskError } from '../errors.ts'
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

/** What structured clone copies without loss and toEqual can compare. */
const tree = fc.anything({
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
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.constantFrom(null, undefined, -0, Number.NaN, Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, '\uFEFFbom', '\uD800'),
  ],
})

/** Views on few buffers, whole and in part, beside the buffers themselves. */
const views = fc.array(fc.tuple(fc.nat(2), fc.nat(8), fc.nat(5), fc.nat(4)), { maxLength: 6 }).map((parts) => {
  const buffers = [80, 80, LIMITS.outOfBandBytes + 80].map((length, n) => seededRandom(n).bytes(length).buffer)
  return parts.map(([which, kind, at, length]) => {
    const buffer = buffers[which] as ArrayBuffer
    const Views = [Uint8Array, Int16Array, Float32Array, Float64Array, BigInt64Array, Uint8ClampedArray] as const
    const View = Views[kind]
    if (View !== undefined) return new View(buffer, at * View.BYTES_PER_ELEMENT, length)
    return kind === 6 ? buffer : new DataView(buffer, at, length)
  })
})

/** Objects of every kind, joined at random to each other: sharing and cycles. */
const graph = fc
  .tuple(
    fc.array(fc.oneof(tree, views, fc.date(), fc.constantFrom(/a+/gi, /(?:)/)), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(3)), { maxLength: 8 }),
  )
  .map(([leaves, edges]) => {
    const nodes: unknown[] = [...leaves, {}, [], new Map<unknown, unknown>(), new Set<unknown>()]
    edges.forEach(([from, to, key]) => {
      const target = nodes[to % nodes.length]
      const holder = nodes[leaves.length + (from % 4)]
      if (holder instanceof Map) holder.set(key === 3 ? target : key, target)
      else if (holder instanceof Set) holder.add(target)
      else if (Array.isArray(holder)) holder[key] = target
      else (holder as Record<string, unknown>)[`k${key}`] = target
    })
    return nodes
  })

/**
 * A value as text in which every object has a number: equal texts mean equal kinds, contents, order and sharing.
 * `toEqual` sees neither sharing nor which buffer a view looks at.
 */
function shape(value: unknown): string {
  const numbers = new Map<object, number>()
  const show = (item: unknown): string => {
    if (typeof item === 'bigint') return `${item}n`
    if (typeof item === 'string') return JSON.stringify(item)
    if (typeof item !== 'object' || item === null) return Object.is(item, -0) ? '-0' : String(item)
    const known = numbers.get(item)
    if (known !== undefined) return `#${known}`
    numbers.set(item, numbers.size)
    const kind = Object.prototype.toString.call(item)
    if (ArrayBuffer.isView(item)) {
      const bytes = new Uint8Array(item.buffer, item.byteOffset, item.byteLength)
      const buffer = numbers.get(item.buffer) ?? numbers.set(item.buffer, numbers.size).size - 1
      return `${kind}${bytes.join()} on ${buffer}`
    }
    if (item instanceof ArrayBuffer) return kind + new Uint8Array(item).join()
    if (item instanceof Map) return `Map(${[...item].map(([key, entry]) => `${show(key)}=>${show(entry)}`).join()})`
    if (item instanceof Set) return `Set(${[...item].map(show).join()})`
    if (item instanceof Date) return `Date(${item.getTime()})`
    if (item instanceof RegExp) return String(item)
    if (item instanceof Number || item instanceof String || item instanceof Boolean)
      return `boxed(${show(item.valueOf())})`
    if (Array.isArray(item))
      return `[${Array.from({ length: item.length }, (_, n) => (n in item ? show(item[n]) : 'hole')).join()}]`
    return `{${Object.entries(item)
      .map(([key, entry]) => `${key}:${show(entry)}`)
      .join()}}`
  }
  return show(value)
}

describe('values', () => {
  it('[V2] come out as structured clone copies them', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(copied(value)).toEqual(structuredClone(value))
      }),
      { numRuns: 500 },
    )
  })

  it('[V2] [V3] come out with the sharing, the cycles and the buffers under views that structured clone keeps', () => {
    fc.assert(
      fc.property(graph, (value) => {
        expect(shape(copied(value))).toBe(shape(structuredClone(value)))
      }),
      { numRuns: 500 },
    )
  })

  it('[V3] keep views on one buffer together, as the part that they cover', () => {
    const memory = new ArrayBuffer(1000)
    const value = { a: new Uint8Array(memory, 100, 10), b: new Float32Array(memory, 104, 1), c: new Uint8Array(8) }
    const copy = copied(value) as typeof value
    copy.b[0] = 1
    expect([...copy.a]).toEqual([0, 0, 0, 0, 0, 0, 128, 63, 0, 0])
    expect(copy.a.buffer).toBe(copy.b.buffer)
    expect([copy.a.byteOffset, copy.a.buffer.byteLength]).toEqual([4, 14])
    expect(copy.c.buffer).not.toBe(copy.a.buffer)
    const whole = copied([new Uint8Array(memory, 0, 1), memory]) as [Uint8Array, ArrayBuffer]
    expect(whole[0].buffer).toBe(whole[1])
    expect(whole[1].byteLength).toBe(1000)
  })

  it('[V2] read getters once, and take objects of other realms for what they are', () => {
    let reads = 0
    const value = {
      get now() {
        return ++reads
      },
    }
    expect(copied(value)).toEqual({ now: 1 })
    const foreign = runInNewContext(
      `({ map: new Map([[1, new Set([2])]]), date: new Date(5), list: [1, , 3], re: /x/g, error: new RangeError('r'),
          bytes: new Uint8Array([1, 2]), buffer: new ArrayBuffer(3), boxed: Object(7), object: { a: 1 } })`,
    ) as Record<string, unknown>
    const copy = copied(foreign) as Record<string, unknown>
    expect(copy).toMatchObject({ date: new Date(5), re: /x/g, bytes: new Uint8Array([1, 2]), object: { a: 1 } })
    expect(copy['map']).toEqual(new Map([[1, new Set([2])]]))
    expect(copy['error']).toBeInstanceOf(RangeError)
    expect((copy['buffer'] as ArrayBuffer).byteLength).toBe(3)
    expect(Object.is((copy['boxed'] as number).valueOf(), 7)).toBe(true)
    expect([(copy['list'] as unknown[]).length, 1 in (copy['list'] as unknown[])]).toEqual([3, false])
    expect((copied(Buffer.from('ab')) as Uint8Array).constructor).toBe(Uint8Array)
  })

  it('[V4] keep AggregateError, DOMException and errors of Shoal as what they are, wherever they lie', () => {
    const lost = new OwnerDiedError('owner-died', 'gone', { details: { objectId: 'x/1' } })
    const failed = new TaskError('task-failed', 'f failed', { cause: new RangeError('r') })
    const value = [new AggregateError([lost], 'all'), new DOMException('stop', 'AbortError'), { lost, failed }] as const
    const copy = copied(value) as unknown as typeof value
    expect(copy[0]).toBeInstanceOf(AggregateError)
    expect(copy[0].errors[0]).toBeInstanceOf(ObjectLostError)
    expect(copy[0].errors[0]).toBe(copy[2].lost)
    expect(copy[1]).toBeInstanceOf(DOMException)
    expect([copy[1].name, copy[1].message, copy[1].code]).toEqual(['AbortError', 'stop', 20])
    expect(copy[2].lost).toMatchObject({ code: 'owner-died', details: { objectId: 'x/1' }, stack: lost.stack })
    expect(copy[2].failed).toBeInstanceOf(TaskError)
    expect(copy[2].failed).toBeInstanceOf(RangeError)
    const allErrors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
    for (const Class of allErrors) expect((copied(new Class('x')) as Error).constructor).toBe(Class)
  })

  it('[V2] keep -0, NaN, holes, odd keys and odd numbers', () => {
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

  it('[V3] keep cycles and sharing, through every container', () => {
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

  it('[V2] keep regular expressions and dates that are none', () => {
    const copy = copied({ r: /a+\/b/giu, d: new Date(Number.NaN) }) as { r: RegExp; d: Date }
    expect([copy.r.source, copy.r.flags, copy.r.test('AA/B')]).toEqual(['a+\\/b', 'giu', true])
    expect(copy.d.getTime()).toBeNaN()
  })

  it('[V4] keep class, message, stack, cause and fields of errors, also of those whose class is unknown', () => {
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

  it('[V2] keep every kind of buffer, small inside the body and large beside it', () => {
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

  it('[V3] copy: later changes of the original do not show, and only the part that a view covers travels', () => {
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

  it('[V10] say where in the value what cannot be sent lies', () => {
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
    const throwing = {
      get size(): number {
        throw new Error('not now')
      },
    }
    expect(path({ list: [throwing] })).toBe('result.list[0].size')
    expect(() => encoder.encode(throwing, 'result')).toThrow(/reading it threw Error: not now/)
    expect(() => encoder.encode([Promise.resolve(1)], 'result')).toThrow('result[0] cannot be sent: it is a Promise')
    expect(path({ '\uD800': 1 })).toBe('result')
    const detached = new Uint8Array(8)
    structuredClone(detached, { transfer: [detached.buffer] })
    expect(path({ detached })).toBe('result.detached')
    expect(path({ buffer: detached.buffer })).toBe('result.buffer')
    // After a fault the encoder is as good as new.
    expect(copied([1, 'x'])).toEqual([1, 'x'])
  })

  it('[V10] refuse what is nested too deeply in words, and read back what is nested deeply', () => {
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

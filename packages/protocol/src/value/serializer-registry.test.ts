import { describe, expect, it } from 'vitest'
import { SerializationError } from '../errors.ts'
import { decodeValue, noDecodeHooks } from './decode-value.ts'
import { noEncodeHooks, ValueEncoder } from './encode-value.ts'
import { SerializerRegistry } from './serializer-registry.ts'

class Vector {
  x: number
  y: number
  constructor(x: number, y: number) {
    if (!Number.isFinite(x)) throw new RangeError('the constructor was called')
    this.x = x
    this.y = y
  }
  get length(): number {
    return Math.hypot(this.x, this.y)
  }
}
class Vector3 extends Vector {
  z = 1
}
class Money {
  readonly #cents: bigint
  constructor(cents: bigint) {
    this.#cents = cents
  }
  toString(): string {
    return `${this.#cents} cents`
  }
  static toData(money: Money): { cents: bigint } {
    return { cents: money.#cents }
  }
}

function send(value: unknown, from: SerializerRegistry, to: SerializerRegistry = from): unknown {
  const encoder = new ValueEncoder({ ...noEncodeHooks, serializers: () => from })
  return decodeValue(encoder.encode(value, 'value'), { ...noDecodeHooks, serializers: () => to })
}

function refusal(act: () => unknown): SerializationError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(SerializationError)
    return error as SerializationError
  }
  throw new Error('it was not refused')
}

describe('instances of classes', () => {
  it('[V5] are refused by path when nobody registered the class, with what to do', () => {
    const none = new SerializerRegistry()
    const error = refusal(() => send({ a: [new Vector(1, 2)] }, none))
    expect(error.details.path).toBe('value.a[0]')
    expect(error.message).toMatch(/instance of Vector, whose methods would be lost: registerSerializer\(Vector,/)
    class Stack extends Array<number> {}
    class Registry extends Map<string, number> {}
    class Tags extends Set<string> {}
    class Stamp extends Date {}
    for (const instance of [new Stack(), new Registry(), new Tags(), new Stamp(), new URL('https://a.example')])
      expect(refusal(() => send([instance], none)).details.path).toBe('value[0]')
    class Samples extends Float32Array {}
    expect(send(new Samples(2), none)).toEqual(new Float32Array(2))
    class Failure extends Error {}
    expect(send(new Failure('f'), none)).toBeInstanceOf(Error)
    // It calls itself a Map and is none.
    const liar = new (class {
      get [Symbol.toStringTag](): string {
        return 'Map'
      }
    })()
    expect(refusal(() => send(liar, none)).message).toContain('registerSerializer')
  })

  it('[V6] arrive with their fields and methods, without a constructor call, cycles included', () => {
    const registry = new SerializerRegistry()
    registry.registerSerializer(Vector, { name: 'Vector' })
    const broken = Object.assign(new Vector(3, 4), { x: Number.NaN })
    expect(send(broken, registry)).toBeInstanceOf(Vector)
    const first = Object.assign(new Vector(3, 4), { self: undefined as unknown, list: [] as unknown[] })
    first.self = first
    first.list = [first, new Map([['me', first]])]
    const copy = send({ first, again: first }, registry) as { first: typeof first; again: unknown }
    expect(copy.first).toBeInstanceOf(Vector)
    expect(copy.first.length).toBe(5)
    expect([copy.first.self, copy.again, copy.first.list[0]]).toEqual([copy.first, copy.first, copy.first])
    expect(copy.first).not.toBe(first)
  })

  it('[V6] arrive as their own functions make them; a cycle through such a one is refused by path', () => {
    const registry = new SerializerRegistry()
    registry.registerSerializer(Money, {
      name: 'Money',
      serialize: (money) => Money.toData(money),
      deserialize: ({ cents }: { cents: bigint }) => new Money(cents),
    })
    const money = new Money(5n)
    const copy = send([money, money], registry) as [Money, Money]
    expect(String(copy[0])).toBe('5 cents')
    expect(copy[1]).toBe(copy[0])
    class Node {
      next: unknown
    }
    registry.registerSerializer(Node, {
      name: 'Node',
      serialize: (node) => ({ next: node.next }),
      deserialize: ({ next }: { next: unknown }) => Object.assign(new Node(), { next }),
    })
    const node = new Node()
    node.next = [node]
    expect(refusal(() => send({ node }, registry)).message).toMatch(/value\.node\S* cannot be sent: it leads back to/)
    node.next = { fine: true }
    expect(send(node, registry)).toEqual(node)
  })

  it('[V6] of what extends a registered class are refused: they have more to them', () => {
    const registry = new SerializerRegistry()
    registry.registerSerializer(Vector, { name: 'Vector' })
    expect(refusal(() => send(new Vector3(1, 2), registry)).message).toContain('instance of Vector3')
    registry.registerSerializer(Vector3, { name: 'Vector3' })
    expect(send(new Vector3(1, 2), registry)).toBeInstanceOf(Vector3)
  })

  it('[V6] that nobody knows on arrival, or knows in another way, are an error that names them', () => {
    const [here, there] = [new SerializerRegistry(), new SerializerRegistry()]
    here.registerSerializer(Vector, { name: 'geo/Vector' })
    const unknown = refusal(() => send(new Vector(1, 2), here, there))
    expect(unknown.message).toMatch(/instance of geo\/Vector arrived where no class is registered/)
    there.registerSerializer(Vector, { name: 'geo/Vector', serialize: () => 1, deserialize: () => new Vector(0, 0) })
    expect(refusal(() => send(new Vector(1, 2), here, there)).message).toContain('registered in another way')
    expect(here.deregisterSerializer(Vector)).toBe(true)
    expect(here.deregisterSerializer(Vector)).toBe(false)
    expect(refusal(() => send(new Vector(1, 2), here)).details.path).toBe('value')
  })

  it('[V6] whose functions throw are an error that says which and why', () => {
    const registry = new SerializerRegistry()
    registry.registerSerializer(Money, {
      name: 'Money',
      serialize: () => {
        throw new RangeError('no money')
      },
      deserialize: () => new Money(0n),
    })
    const sending = refusal(() => send([new Money(1n)], registry))
    expect(sending.message).toBe('value[0] cannot be sent: the serializer of Money threw RangeError: no money')
    expect(sending.cause).toBeInstanceOf(RangeError)
    const [here, there] = [new SerializerRegistry(), new SerializerRegistry()]
    here.registerSerializer(Money, { name: 'Money', serialize: () => 1, deserialize: () => new Money(0n) })
    there.registerSerializer(Money, {
      name: 'Money',
      serialize: () => 1,
      deserialize: () => {
        throw new TypeError('old version')
      },
    })
    expect(refusal(() => send(new Money(1n), here, there)).message).toContain('TypeError: old version')
  })

  it('[V6] are registered once: one name one class, one class one name', () => {
    const registry = new SerializerRegistry()
    registry.registerSerializer(Vector, { name: 'Vector' })
    registry.registerSerializer(Vector, { name: 'Vector' })
    const refused = (act: () => void, words: RegExp): void => {
      expect(act).toThrow(TypeError)
      expect(act).toThrow(words)
    }
    refused(() => registry.registerSerializer(Money, { name: 'Vector' }), /another class has the name Vector/)
    refused(() => registry.registerSerializer(Vector, { name: 'V' }), /registered as Vector already/)
    refused(() => registry.registerSerializer(Map, { name: 'Map' }), /travels without one/)
    refused(() => registry.registerSerializer(Uint8Array, { name: 'U8' }), /travels without one/)
    refused(() => registry.registerSerializer(class A extends Error {}, { name: 'A' }), /registerError\(A, 'A'\)/)
    refused(() => registry.registerSerializer({} as never, { name: 'x' }), /must be a class/)
    refused(() => registry.registerSerializer(Money, {} as never), /name must be a text/)
    refused(() => registry.registerSerializer(Money, { name: 'M', serialize: () => 1 }), /give both or neither/)
    class MyError extends Error {}
    registry.registerError(MyError, 'MyError')
    registry.registerError(MyError, 'MyError')
    refused(() => registry.registerError(class Other extends Error {}, 'MyError'), /another class has the name/)
    refused(() => registry.registerError(MyError, 'Mine'), /registered as MyError already/)
    refused(() => registry.registerError(Vector as never, 'Vector'), /does not extend Error/)
    expect(registry.deregisterSerializer(MyError)).toBe(true)
    expect(registry.errorClass('MyError')).toBeUndefined()
  })
})

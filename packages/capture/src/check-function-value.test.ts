import { describe, expect, test, vi } from 'vitest'
import { checkFunctionFacts, checkFunctionValue } from './check-function-value.ts'
import { checkFunctionSource } from './check-function-source.ts'
import { describeFunction } from './function-facts.ts'

function check(value: unknown): string {
  const report = checkFunctionValue(value, Function.prototype.toString.call(value))
  return report ? `${report.reason} ${report.identifier}` : 'ok'
}

/** Evaluated from text, so that the test runner's own transforms cannot change what is tested. */
function evaluate(code: string): unknown {
  return (new Function(code) as () => unknown)()
}

describe('no source of its own', () => {
  test('bound, native and proxied functions', () => {
    const add = (a: number, b: number): number => a + b
    expect(check(add.bind(null, 1))).toBe('no-source bound add')
    expect(check(Math.max)).toBe('no-source max')
    expect(check(new Proxy(add, {}))).toBe('no-source add')
    expect(check(new Proxy(class Game {}, {}))).toBe('no-source Game')
    expect(check(Map)).toBe('no-source Map')
  })

  test('a mock is refused by its text or its value', () => {
    const mock = vi.fn(() => 1)
    const source = Function.prototype.toString.call(mock)
    const isRefused =
      checkFunctionValue(mock, source) ?? checkFunctionSource(source, { kind: 'function', hasUses: false })
    expect(isRefused).toMatchObject({ ok: false })
  })

  test('a text that is not the value’s own', () => {
    expect(checkFunctionValue(() => 1, '() => 2')).toMatchObject({ reason: 'no-source' })
    expect(checkFunctionValue({}, '{}')).toMatchObject({ reason: 'wrong-kind' })
  })
})

describe('classes', () => {
  test('what the text shows is accepted', () => {
    expect(
      check(
        evaluate(`return class Counter {
          static limit = 5; static #hidden = 1; static make() {} static get one() { return 1 }
          static [Symbol.iterator] = 1; static { this.total = 0; Counter.other = 1 } static table = new Map()
          static max = Math.max
          field = 1; #n = 0; inc() {} get n() { return this.#n } set n(v) {} async *stream() {}
          [Symbol.asyncIterator]() {} 'two words'() {} 7() {}
        }`),
      ),
    ).toBe('ok')
    expect(check(evaluate('return class extends Map { get(k) { return super.get(k) } }'))).toBe('ok')
  })

  test('a lowered static stands after the class: wrong results without any error', () => {
    expect(check(evaluate('class A { run() { return A.limit } } A.limit = 5; return A'))).toBe(
      'hidden-member static limit',
    )
  })

  test('a member added to the prototype, and a symbol', () => {
    expect(check(evaluate('class A {} A.prototype.run = () => 1; return A'))).toBe('hidden-member run')
    expect(check(evaluate('class A {} A[Symbol.for("meta")] = 1; return A'))).toBe('hidden-member static [meta]')
  })

  test('a legacy decorator that replaces a method', () => {
    const decorated = evaluate(`
      class A { run() { return 1 } }
      const original = A.prototype.run
      Object.defineProperty(A.prototype, 'run', { value: function () { return original.call(this) + 1 } })
      return A`)
    expect(check(decorated)).toBe('decorated run')
  })

  test('keepNames redefines name, which is no member', () => {
    const named = evaluate(
      `const __name = (f, value) => Object.defineProperty(f, 'name', { value, configurable: true })
       return class { static { __name(this, 'Counter') } }`,
    )
    expect(check(named)).toBe('ok')
  })
})

describe('functions', () => {
  test('plain ones carry nothing', () => {
    expect(check(() => 1)).toBe('ok')
    expect(check(evaluate('return function sloppy() {}'))).toBe('ok')
    expect(check(evaluate('return async function* stream() {}'))).toBe('ok')
    expect(check(evaluate('return { run() {} }.run'))).toBe('ok')
  })

  test('properties and a filled prototype are refused', () => {
    expect(check(Object.assign(() => 1, { cache: {} }))).toBe('hidden-member cache')
    expect(check(evaluate('function A() {} A.prototype.run = function () {}; return A'))).toBe('hidden-member run')
  })
})

test('facts are plain data: they can be judged in another thread', () => {
  const facts = describeFunction(evaluate('class A {} A.limit = 5; return A'))
  if (!facts) throw new Error('a class is a function')
  expect(checkFunctionFacts(structuredClone(facts))).toMatchObject({ reason: 'hidden-member' })
  expect(describeFunction('text')).toBeUndefined()
})

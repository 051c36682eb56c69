import { describe, expect, it } from 'vitest'
import { arityOf, checkArity, constructorArity } from './arity.ts'

const text = (source: string): ((...args: never[]) => unknown) =>
  new Function(`return (${source})`)() as (...args: never[]) => unknown

describe('arityOf', () => {
  it.each([
    ['() => 1', [0, 0]],
    ['a => a', [1, 1]],
    ['async a => a', [1, 1]],
    ['(a, b) => a', [2, 2]],
    ['(a, b,) => a', [2, 2]],
    ['async (a, b = [1, 2], c = f(1, 2)) => a', [1, 3]],
    ['(a, ...rest) => a', [1, Infinity]],
    ['({ a, b }, [c, d] = []) => a', [1, 2]],
    ['({ a, ...others }, b) => a', [2, 2]],
    ['function (a, b) {}', [2, 2]],
    ['function named(a) {}', [1, 1]],
    ['async function* named(a, b) {}', [2, 2]],
    ['function () { return arguments.length }', [0, Infinity]],
    ['(a, b = "x, y") => a', [1, Infinity]],
    ['(a, b /* , c */) => a', [2, Infinity]],
    ['async(a) => a', [1, 1]],
  ])('%s', (source, expected) => {
    expect(arityOf(text(source))).toEqual(expected)
  })

  it('leaves out the parameter of what is handed in by name', () => {
    expect(arityOf(text('({ add }, a, b = 1) => a'), 1)).toEqual([1, 2])
    expect(arityOf(text('() => 1'), 1)).toEqual([0, 0])
  })

  it('counts a method, also one with an unusual name', () => {
    const object = {
      add(a: number, b: number) {
        return a + b
      },
      async later(a = 1) {
        return a
      },
      ['x y'](a: number) {
        return a
      },
    }
    expect(arityOf(object.add)).toEqual([2, 2])
    expect(arityOf(object.later)).toEqual([0, 1])
    expect(arityOf(object['x y'])).toEqual([1, Infinity])
  })
})

describe('constructorArity', () => {
  it('is the nearest declared constructor', () => {
    expect(constructorArity(text('class A { constructor(a, b = 1) {} }'))).toEqual([1, 2])
    expect(constructorArity(text('class A { n = 0 }'))).toEqual([0, 0])
    expect(constructorArity(text('class B extends Array {}'))).toEqual([0, Infinity])
    class Base {
      readonly sum: number
      constructor(a: number, b: number) {
        this.sum = a + b
      }
    }
    class Derived extends Base {
      extra = 1
    }
    expect(constructorArity(Derived as unknown as (...args: never[]) => unknown)).toEqual([2, 2])
  })

  it('knows no most when the text has the word twice', () => {
    expect(constructorArity(text('class A { constructor(a) {} s = "constructor()" }'))).toEqual([1, Infinity])
  })
})

describe('checkArity', () => {
  it('names the function and both counts', () => {
    expect(() => checkArity('f', [2, 2], 1)).toThrow('f takes 2 arguments, got 1; a parameter that may be left out')
    expect(() => checkArity('f', [1, 1], 2)).toThrow(/^f takes 1 argument, got 2$/)
    expect(() => checkArity('f', [1, 3], 4)).toThrow('f takes 1 to 3 arguments, got 4')
    expect(() => checkArity('f', [1, Infinity], 0)).toThrow('f takes at least 1 arguments, got 0')
    expect(() => checkArity('f', undefined, 0)).not.toThrow()
    expect(() => checkArity('f', [0, 2], 2)).not.toThrow()
  })
})

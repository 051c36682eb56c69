// One source, compiled by every tool of the fixture matrix (emitted-matrix.test.ts says what must become of each export).
// Written as users write; some of it can never ship, on purpose.
import { Base, help } from './help'
import * as helpers from './help'

const LIMIT = 5 + Math.random()

export const arrow = (x: number) => {
  const inner = (y: number) => y + 1
  return inner(x)
}
export function declared(a: number, { b = 2, c }: { b?: number; c: number[] }, ...rest: number[]) {
  return [a, b, ...c, ...rest]
}
export const asynchronous = async (x?: number) => {
  const value = await Promise.resolve(x)
  return value ?? 1
}
export const generator = function* (n: number) {
  for (let i = 0; i < n; i++) yield i
}
export const asyncGenerator = async function* (xs: Iterable<number> | AsyncIterable<number>) {
  for await (const x of xs) yield x * 2
}
export const objectRest = ({ a, ...others }: { a: number; b: number }) => [a, others]
export const objectSpread = (x: object) => ({ ...x, last: 1 })
export const arraySpread = (xs: number[]) => Math.max(...xs, 0)
export const tagged = (x: number) => String.raw`a\n${x}`
export const namedGroups = (text: string) => /(?<year>\d{4})-(?<month>\d\d)/u.exec(text)?.groups?.['month']
export const big = (n: number) => String(BigInt(n) ** BigInt(2))
export const optional = (x?: { a?: { b?: () => number } }) => x?.a?.b?.() ?? 'none'
export const assigned = (x: { a?: number }) => {
  x.a ??= 7
  return x.a
}
export const recursive = function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}
export const innerRecursion = (n: number) => {
  function sum(k: number): number {
    return k === 0 ? 0 : k + sum(k - 1)
  }
  return sum(n)
}
export const innerClass = (xs: number[]) => {
  class Stack extends Array<number> {
    get top() {
      return this[this.length - 1]
    }
  }
  return Stack.from(xs).length + new Stack(1, 2, 3).length
}
export const caught = (text: string) => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return 'not JSON'
  }
}
export const labelled = (n: number) => {
  let found = 0
  outer: for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      if (k > i) continue outer
      found++
    }
  }
  return found
}
export const switched = (x: string) => {
  switch (x) {
    case 'a': {
      const y = 1
      return y
    }
    default:
      return 0
  }
}
export const innerEnum = (x: number) => {
  // @ts-expect-error: nothing here may need more than its types erased, but users have enums
  enum Color {
    Red,
    Green,
  }
  return Color[x]
}
export const accessors = (x: number) => {
  const object = {
    get double() {
      return x * 2
    },
    set double(to: number) {
      x = to
    },
  }
  object.double = 4
  return object.double
}
export const globals = (x: number) => structuredClone(new Map([[x, new URL('https://a.example/b').pathname]])).get(x)
export const spelledOut = (n: number) => 1_000 * n ** 2
export const closures = (n: number) => Array.from({ length: n }, (_, i) => () => i).map((f) => f())
export const handedIn = ({ limit }: { limit: number }, x: number) => x + limit
export const { shorthand, asyncShorthand } = {
  shorthand(x: number) {
    return x + 1
  },
  async asyncShorthand(x: number) {
    return (await Promise.resolve(x)) + 1
  },
}
export const Counter = class {
  #n = 0
  inc() {
    return ++this.#n
  }
}
export class WithStatic {
  static limit = 5
  run() {
    return WithStatic.limit
  }
}
export class Plain {
  size = 3
  run(n: number) {
    return this.size * n
  }
}

export const captures = (x: number) => x + LIMIT
export const capturesInside = (xs: number[]) => xs.map((x) => x * LIMIT)
export const sibling = (x: number) => helpersOf(x)
function helpersOf(x: number) {
  return x > LIMIT ? x : LIMIT
}
export const imports = (x: number) => help(x)
export const namespace = (x: number) => helpers.help(x)
export class Derived extends Base {}
export const dynamic = () => import('./help')
export const page = () => document.title
export const network = (url: string) => fetch(url)
export const globalName = () => name
export const outerThis = (function (this: { a: number } | void) {
  return () => this
})()
export const outerArguments = (function (..._: unknown[]) {
  return () => arguments.length
})(1, 2)
export const bound = arrow.bind(null, 1)
export const native = Math.max
export const { superMethod } = {
  superMethod() {
    return super.toString()
  },
}

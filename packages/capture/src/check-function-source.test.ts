import { describe, expect, test } from 'vitest'
import { ALLOWED_GLOBALS } from './allowed-globals.ts'
import { checkFunctionSource } from './check-function-source.ts'
import type { CaptureReason, CaptureRefused } from './capture-report.ts'

function check(source: string, kind: 'function' | 'class' = 'function', hasUses = false): string {
  const report = checkFunctionSource(source, { kind, hasUses })
  return report.ok ? 'ok' : `${report.reason} ${report.identifier}`
}

function refused(source: string, kind: 'function' | 'class' = 'function', hasUses = false): CaptureRefused {
  const report = checkFunctionSource(source, { kind, hasUses })
  if (report.ok) throw new Error(`accepted: ${source}`)
  return report
}

function evaluate(source: string, kind: 'function' | 'class' = 'function'): unknown {
  const report = checkFunctionSource(source, { kind, hasUses: false })
  if (!report.ok) throw new Error(report.message)
  return (new Function(`"use strict"; return (${report.expression})`) as () => unknown)()
}

describe('what stands alone', () => {
  test.each([
    '(a, b) => a + b',
    'function fact(n) { return n < 2 ? 1 : n * fact(n - 1) }',
    'async ({ add, limit, get }, n) => await get(add.remote(n, limit))',
    '(a, b = a, { c, d: [e, ...f] = [], ...g } = {}, ...rest) => [a, b, c, e, f, g, rest]',
    '(n) => { if (n) { var hoisted = 1 } return hoisted }',
    '(n) => { return later(n); function later(x) { return x } }',
    '(n) => { for (const x of n) { use(x) } function use(y) { return y } }',
    '(n) => { for (var i = 0; i < n; i++); return i }',
    '(n) => { try { n() } catch ({ message }) { return message } finally { var z = 1 } return z }',
    '(n) => { outer: for (;;) { for (;;) { if (n) break outer; else continue outer } } }',
    '(n) => { switch (n) { case 1: { let x = 1; return x } default: let y = 2; return y } }',
    '(n) => ({ name: n.name, status: 1, [n.key]: 2, event() { return this.status }, get close() { return 1 } })',
    '(n) => n.parent.top?.location.self',
    '(n) => { class A { static #p = 1; static q = A.#p; name = this; run() { return super.toString() + new.target } } return new A() }',
    '(n) => { const f = function g(k) { return k ? g(k - 1) : arguments.length + this }; return f.call(1, n) }',
    'function (n) { return (() => arguments[0] + new.target)() }',
    '(n) => { let name = n; { const status = name; return status } }',
    '(n) => { var { a: { b: deep } } = n; [deep, n.x] = [1, 2]; ({ y: deep = 3 } = n); return deep }',
    '(n) => { label: { const undefinedLabel = 1; break label } }',
    'async function* gen(n) { for await (const x of n) yield x }',
    '() => typeof undefined',
    '() => globalThis.performance.now() + Math.max(1, NaN)',
    '(n) => { using file = n; return file }',
    '(x) => { cov_bbxiuq5rc().f[0]++; cov_bbxiuq5rc().b[0][0]++; return x }',
    '(x) => { const inner = /* @__PURE__ */ __name((y) => y + 1, "inner"); return inner(x) }',
  ])('%s', (source) => {
    expect(check(source)).toBe('ok')
  })

  test.each([
    'class Counter { #n = 0; static limit = 5; inc() { return ++this.#n } static make() { return new Counter() } }',
    'class extends Map { get(key) { return super.get(key) ?? 0 } }',
    'class extends null {}',
    'class Counter { static { __name(this, "Counter") } }',
    'class A { static [Symbol.iterator] = 1; static { const a = 1; this.b = a } }',
  ])('%s', (source) => {
    expect(check(source, 'class')).toBe('ok')
  })
})

describe('what is captured', () => {
  test.each<[string, CaptureReason, string]>([
    ['(x) => x + LIMIT', 'captured', 'LIMIT'],
    ['(a = later) => { var later = 1; return a + later }', 'captured', 'later'],
    ['() => { { let inner = 1 } return inner }', 'captured', 'inner'],
    ['() => { for (const i of []) {} return i }', 'captured', 'i'],
    ['() => { try {} catch (e) {} return e }', 'captured', 'e'],
    ['() => { (function named() {}); return named }', 'captured', 'named'],
    ['() => { if (1) { function inBlock() {} } return inBlock }', 'captured', 'inBlock'],
    ['() => { counter += 1 }', 'captured', 'counter'],
    ['() => { [target] = [1] }', 'captured', 'target'],
    ['() => { ({ a: target } = {}) }', 'captured', 'target'],
    ['() => typeof missing', 'captured', 'missing'],
    ['() => `${text}`', 'captured', 'text'],
    ['() => ({ short })', 'captured', 'short'],
    ['() => ({ [key]: 1 })', 'captured', 'key'],
    ['({ [key]: value }) => value', 'captured', 'key'],
    ['() => { class A { [key]() {} } }', 'captured', 'key'],
    ['() => { class A { field = outer } }', 'captured', 'outer'],
    ['(x) => tag`${x}`', 'captured', 'tag'],
    ['(x) => Game.name', 'captured', 'Game'],
    ['run(a) { return run(a) }', 'captured', 'run'],
  ])('%s', (source, reason, identifier) => {
    expect(check(source)).toBe(`${reason} ${identifier}`)
  })

  test.each(['name', 'status', 'origin', 'event', 'close', 'parent', 'top', 'length'])(
    'the worker global %s is a capture: it would pass silently',
    (name) => {
      expect(ALLOWED_GLOBALS.has(name)).toBe(false)
      expect(check(`() => 'hi ' + ${name}`)).toBe(`captured ${name}`)
    },
  )

  test.each(['self', 'location', 'window', 'document', 'fetch', 'indexedDB', 'process', 'require', 'postMessage'])(
    '%s is not there where tasks run',
    (name) => {
      expect(check(`() => ${name}`)).toBe(`platform ${name}`)
    },
  )

  test('the first of several is named, with its place and its line', () => {
    const report = refused('(x) => {\n  const y = x + first\n  return y + second\n}')
    expect(report).toMatchObject({ identifier: 'first', line: 2, column: 17, excerpt: 'const y = x + first' })
    expect(report.message).toContain('`first`')
    expect(report.message).toContain('remote({ first }, ({ first }, ...args) => ...)')
  })

  test('the excerpt of minified code is cut around the place', () => {
    const report = refused(`(x)=>{${'x=x+1;'.repeat(100)}return x+captured;${'x=x+1;'.repeat(100)}}`)
    expect(report.excerpt).toContain('return x+captured')
    expect(report.excerpt.length).toBeLessThanOrEqual(102)
  })

  test('with values handed in already, the remedy adds one', () => {
    expect(refused('({ add }, x) => add(x, limit)', 'function', true).remedy).toContain('add it to what is handed in')
    expect(refused('class { run() { return limit } }', 'class').remedy).toContain('remote module')
  })
})

describe('what is refused by what it is', () => {
  test.each<[string, CaptureReason, string]>([
    ['() => this.x', 'this', 'this'],
    ['function () { return this.x }', 'this', 'this'],
    ['run() { return [1].map(() => this.x) }', 'this', 'this'],
    ['run() { return this.#secret }', 'this', '#secret'],
    ['() => arguments[0]', 'arguments', 'arguments'],
    ['() => super.run()', 'super', 'super'],
    ['run() { return super.run() }', 'super', 'super'],
    ['() => new.target', 'new-target', 'new.target'],
    ["() => import('./x.js')", 'dynamic-import', 'import()'],
    ['() => import.meta.url', 'import-meta', 'import.meta'],
    ['(code) => eval(code)', 'eval', 'eval'],
    ['function () { [native code] }', 'no-source', 'native code'],
    ['function max() { [native code] }', 'no-source', 'max'],
    ['() => { class A extends Base {} }', 'base-class', 'Base'],
    ['class A {}', 'wrong-kind', 'class'],
    ['() => { with (a) {} }', 'syntax', "'with' in strict mode"],
    ['1), (() => 2', 'syntax', 'this is not one function or class'],
    ['() => 1)}); (function(){return(() => 2', 'syntax', 'this is not one function or class'],
    ['() => {', 'syntax', 'Unexpected token'],
    ['42', 'syntax', 'this is not one function or class'],
    ['a: 1', 'syntax', 'Unexpected token'],
  ])('%s', (source, reason, identifier) => {
    expect(check(source)).toBe(`${reason} ${identifier}`)
  })

  test('text deeper than the stack is refused, not thrown at the caller', () => {
    expect(check(`() => ${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toMatch(/^syntax .*stack/)
    expect(check(`() => ${'1+'.repeat(50_000)}1`)).toMatch(/^ok$|^syntax /)
  })

  test.each<[string, CaptureReason, string]>([
    ['class t extends I { run() { return k } }', 'base-class', 'I'],
    ['class extends lib.Base {}', 'base-class', 'Base'],
    ['class A { @log run() {} }', 'decorated', '@log'],
    ['class A { [key]() {} }', 'captured', 'key'],
    ['class A { static x = this.y; run() { return other } }', 'captured', 'other'],
    ['class A { [this.key]() {} }', 'this', 'this'],
    ['(x) => x', 'wrong-kind', 'function'],
  ])('%s', (source, reason, identifier) => {
    expect(check(source, 'class')).toBe(`${reason} ${identifier}`)
  })

  test('a base class asks for a remote module', () => {
    const report = refused('class t extends I {}', 'class')
    expect(report.message).toContain('base class')
    expect(report.remedy).toContain('remote module')
  })
})

describe('what bundlers make of imports', () => {
  test.each<[string, CaptureReason, string]>([
    ['(a) => (0,__vite_ssr_import_1__.get)(a)', 'imported', 'get'],
    ['(a) => __vite_ssr_import_0__.LIMIT + a', 'imported', 'LIMIT'],
    ['(a) => __vi_import_0__.helper(a)', 'imported', 'helper'],
    ['(a) => (0, math_js_1.add)(a)', 'imported', 'add'],
    ['(a) => (0, import_math.add)(a)', 'imported', 'add'],
    ['(a) => (0,_math__WEBPACK_IMPORTED_MODULE_0__.add)(a)', 'imported', 'add'],
    ['(a) => __vite_ssr_import_0__.default(a)', 'imported', 'default'],
    ['() => { class A extends __vite_ssr_import_0__.Board {} }', 'base-class', 'Board'],
    ['() => __vite_ssr_dynamic_import__("./x")', 'dynamic-import', 'import()'],
    ['() => t(() => import("./x.js"), [])', 'dynamic-import', 'import()'],
    ['() => __vitePreload(() => import("./x.js"), [])', 'dynamic-import', 'import()'],
    ['() => __vite_ssr_import_meta__.env', 'import-meta', 'import.meta'],
  ])('%s', (source, reason, identifier) => {
    expect(check(source)).toBe(`${reason} ${identifier}`)
  })

  test('the message names the binding the user wrote, and what it became', () => {
    const { message } = refused('(a) => (0,__vite_ssr_import_1__.get)(a)')
    expect(message).toContain('`get` (compiled to `__vite_ssr_import_1__.get`), an imported binding')
    expect(message).toContain('remote({ get }')
  })

  test('a detached call of an allowed global is no import', () => {
    expect(check('(a) => (0, Math.max)(a)')).toBe('ok')
  })
})

describe('what compilers insert for older targets', () => {
  test.each([
    ['(x) => __awaiter(void 0, void 0, void 0, function* () { return x })', '__awaiter'],
    ['function (x) { return __awaiter(this, void 0, void 0, function* () { return x }) }', '__awaiter'],
    ['(x) => __async(null, null, function* () { return x })', '__async'],
    ['(x) => __spreadProps(__spreadValues({}, x), { y: 1 })', '__spreadProps'],
    ['(x) => (0, tslib_1.__rest)(x, ["a"])', '__rest'],
    ['(x) => _classPrivateFieldGet2(_n, x)', '_classPrivateFieldGet2'],
    ['(x) => _class_private_field_get(x, _n)', '_class_private_field_get'],
    ['(x) => _async_to_generator(function* () {})()', '_async_to_generator'],
    ['(x) => _object_spread({}, x)', '_object_spread'],
    ['(x) => _objectSpread2({}, x)', '_objectSpread2'],
    ['(x) => { _s(); return x }', '_s'],
    ['(x) => _jsx("div", {})', '_jsx'],
    ['(x) => x.has(_A_n)', '_A_n'],
  ])('%s', (source, helper) => {
    expect(check(source)).toBe(`compiled-helper ${helper}`)
    expect(refused(source).message).toContain('compiled for an older target')
    expect(refused(source).remedy).toContain('ES2022')
  })

  test('a lowered class is refused for its helper, not for being a function', () => {
    expect(check('function A() { _classCallCheck(this, A) }', 'class')).toBe('compiled-helper _classCallCheck')
  })

  test.each(['_MAX_SIZE', '_total', '_items', '_'])('%s is the user’s own name', (name) => {
    expect(check(`() => ${name}`)).toBe(`captured ${name}`)
  })
})

describe('the expression', () => {
  const object = {
    run(a: number) {
      return a + 1
    },
    'two words'(a: number) {
      return a + 2
    },
    async later(a: number) {
      await Promise.resolve()
      return a + 3
    },
    *count(n: number) {
      for (let i = 0; i < n; i++) yield i
    },
    get answer() {
      return 42
    },
    7: function (a: number) {
      return a + 7
    },
    [`${'com'}puted`](a: number) {
      return a + 8
    },
  }

  test('methods of every kind are wrapped and keep their name', async () => {
    const run = evaluate(object.run.toString()) as typeof object.run
    expect([run(1), run.name]).toEqual([2, 'run'])
    expect((evaluate(object['two words'].toString()) as typeof object.run)(1)).toBe(3)
    expect(await (evaluate(object.later.toString()) as typeof object.later)(1)).toBe(4)
    expect([...(evaluate(object.count.toString()) as typeof object.count)(3)]).toEqual([0, 1, 2])
    expect((evaluate(object[7].toString()) as typeof object.run)(1)).toBe(8)
    expect((evaluate('[outside.key](a) { return a + 8 }') as typeof object.run)(1)).toBe(9)
    const getter = Object.getOwnPropertyDescriptor(object, 'answer')?.get?.toString() ?? ''
    expect((evaluate(getter) as () => number)()).toBe(42)
    expect(await (evaluate('async *[key](n) { yield n }') as (n: number) => AsyncGenerator<number>)(5).next()).toEqual({
      value: 5,
      done: false,
    })
  })

  test('functions, arrows and classes evaluate as they are, in strict mode', () => {
    expect((evaluate('function fact(n) { return n < 2 ? 1 : n * fact(n - 1) }') as (n: number) => number)(5)).toBe(120)
    expect(
      (evaluate('() => (() => { try { Object.freeze([]).push(1) } catch { return "threw" } })()') as () => string)(),
    ).toBe('threw')
    const Counter = evaluate('class Counter { #n = 1; inc() { return ++this.#n } }', 'class') as new () => {
      inc(): number
    }
    expect(new Counter().inc()).toBe(2)
  })

  test('a trailing line comment does not swallow what is put behind', () => {
    expect((evaluate('(a) => a // the end\n + 1') as (a: number) => number)(1)).toBe(2)
  })
})

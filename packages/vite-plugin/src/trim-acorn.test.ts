import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as acorn from 'acorn'
import { expect, test } from 'vitest'
import { trimAcorn } from './trim-acorn.ts'

const source = (name: string): string => readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8')
const whole = source('acorn')
const trimmed = (await import(`data:text/javascript,${encodeURIComponent(trimAcorn(whole))}`)) as typeof acorn

const OPTIONS: acorn.Options = { ecmaVersion: 'latest', sourceType: 'module' }

/** A tree as text: regular expressions and big integers are no JSON. */
const treeOf = (parser: typeof acorn, text: string): string =>
  JSON.stringify(parser.parse(text, OPTIONS), (_, value: unknown) =>
    value instanceof RegExp || typeof value === 'bigint' ? String(value) : value,
  )

function expectSame(text: string): void {
  expect(treeOf(trimmed, text)).toBe(treeOf(acorn, text))
}

test('the functions of real packages give the same trees', () => {
  let count = 0
  for (const name of ['acorn', 'comlink', 'yjs', '@noble/curves/abstract/curve.js', 'rollup-plugin-dts']) {
    const text = source(name)
    // Whole modules have imports; their functions have none.
    for (const statement of acorn.parse(text, { ...OPTIONS, sourceType: 'module' }).body) {
      const { start, end, type } = statement
      if (type.startsWith('Import') || type.startsWith('Export')) continue
      expectSame(`(function () {${text.slice(start, end)}\n})`)
      count++
    }
  }
  expect(count).toBeGreaterThan(500)
})

test.each([
  String.raw`(/(?<year>\d{4})[\p{L}--[a-z]]/v, /[/\]]+/gi, /(?:)/u.source, a / b / c)`,
  '(ünïcödé, 変数, ᢆ, 𠮷 , ℘, a\u200cb, \\u0061b, $, _, class { #größe = 1; x = #größe in y })',
  '(async () => { for await (const x of y) { await import("z"); import.meta.url } })',
  '(function* () { yield* `a${b}c`; label: for (;;) { break label } ; return 1_000n ** 2n })',
  '(class A extends B { static { super.x } static async *[y]() {} get z() { return this?.q ?? 1 } accessor = 2 })',
  '(({ a = 1, ...rest }, [b, , ...c]) => { try { using x = y } catch { debugger } })',
])('%s', (text) => expectSame(text))

test.each([
  '(1a)',
  '(a b)',
  '(function () { import x from "y" })',
  '(class { constructor() {} constructor() {} })',
  '(§)',
])('what is no expression is refused at the same place: %s', (text) => {
  const failure = (parser: typeof acorn): unknown => {
    try {
      parser.parse(text, OPTIONS)
      return 'parsed'
    } catch (error) {
      return { message: (error as Error).message, at: (error as { pos: number }).pos }
    }
  }
  expect(failure(trimmed)).toEqual(failure(acorn))
  expect(failure(acorn)).not.toBe('parsed')
})

test('an acorn that has changed fails the build', () => {
  expect(() => trimAcorn(whole.replace('function isIdentifierStart', 'function isStart'))).toThrow(
    /no isIdentifierStart/,
  )
})

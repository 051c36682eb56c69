import vm from 'node:vm'
import { expect, test } from 'vitest'
import { toLiteral } from './to-literal.ts'

test.each([
  [{ a: [1, -0, Infinity, -Infinity, NaN], b: { c: null, d: undefined }, 'e f': 'g"\n\u2028', h: true, i: 10n ** 20n }],
  [[]],
  [{}],
  ['</script>'],
  [JSON.parse('{ "__proto__": { "polluted": true } }')],
  [Object.assign(Object.create(null) as object, { bare: 1 })],
])('%o comes back as it was', (value: unknown) => {
  const back = vm.runInThisContext(`(${toLiteral(value)})`) as unknown
  expect(back).toEqual(value)
  expect(Object.keys(Object(back) as object)).toEqual(Object.keys(Object(value) as object))
})

test('values of another realm have literals too', () => {
  expect(toLiteral(vm.runInNewContext('({ a: [1, { b: 2 }] })'))).toBe('{ "a": [1, { "b": 2 }] }')
})

test('what is no plain value has none', () => {
  const loop: { self?: object } = {}
  loop.self = loop
  const values = [() => 1, Symbol('s'), new Map(), new Date(0), new (class A {})(), loop, { deep: [new Set()] }]
  expect(values.map(toLiteral)).toEqual(values.map(() => undefined))
})

test('one object in two places is no cycle', () => {
  const shared = { a: 1 }
  expect(toLiteral([shared, shared])).toBe('[{ "a": 1 }, { "a": 1 }]')
})

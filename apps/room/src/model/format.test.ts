import { expect, it } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatReturn, plural } from './format.ts'

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [999_400, '999 kB'],
  [999_600, '1.00 MB'],
  [20_000_000, '20.0 MB'],
])('formats %d bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

it.each([
  [7, '7'],
  [9999, '9,999'],
  [12_345, '12.3 k'],
  [999_600, '1.00 M'],
  [4_560_000, '4.56 M'],
])('formats a count of %d as %s', (count, text) => {
  expect(formatCount(count)).toBe(text)
})

it.each([
  [12, '12 ms'],
  [1234, '1.2 s'],
  [99_960, '1 min 40 s'],
  [7_200_000, '2 h 0 min'],
])('formats %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

it('formats returns with a real minus and a dash for none', () => {
  expect([formatReturn(9.04), formatReturn(-1234.5), formatReturn(undefined), formatReturn(-Infinity)]).toEqual([
    '9.0',
    '−1235',
    '–',
    '–',
  ])
})

it('counts one thing as one', () => {
  expect([plural(1, 'tab'), plural(0, 'tab'), plural(2, 'has', 'have')]).toEqual(['1 tab', '0 tabs', '2 have'])
})

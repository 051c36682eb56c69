import type { Clock } from '@shoal/base'
import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('allows the burst at once and then the rate', () => {
  let now = 0
  const clock: Clock = { now: () => now, after: () => ({ cancel() {} }) }
  const bucket = new TokenBucket(clock, { perSecond: 10, burst: 3 })
  expect([1, 1, 1, 1].map((amount) => bucket.take(amount))).toEqual([true, true, true, false])
  now = 100
  expect(bucket.take(1)).toBe(true)
  expect(bucket.take(1)).toBe(false)
  now = 60_000
  expect(bucket.take(4)).toBe(false)
  expect(bucket.take(3)).toBe(true)
})

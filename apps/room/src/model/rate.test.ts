import { expect, it } from 'vitest'
import { Rate } from './rate.ts'

it('is 0 before there is a span', () => {
  const rate = new Rate(1000)
  expect(rate.value).toBe(0)
  rate.add(5, 10)
  rate.add(5, 20)
  expect(rate.value).toBe(0)
})

it('forgets what lies before its window', () => {
  const rate = new Rate(1000)
  rate.add(0, 0)
  rate.add(500, 500)
  expect(rate.value).toBe(1)
  for (let at = 1000; at <= 4000; at += 500) rate.add(at, 500)
  expect(rate.value).toBe(0)
})

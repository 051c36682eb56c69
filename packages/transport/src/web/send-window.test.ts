import { expect, test } from 'vitest'
import { SendWindow } from './send-window.ts'

/** Keeps a window full against a network of `rate` bytes a second for `forMs`, looking every `stepMs`. */
function run(window: SendWindow, rate: number, forMs: number, from = 0, stepMs = 5): number {
  let buffered = 0
  let now = from
  for (; now < from + forMs; now += stepMs) {
    buffered = Math.max(0, buffered - (rate * stepMs) / 1000)
    window.note(now, 0, buffered)
    const sent = Math.max(0, window.bytes - buffered)
    buffered += sent
    window.note(now, sent, buffered)
  }
  return now
}

test('is small until something is known', () => {
  expect(new SendWindow().bytes).toBe(64 * 1024)
})

test('becomes 50 ms of a fast path and stays at its least on a slow one', () => {
  const fast = new SendWindow()
  run(fast, 10e6, 3000)
  expect(fast.bytes / (10e6 * 0.05)).toBeGreaterThan(0.9)
  expect(fast.bytes / (10e6 * 0.05)).toBeLessThan(1.1)
  const slow = new SendWindow()
  run(slow, 200e3, 3000)
  expect(slow.bytes).toBe(64 * 1024)
})

test('follows a path that gets slower', () => {
  const window = new SendWindow()
  const now = run(window, 20e6, 2000)
  run(window, 2e6, 3000, now)
  expect(window.bytes).toBeLessThan(1.2 * 2e6 * 0.05)
})

test('time in which nothing was sent is not taken for slowness', () => {
  const window = new SendWindow()
  let now = run(window, 10e6, 2000)
  window.note(now, 0, 0)
  // Bursts of 200 kB, a minute apart, at the same rate.
  for (let burst = 0; burst < 10; burst++) {
    now += 60_000
    window.note(now, 0, 0)
    for (let left = 200_000; left >= 0; left -= 50_000) {
      window.note(now, left === 200_000 ? left : 0, left)
      now += 5
    }
  }
  expect(window.bytes / (10e6 * 0.05)).toBeGreaterThan(0.9)
  expect(window.bytes / (10e6 * 0.05)).toBeLessThan(1.1)
})

test('has an upper bound', () => {
  const window = new SendWindow()
  window.note(0, 500e6, 500e6)
  window.note(50, 0, 1)
  expect(window.bytes).toBe(4 * 1024 * 1024)
})

import type { Clock } from '@shoal/base'
import { expect, it } from 'vitest'
import { DutyCycle } from './duty-cycle.ts'

/** A clock that is moved by hand, and a tab whose workers all run whenever it does not rest. */
function tab(workers: number) {
  const timers = new Set<{ atMs: number; callback: () => void }>()
  let nowMs = 0
  const clock: Clock = {
    now: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
  }
  const it = { isResting: false, running: 0, busyMs: 0, rests: 0 }
  const duty = new DutyCycle({
    clock,
    running: () => it.running,
    changed: (isResting) => {
      it.isResting = isResting
      if (isResting) it.rests++
      it.running = isResting ? 0 : workers
      // As the node's next step does.
      clock.after(0, () => duty.look())
    },
  })
  const pass = (ms: number): void => {
    const endMs = nowMs + ms
    for (;;) {
      const [next] = [...timers].sort((a, b) => a.atMs - b.atMs)
      const atMs = Math.min(endMs, next?.atMs ?? endMs)
      it.busyMs += it.running * (atMs - nowMs)
      nowMs = atMs
      if (next === undefined || next.atMs > endMs) return
      timers.delete(next)
      next.callback()
    }
  }
  const start = (): void => {
    it.running = workers
    duty.look()
  }
  return { duty, it, pass, start, timers }
}

it.each([0.25, 0.5, 0.75])('[NL1] holds a share of %f in bursts, however many workers there are', (share) => {
  for (const workers of [1, 4, 16]) {
    const { duty, it, pass, start, timers } = tab(workers)
    duty.set(share, workers)
    start()
    pass(60_000)
    expect(it.busyMs / (60_000 * workers)).toBeCloseTo(share, 1)
    // Few and short: people see a tab that works.
    expect(it.rests).toBeGreaterThan(10)
    expect(it.rests).toBeLessThan(200)
    duty.close()
    expect(timers.size).toBe(0)
  }
})

it('[NL1] what was taken past the share is waited for, and without a limit nothing is counted', () => {
  const { duty, it, pass } = tab(1)
  duty.took(10_000)
  expect(it.isResting).toBe(false)
  duty.set(0.5, 1)
  duty.took(10_000)
  expect(it.isResting).toBe(true)
  pass(19_000)
  expect(it.isResting).toBe(true)
  duty.set(1, 1)
  expect(it.isResting).toBe(false)
  pass(10_000)
  expect(it.rests).toBe(1)
})

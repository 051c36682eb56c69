import type { Clock } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { Spaced } from './spaced.ts'

function handClock(): Clock & { to(ms: number): void } {
  let now = 0
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    to(ms) {
      now = ms
      for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.callback()
    },
  }
}

describe('what runs no more often than a period', () => {
  it('does at once what is asked after a quiet time, and later what is asked too early, once', () => {
    const clock = handClock()
    const ranAt: number[] = []
    const spaced = new Spaced(clock, 3_000, () => ranAt.push(clock.now()))
    spaced.ask()
    clock.to(1_000)
    spaced.ask()
    spaced.ask()
    expect(ranAt).toEqual([0])
    clock.to(3_000)
    expect(ranAt).toEqual([0, 3_000])
    clock.to(9_000)
    expect(ranAt).toEqual([0, 3_000])
    spaced.ask()
    expect(ranAt).toEqual([0, 3_000, 9_000])
  })

  it('takes what is asked within the run itself as another', () => {
    const clock = handClock()
    let runs = 0
    const spaced = new Spaced(clock, 100, () => {
      if (++runs < 3) spaced.ask()
    })
    spaced.ask()
    for (let ms = 0; ms <= 1_000; ms += 100) clock.to(ms)
    expect(runs).toBe(3)
  })

  it('runs nothing once it is closed', () => {
    const clock = handClock()
    let runs = 0
    const spaced = new Spaced(clock, 100, () => runs++)
    spaced.ask()
    spaced.ask()
    spaced.close()
    clock.to(1_000)
    spaced.ask()
    expect(runs).toBe(1)
  })
})

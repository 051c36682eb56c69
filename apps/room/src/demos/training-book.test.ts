import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RunReport } from '../model/run-report.ts'
import { TrainingBook } from './training-book.ts'

let nowMs = 0
let totals = { tabs: 1, slots: 1, bytes: 100 }
let reports: RunReport[] = []

function book(): TrainingBook {
  return new TrainingBook({
    name: 'ppo-lunar-lander',
    totals: () => totals,
    onReport: (report) => reports.push(report),
    nowMs: () => nowMs,
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  nowMs = 0
  totals = { tabs: 1, slots: 1, bytes: 100 }
  reports = []
})

afterEach(() => void vi.useRealTimers())

describe('TrainingBook', () => {
  it('says who works, how fast, and what it costs', () => {
    const written = book()
    void written.run(() => new Promise(() => undefined))
    nowMs = 500
    written.addWork('a', { tasks: 1, cpuMs: 10 })
    written.addWork('b', { tasks: 1, cpuMs: 20 })
    written.addWork('a', { tasks: 1, cpuMs: 30 })
    totals = { tabs: 2, slots: 2, bytes: 300 }
    nowMs = 1000
    written.addIteration({ iteration: 0, meanReturn: -150, steps: 4000, solved: false })
    expect(reports.at(-1)).toMatchObject({
      state: 'running',
      iteration: 1,
      meanReturn: -150,
      evalReturn: undefined,
      stepsPerSecond: 4000,
      byNode: { a: { tasks: 2, cpuMs: 40 }, b: { tasks: 1, cpuMs: 20 } },
    })
    expect(written.tabsAtWork.value).toBe(2)
    expect(written.bytesPerIteration.value).toBe(200)
    expect(written.curve).toEqual({
      iterations: [1],
      meanReturns: [-150],
      evalReturns: [null],
      turnouts: [{ iteration: 1, change: 1 }],
    })
    // A link that went took its count with it. An iteration that takes long still has those who worked for it.
    totals = { tabs: 1, slots: 1, bytes: 50 }
    nowMs = 1100
    written.addWork('a', { tasks: 1, cpuMs: 10 })
    nowMs = 5000
    written.addIteration({ iteration: 1, meanReturn: -100, evalReturn: 5, steps: 8000, solved: false })
    expect(written.tabsAtWork.value).toBe(1)
    expect(written.bytesPerIteration.value).toBe(100)
    expect(written.curve.turnouts.at(-1)).toEqual({ iteration: 2, change: -1 })
  })

  it('counts what came late when a run has ended, and not when the next one has begun', async () => {
    const written = book()
    await written.run((stop) => {
      written.addIteration({ iteration: 0, meanReturn: 0, steps: 1, solved: false })
      written.stop()
      return Promise.reject(stop.reason as Error)
    })
    expect(reports.at(-1)).toMatchObject({ state: 'stopped', iteration: 1 })
    totals = { ...totals, bytes: 400 }
    vi.advanceTimersByTime(1000)
    expect(written.bytesPerIteration.value).toBe(300)
    await written.run(() => Promise.reject(new Error('lost')))
    expect(reports.at(-1)).toMatchObject({ state: 'failed', error: 'lost' })
    void written.run(() => new Promise(() => undefined))
    totals = { ...totals, bytes: 900 }
    vi.advanceTimersByTime(1000)
    expect(written.bytesPerIteration.value).toBeUndefined()
    expect(written.curve.iterations).toEqual([])
    expect(reports.at(-1)).toMatchObject({ state: 'running', iteration: 0, error: undefined, byNode: {} })
  })

  it('stops a run that is under way when another begins, and says nothing of how that ended', async () => {
    const written = book()
    let stop: AbortSignal | undefined
    const first = written.run((signal) => {
      stop = signal
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    void written.run(() => new Promise(() => undefined))
    await first
    expect(stop?.aborted).toBe(true)
    expect(reports.map(({ state }) => state)).toEqual(['running', 'running'])
  })
})

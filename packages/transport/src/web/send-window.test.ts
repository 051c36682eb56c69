import { expect, test } from 'vitest'
import { SendWindow } from './send-window.ts'

const CHUNK = 64 * 1024
const LEAST = 128 * 1024

/**
 * A path of one rate with an endless queue before it, as SCTP is while it loses nothing. `longest` is how long a message
 * was under way at most, to its report, in ms, in the second half of the time.
 */
function fill(
  window: SendWindow,
  path: { readonly rate: number; readonly roundTripMs: number; readonly from?: number; readonly forMs: number },
): { readonly longestMs: number; readonly bytesPerSecond: number; readonly now: number; readonly total: number } {
  const from = path.from ?? 0
  const reports: { readonly at: number; readonly total: number; readonly sentAt: number }[] = []
  let now = from
  let freeAt = from
  let total = from === 0 ? 0 : (totals.get(window) ?? 0)
  const before = total
  let longestMs = 0
  while (now < from + path.forMs) {
    while (window.room > 0) {
      total += CHUNK
      window.noteSent(now, CHUNK)
      freeAt = Math.max(freeAt, now) + (CHUNK / path.rate) * 1000
      reports.push({ at: freeAt + path.roundTripMs, total, sentAt: now })
    }
    const report = reports.shift()
    if (report === undefined) throw new Error('nothing is under way, and there is no room')
    now = report.at
    if (now > from + path.forMs / 2) longestMs = Math.max(longestMs, now - report.sentAt)
    window.noteTaken(now, report.total)
  }
  for (const report of reports) window.noteTaken((now = report.at), report.total)
  totals.set(window, total)
  return { longestMs, bytesPerSecond: ((total - before) / (now - from)) * 1000, now, total }
}
const totals = new WeakMap<SendWindow, number>()

test('[TR17] holds two chunks until something is known, and what is under way fills it', () => {
  const window = new SendWindow()
  expect(window.room).toBe(LEAST)
  window.noteSent(0, CHUNK)
  expect(window.room).toBe(LEAST - CHUNK)
  window.noteSent(0, LEAST)
  expect(window.room).toBe(-CHUNK)
  window.noteTaken(10, CHUNK)
  expect(window.room).toBe(0)
})

test('[TR17] stays at its least on a slow path, whose queue it would only lengthen', () => {
  const window = new SendWindow()
  const { longestMs, bytesPerSecond } = fill(window, { rate: 1e6, roundTripMs: 0, forMs: 20_000 })
  expect(window.bytes).toBe(LEAST)
  expect(longestMs).toBeLessThan(140)
  expect(bytesPerSecond).toBeGreaterThan(0.99e6)
})

for (const roundTripMs of [1, 20, 100, 200]) {
  test(`[TR17] fills 10 MB/s over a round trip of ${roundTripMs} ms, with about 50 ms of queue`, () => {
    const window = new SendWindow()
    const { longestMs, bytesPerSecond } = fill(window, { rate: 10e6, roundTripMs, forMs: 20_000 })
    expect(bytesPerSecond).toBeGreaterThan(9e6)
    expect(longestMs).toBeLessThan(roundTripMs + 85)
  })
}

test('[TR17] opens in a few round trips while they get no longer', () => {
  const window = new SendWindow()
  fill(window, { rate: 100e6, roundTripMs: 50, forMs: 300 })
  expect(window.bytes).toBeGreaterThan(1e6)
})

test('[TR17] is never wider than its upper bound', () => {
  const window = new SendWindow()
  fill(window, { rate: 1e9, roundTripMs: 200, forMs: 5000 })
  expect(window.bytes).toBe(4 * 1024 * 1024)
})

test('[TR17] follows a path that gets slower', () => {
  const window = new SendWindow()
  const { now } = fill(window, { rate: 20e6, roundTripMs: 10, forMs: 3000 })
  expect(window.bytes).toBeGreaterThan(200_000)
  const { longestMs } = fill(window, { rate: 2e6, roundTripMs: 10, from: now, forMs: 6000 })
  expect(longestMs).toBeLessThan(150)
})

test('[TR17] time in which little or nothing was sent is not taken for slowness', () => {
  const window = new SendWindow()
  const before = fill(window, { rate: 10e6, roundTripMs: 20, forMs: 5000 })
  const { bytes, rate } = window
  let { now, total } = before
  for (let burst = 0; burst < 50; burst++) {
    now += burst % 2 === 0 ? 60_000 : 100
    total += 1000
    window.noteSent(now, 1000)
    window.noteTaken((now += 21), total)
  }
  expect(window.bytes).toBe(bytes)
  expect(window.rate).toBe(rate)
})

test('[TR16] a report that goes back, repeats, says more than was sent or is no number changes nothing and is counted', () => {
  const window = new SendWindow()
  window.noteSent(0, LEAST)
  expect(window.noteTaken(10, CHUNK)).toBe(true)
  for (const total of [CHUNK, CHUNK - 1, -1, LEAST + 1, Number.MAX_VALUE, Number.NaN, 0.5 + CHUNK])
    expect(window.noteTaken(20, total)).toBe(false)
  expect(window.faults).toBe(7)
  expect(window.room).toBe(CHUNK)
  expect(window.bytes).toBe(LEAST)
  expect(window.noteTaken(30, LEAST)).toBe(true)
})

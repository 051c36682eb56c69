import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Lane } from './lane.ts'
import { RtcLink } from './rtc-link.ts'

const CHUNK = 64 * 1024

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** One end of a link over lanes that only note what they are given. */
function makeEnd(): { readonly link: RtcLink; readonly words: string[]; sent(): number } {
  const words: string[] = []
  let sent = 0
  const lane = (say: (text: string) => void): Lane => ({
    isOpen: true,
    send: (bytes) => void (sent += bytes.length),
    say,
    close() {},
  })
  const control = lane(() => expect.unreachable('nothing is said on the control lane'))
  const link = new RtcLink({ control, bulk: lane((text) => words.push(text)) }, () => undefined)
  return { link, words, sent: () => sent }
}

const handlers = { control() {}, bulk() {}, ended() {} }

test('[TR17] what was delivered is reported from 64 KiB on at once, less within 5 ms', () => {
  const { link, words } = makeEnd()
  link.start({ ...handlers, bulk: (bytes) => void structuredClone(bytes, { transfer: [bytes.buffer] }) })
  for (let i = 0; i < 4; i++) link.received('bulk', new Uint8Array(CHUNK))
  expect(words).toEqual([1, 2, 3, 4].map((count) => String(count * CHUNK)))
  link.received('bulk', new Uint8Array(1000))
  link.received('bulk', new Uint8Array(1000))
  expect(words.length).toBe(4)
  vi.advanceTimersByTime(5)
  expect(words.at(-1)).toBe(String(4 * CHUNK + 2000))
  link.received('control', new Uint8Array(CHUNK))
  link.received('bulk', new Uint8Array(1))
  link.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(words.length).toBe(5)
})

test('[TR17] what waits for start is not reported, so the other side sends no more of it', () => {
  const { link, words } = makeEnd()
  for (let i = 0; i < 4; i++) link.received('bulk', new Uint8Array(CHUNK))
  vi.advanceTimersByTime(100)
  expect(words).toEqual([])
  link.start(handlers)
  expect(words.at(-1)).toBe(String(4 * CHUNK))
})

test('[TR17] a report that makes room wakes who waits for it, once', () => {
  const { link } = makeEnd()
  while (link.bulkRoom() > 0) link.sendBulk(new Uint8Array(CHUNK))
  let calls = 0
  link.onBulkRoom(() => calls++)
  link.said('bulk', '0')
  expect(calls).toBe(0)
  link.said('bulk', String(CHUNK))
  expect(calls).toBe(1)
  expect(link.bulkRoom()).toBeGreaterThan(0)
  link.said('bulk', String(2 * CHUNK))
  expect(calls).toBe(1)
})

test('[TR16] words that are no report, come on the control lane or cannot be true change nothing and are counted', () => {
  const { link } = makeEnd()
  while (link.bulkRoom() > 0) link.sendBulk(new Uint8Array(CHUNK))
  let calls = 0
  link.onBulkRoom(() => calls++)
  const words = ['', '-1', '1e4', '65536.5', 'NaN', ' 65536', '9'.repeat(16), '9'.repeat(100_000), '131073']
  for (const word of words) link.said('bulk', word)
  link.said('control', '65536')
  expect(link.faults).toBe(words.length + 1)
  expect(link.bulkRoom()).toBe(0)
  expect(calls).toBe(0)
})

import type { Clock } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { linkContract } from '../testing/link-contract.ts'
import { createMemoryLinkPair } from './link.ts'

const clock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return {
      cancel() {
        clearTimeout(timer)
      },
    }
  },
}

linkContract('a memory link', () => createMemoryLinkPair({ clock }))
linkContract('a memory link with latency and a rate', () =>
  createMemoryLinkPair({ clock, latencyMs: 2, bytesPerSecond: 20e6 }),
)

describe('the hands that break a memory link', () => {
  it('[TR2] fail ends both sides at once', () => {
    const pair = createMemoryLinkPair({ clock })
    const heard: string[] = []
    const handlers = (end: string) => ({
      control: () => heard.push(`${end} control`),
      bulk: () => {},
      ended: (why: string) => heard.push(`${end} ${why}`),
    })
    pair.a.start(handlers('a'))
    pair.b.start(handlers('b'))
    pair.a.sendControl(Uint8Array.of(1))
    pair.fail()
    expect(heard).toEqual(['a failed', 'b failed'])
    expect(pair.isOver).toBe(true)
  })

  it('[TR1] hold delays one direction and loses nothing', async () => {
    const pair = createMemoryLinkPair({ clock })
    const toB: number[] = []
    pair.b.start({ control: (bytes) => toB.push(bytes[0] ?? -1), bulk() {}, ended() {} })
    const answered = new Promise<void>((resolve) => {
      pair.a.start({ control: () => resolve(), bulk() {}, ended() {} })
    })
    pair.hold('a-to-b', true)
    pair.a.sendControl(Uint8Array.of(1))
    pair.a.sendControl(Uint8Array.of(2))
    pair.b.sendControl(Uint8Array.of(3))
    await answered
    expect(toB).toEqual([])
    pair.hold('a-to-b', false)
    await Promise.resolve()
    expect(toB).toEqual([1, 2])
  })
})

import { describe, expect, it } from 'vitest'
import type { Clock } from '@shoal/base'
import { THIS_NODE } from '@shoal/protocol'
import type { ObjectId } from '@shoal/protocol'
import { Waits } from './waits.ts'

const id = (number: number): ObjectId => ({ owner: THIS_NODE, number })
const ids = (...numbers: number[]): ObjectId[] => numbers.map(id)

function waits(): {
  waits: Waits
  asked: string[]
  waiting: boolean[]
  /** Everything that was to happen by now happens. */
  elapse(): void
} {
  const due: (() => void)[] = []
  const clock: Clock = {
    now: () => 0,
    after(_, callback) {
      due.push(callback)
      return { cancel: () => void due.splice(due.indexOf(callback), 1) }
    },
  }
  const asked: string[] = []
  const waiting: boolean[] = []
  return {
    waits: new Waits({
      clock,
      ask: (kind, list) => void asked.push(`${kind} ${list.map(({ number }) => number).join(' ')}`),
      waiting: (isWaiting) => void waiting.push(isWaiting),
      poll: (callback) => callback(),
    }),
    asked,
    waiting,
    elapse: () => {
      for (const callback of due.splice(0)) callback()
    },
  }
}

describe('wait', () => {
  it('asks for each object once, however often it is waited for', async () => {
    const { waits: open, asked, elapse } = waits()
    for (let i = 0; i < 100; i++) {
      const polled = open.wait(ids(1, 2), { timeoutMs: 0 })
      await Promise.resolve()
      elapse()
      expect(await polled).toEqual([])
    }
    expect(asked).toEqual(['watch 1 2'])
    const later = open.wait(ids(1, 2, 3), { numReturns: 2 })
    expect(asked).toEqual(['watch 1 2', 'watch 3'])
    open.onReady(ids(1, 3))
    expect(await later).toEqual([0, 2])
  })

  it('answers at once from what it knows, and asks anew for what was released', async () => {
    const { waits: open, asked } = waits()
    const first = open.wait(ids(1, 2), {})
    open.onReady(ids(1))
    expect(await first).toEqual([0])
    expect(await open.wait(ids(2, 1), {})).toEqual([1])
    open.forget(id(1))
    const again = open.wait(ids(1, 2), {})
    open.onReady(ids(1))
    expect(await again).toEqual([0])
    expect(asked).toEqual(['watch 1 2', 'watch 1'])
  })

  it('keeps what a ref released meanwhile has told it until no wait is open', async () => {
    const { waits: open } = waits()
    const both = open.wait(ids(1, 2), { numReturns: 2 })
    open.onReady(ids(1))
    open.forget(id(1))
    open.onReady(ids(2))
    expect(await both).toEqual([0, 1])
  })

  it('says when somebody waits and when nobody does', async () => {
    const { waits: open, waiting, elapse } = waits()
    const one = open.wait(ids(1), {})
    const two = open.wait(ids(2), { timeoutMs: 5 })
    await Promise.resolve()
    elapse()
    await two
    expect(waiting).toEqual([true])
    open.onReady(ids(1))
    await one
    expect(waiting).toEqual([true, false])
  })
})

describe('get', () => {
  it('withdraws what it waited for in vain, and leaves a late answer undecoded', async () => {
    const { waits: open, asked, elapse } = waits()
    const late = open.get(ids(1), { timeoutMs: 0 })
    await Promise.resolve()
    elapse()
    await expect(late).rejects.toThrow('1 of 1 objects did not exist within 0 ms')
    expect(asked).toEqual(['want 1', 'unwant 1'])
    const isWanted = open.onValue(id(1), () => {
      throw new Error('decoded')
    })
    expect(isWanted).toBe(false)
  })
})

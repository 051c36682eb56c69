import { deferred } from '@shoal/base'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Lending } from './lending.ts'
import type { LoadWatch } from './lending.ts'
import type { LendingLimits } from './lending-limits.ts'
import { announce, lendingDesk } from './lending-desk.ts'
import type { Lender } from './lending-desk.ts'

const sign = { isShown: false }

function show(isShown: boolean): void {
  sign.isShown = isShown
  announce(lendingDesk())
}

function lendingIn(room: { fingerprint: string } | undefined, wants: boolean | LendingLimits, loadWatch?: LoadWatch) {
  const lender = { room, status: vi.fn(), onStatus: vi.fn(), lend: vi.fn() } as unknown as Lender
  const changes: string[] = []
  const lending = new Lending({
    lender,
    wants,
    ...(loadWatch && { loadWatch }),
    changed: () => changes.push(lending.isOn ? 'on' : lending.isBadgeMissing ? 'missing' : 'off'),
  })
  lending.open()
  return { lending, changes }
}

beforeEach(() => {
  vi.useFakeTimers()
  lendingDesk().signs.add(sign)
  sign.isShown = false
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  lendingDesk().signs.delete(sign)
})

describe('lending', () => {
  it('[SL1] takes the wish, a room and a badge that is shown', () => {
    const { lending, changes } = lendingIn({ fingerprint: 'a b c d' }, false)
    show(true)
    expect(lending.isOn).toBe(false)
    lending.want(true)
    expect(lending.isOn).toBe(true)
    lending.want(false)
    expect(changes).toEqual(['on', 'off'])
    lending.close()
    const alone = lendingIn(undefined, true)
    expect(alone.lending.isOn).toBe(false)
    alone.lending.close()
  })

  it('[SL2] ends at once when the badge goes, says so, and goes on when it is back', () => {
    const { lending, changes } = lendingIn({ fingerprint: 'a b c d' }, true)
    show(true)
    show(false)
    expect(changes).toEqual(['on', 'missing'])
    show(true)
    expect(changes).toEqual(['on', 'missing', 'on'])
    lending.close()
    expect(lending.isOn).toBe(false)
    show(false)
    expect(changes).toHaveLength(3)
  })

  it('[SL2] has a little patience with a page that shows its badge later', () => {
    const { lending, changes } = lendingIn({ fingerprint: 'a b c d' }, true)
    vi.advanceTimersByTime(900)
    expect(changes).toEqual([])
    vi.advanceTimersByTime(200)
    expect(changes).toEqual(['missing'])
    show(true)
    expect(changes).toEqual(['missing', 'on'])
    lending.close()
  })

  it('[SL5] with limits waits until they are watched, and keeps them when it is told to lend again', async () => {
    const loaded = deferred<Awaited<ReturnType<LoadWatch>>>()
    let tell: Parameters<Awaited<ReturnType<LoadWatch>>['watchLimits']>[1] = () => undefined
    const ended = vi.fn()
    const watchLimits = ((limits, told) => {
      tell = told
      expect(limits).toEqual({ workers: 1 })
      return ended
    }) as Awaited<ReturnType<LoadWatch>>['watchLimits']
    const { lending, changes } = lendingIn({ fingerprint: 'a b c d' }, { workers: 1 }, () => loaded.promise)
    show(true)
    expect([lending.isWanted, lending.isOn]).toEqual([true, false])
    loaded.resolve({ watchLimits })
    await loaded.promise
    await Promise.resolve()
    expect(lending.isOn).toBe(false)
    tell({ workers: 1 })
    expect(lending.terms).toEqual({ isOn: true, workers: 1 })
    lending.want(false)
    lending.want(true)
    tell({ workers: 1, pause: 'hidden' })
    expect(lending.terms).toEqual({ isOn: true, workers: 1, pause: 'hidden' })
    expect(changes.at(-1)).toBe('on')
    lending.close()
    expect(ended).toHaveBeenCalledTimes(1)
    show(false)
  })

  it('[SL5] limits that are changed before any hold are waited for too, as are those given while it does not lend', async () => {
    const tells: Parameters<Awaited<ReturnType<LoadWatch>>['watchLimits']>[1][] = []
    const watchLimits = ((_limits, told) => {
      tells.push(told)
      return () => undefined
    }) as Awaited<ReturnType<LoadWatch>>['watchLimits']
    const load: LoadWatch = () => Promise.resolve({ watchLimits })
    const watched = async (count: number): Promise<void> => {
      while (tells.length < count) await Promise.resolve()
    }
    const { lending } = lendingIn({ fingerprint: 'a b c d' }, { workers: 2 }, load)
    show(true)
    await watched(1)
    lending.want({ workers: 1 })
    expect(lending.isOn).toBe(false)
    await watched(2)
    expect(lending.isOn).toBe(false)
    tells[1]?.({ workers: 1 })
    expect(lending.terms).toEqual({ isOn: true, workers: 1 })
    lending.want(false)
    lending.want({ workers: 3 })
    expect(lending.isOn).toBe(false)
    await watched(3)
    tells[2]?.({ workers: 3 })
    expect(lending.terms).toEqual({ isOn: true, workers: 3 })
    lending.close()
    show(false)
  })
})

import { describe, expect, it } from 'vitest'
import { place } from './place.ts'

const MEGABYTE = 1e6
const at = (node: string, queued = 0): { node: string; queued: number; slots: number } => ({ node, queued, slots: 1 })

describe('placement', () => {
  it('[SC8] takes a task where its input is, unless the queue there costs more than the transfer', () => {
    const inputs = [{ bytes: 30 * MEGABYTE, holders: ['b'] }]
    // A second at 30 MB/s, which is assumed where nothing was measured.
    expect(place([at('a'), at('b', 9)], 100, inputs)).toBe('b')
    expect(place([at('a'), at('b', 11)], 100, inputs)).toBe('a')
    expect(place([at('a'), at('b')], 100, [])).toBe('a')
    expect(place([], 100, inputs)).toBeUndefined()
  })

  it('[SC8] counts with the measured rate: of the fastest holder, and of each candidate', () => {
    const rates: Record<string, number> = { 'a b': 1_000, 'a c': 60_000, 'd b': 5_000 }
    const rate = (from: string, to: string): number | undefined => rates[`${from} ${to}`]
    const inputs = [{ bytes: 6 * MEGABYTE, holders: ['a'] }]
    // 6 s to b, 0.1 s to c.
    expect(place([at('b'), at('c')], 10, inputs, rate)).toBe('c')
    expect(place([at('b'), at('c', 500)], 10, inputs, rate)).toBe('c')
    expect(place([at('b'), at('c', 600)], 10, inputs, rate)).toBe('b')
    // 1.2 s to b from its other holder.
    const two = [{ bytes: 6 * MEGABYTE, holders: ['a', 'd'] }]
    expect(place([at('b'), at('c', 150)], 10, two, rate)).toBe('b')
    expect(place([at('b'), at('c', 100)], 10, two, rate)).toBe('c')
  })
})

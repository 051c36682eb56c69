import { describe, expect, it } from 'vitest'
import type { ActionSpec } from '../envs/env.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import { actionHead } from './action-head.ts'

const CASES: readonly (readonly [string, ActionSpec, Float32Array, Float64Array, Float64Array])[] = [
  ['categorical', { kind: 'discrete', n: 3 }, Float32Array.of(2), Float64Array.of(0.3, -1.2, 0.8), new Float64Array(0)],
  [
    'Gaussian',
    { kind: 'continuous', bound: 2, size: 2 },
    Float32Array.of(0.5, -1),
    Float64Array.of(0.2, -0.4),
    Float64Array.of(0.1, -0.7),
  ],
]

describe.each(CASES)('the %s head', (_, spec, action, outputs, extra) => {
  it('has the gradients of finite differences', () => {
    const head = actionHead(spec)
    const value = (): number => {
      head.look(outputs, 0, extra, 0)
      return 0.7 * head.logProb(action, 0) + 0.3 * head.entropy()
    }
    value()
    const byOutputs = new Float64Array(outputs.length)
    const byExtra = new Float64Array(extra.length)
    head.addGradient(action, 0, 0.7, 0.3, byOutputs, 0, byExtra, 0)
    for (const [numbers, gradient] of [
      [outputs, byOutputs],
      [extra, byExtra],
    ] as const) {
      numbers.forEach((at, i) => {
        numbers[i] = at + 1e-5
        const above = value()
        numbers[i] = at - 1e-5
        const slope = (above - value()) / 2e-5
        numbers[i] = at
        expect(Math.abs(slope - gradient[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(slope)))
      })
    }
  })

  it('draws as it says: mean log-probability of draws is minus the entropy, and repeats from a seed', () => {
    const head = actionHead(spec)
    head.look(outputs, 0, extra, 0)
    const draws = (seed: number): number => {
      const random = new Xoshiro128(seed)
      const drawn = new Float32Array(head.actionSize)
      let sum = 0
      for (let i = 0; i < 20_000; i += 1) {
        head.sample(random, drawn, 0)
        sum += head.logProb(drawn, 0)
      }
      return sum / 20_000
    }
    expect(Math.abs(draws(1) + head.entropy())).toBeLessThan(0.03)
    expect(draws(2)).toBe(draws(2))
  })
})

it('knows known values: a uniform choice, the standard normal, the likeliest action', () => {
  const choice = actionHead({ kind: 'discrete', n: 4 })
  choice.look(Float64Array.of(9, 9, 9, 9), 0, new Float64Array(0), 0)
  expect(choice.entropy()).toBeCloseTo(Math.log(4), 14)
  const normal = actionHead({ kind: 'continuous', bound: 1 })
  normal.look(Float64Array.of(7, 0), 1, Float64Array.of(7, 7, 0), 2)
  expect(normal.logProb(Float32Array.of(1), 0)).toBeCloseTo(-1.4189385332046727, 14)
  expect(normal.entropy()).toBeCloseTo(1.4189385332046727, 14)
  const target = new Float32Array(2)
  choice.look(Float64Array.of(0, 1000, 2, 3), 0, new Float64Array(0), 0)
  choice.mode(target, 1)
  expect([...target]).toEqual([0, 1])
  expect(choice.logProb(target, 0)).toBe(-1000)
})

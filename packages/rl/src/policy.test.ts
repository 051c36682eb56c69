import { describe, expect, it } from 'vitest'
import { Policy, policySizes } from './policy.ts'

describe('Policy', () => {
  it('takes the largest output of a discrete environment, the lower on a tie', () => {
    const policy = new Policy({ env: 'CartPole-v1', hidden: [], observationScale: [1, 1, 1, 1] })
    const towardsAngle = Float64Array.of(0, 0, -1, 0, 0, 0, 1, 0, 0, 0)
    expect(policy.act(towardsAngle, Float32Array.of(0, 0, 0.1, 0))).toBe(1)
    expect(policy.act(towardsAngle, Float32Array.of(0, 0, -0.1, 0))).toBe(0)
    expect(policy.act(new Float64Array(10), Float32Array.of(1, 1, 1, 1))).toBe(0)
  })

  it('scales observations and squashes a continuous action into its bound', () => {
    const policy = new Policy({ env: 'Pendulum-v1', hidden: [], observationScale: [1, 2, 0.25] })
    const act = (w: number, obs: number): number => policy.act(Float64Array.of(0, 0, w, 0), Float32Array.of(0, 0, obs))
    expect(act(1, 2)).toBeCloseTo(2 * Math.tanh(0.5), 14)
    expect(act(100, 8)).toBe(2)
    expect(act(-100, 8)).toBe(-2)
  })

  it('has layer sizes that follow the environment', () => {
    expect(policySizes({ env: 'CartPole-v1', hidden: [16], observationScale: [1, 1, 1, 1] })).toEqual([4, 16, 2])
    expect(policySizes({ env: 'Pendulum-v1', hidden: [8, 4], observationScale: [1, 1, 1] })).toEqual([3, 8, 4, 1])
  })

  it('refuses a scale of another size', () => {
    expect(() => new Policy({ env: 'Pendulum-v1', hidden: [], observationScale: [1, 1] })).toThrow(RangeError)
  })
})

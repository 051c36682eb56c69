import { describe, expect, it } from 'vitest'
import { initialParameters, Mlp, parameterCount } from './mlp.ts'
import { Xoshiro128 } from './random/xoshiro128.ts'

describe('Mlp', () => {
  it('is the affine map it says without hidden layers', () => {
    expect([...new Mlp([2, 2]).forward(Float64Array.of(1, 2, 3, 4, 10, 20), Float64Array.of(5, 6))]).toEqual([27, 59])
  })

  it('puts tanh into hidden layers only', () => {
    const parameters = Float64Array.of(0.5, -1, 0.25, 2, 0.1, -0.2, 3, -4, 0.7)
    const [x, y] = [0.3, -0.8]
    const a = Math.tanh(0.5 * x - y + 0.1)
    const b = Math.tanh(0.25 * x + 2 * y - 0.2)
    expect(new Mlp([2, 2, 1]).forward(parameters, Float64Array.of(x, y))[0]).toBeCloseTo(3 * a - 4 * b + 0.7, 14)
  })

  it('lends the same output each time', () => {
    const mlp = new Mlp([1, 3, 1])
    const parameters = new Float64Array(mlp.parameterCount)
    expect(mlp.forward(parameters, Float64Array.of(1))).toBe(mlp.forward(parameters, Float64Array.of(2)))
  })

  it.each([[[3]], [[]], [[3, 0, 1]], [[3, 1.5]]])('refuses the sizes %j', (sizes) => {
    expect(() => new Mlp(sizes)).toThrow(RangeError)
  })
})

describe('initialParameters', () => {
  it('scales weights by fan-in and the last layer further, and leaves biases zero', () => {
    const sizes = [100, 400, 50]
    const parameters = initialParameters(sizes, 0.1, new Xoshiro128(1))
    expect(parameters.length).toBe(parameterCount(sizes))
    const deviation = (from: number, to: number): number =>
      Math.sqrt(parameters.subarray(from, to).reduce((sum, x) => sum + x * x, 0) / (to - from))
    expect(deviation(0, 40_000)).toBeCloseTo(0.1, 2)
    expect(deviation(40_000, 40_400)).toBe(0)
    expect(deviation(40_400, 60_400)).toBeCloseTo(0.005, 3)
    expect(deviation(60_400, 60_450)).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { initialParameters, Mlp } from '../mlp.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import type { Activation } from './batch-mlp.ts'
import { BatchMlp } from './batch-mlp.ts'
import { orthogonalParameters } from './orthogonal.ts'

const normals = (count: number, seed: number): Float64Array => {
  const random = new Xoshiro128(seed)
  return Float64Array.from({ length: count }, () => random.nextNormal())
}

describe('BatchMlp', () => {
  it('gives for each row what Mlp gives for it', () => {
    for (const sizes of [
      [5, 3],
      [3, 8, 2],
      [4, 7, 6, 5],
    ]) {
      const parameters = initialParameters(sizes, 1, new Xoshiro128(1))
      const inputs = normals(6 * sizes[0]!, 2)
      const outputs = new BatchMlp(sizes, 9).forward(parameters, inputs, 6)
      const single = new Mlp(sizes)
      const last = sizes.at(-1)!
      for (let row = 0; row < 6; row += 1) {
        const expected = single.forward(parameters, inputs.slice(row * sizes[0]!, (row + 1) * sizes[0]!))
        expect([...outputs.slice(row * last, (row + 1) * last)]).toEqual([...expected])
      }
    }
  })

  it.each<Activation>(['tanh', 'relu'])('%s: its gradient is that of finite differences to 1e-6', (activation) => {
    const sizes = [4, 7, 6, 3]
    const mlp = new BatchMlp(sizes, 5, activation)
    const parameters = Float64Array.from(initialParameters(sizes, 1, new Xoshiro128(3)))
    normals(parameters.length, 4).forEach((x, i) => (parameters[i]! += 0.1 * x))
    const inputs = normals(5 * 4, 5)
    const weights = normals(5 * 3, 6)
    // A loss that is no linear function of the outputs: sum of w y^2 / 2.
    const loss = (): number => {
      const outputs = mlp.forward(parameters, inputs, 5)
      return weights.reduce((sum, w, i) => sum + 0.5 * w * outputs[i]! ** 2, 0)
    }
    loss()
    const outputGradient = mlp
      .forward(parameters, inputs, 5)
      .slice(0, 15)
      .map((y, i) => weights[i]! * y)
    const gradient = new Float64Array(parameters.length)
    mlp.backward(parameters, outputGradient, gradient)
    const size = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0) / gradient.length)
    let worst = 0
    for (let i = 0; i < parameters.length; i += 1) {
      const at = parameters[i]!
      const h = 1e-5
      parameters[i] = at + h
      const above = loss()
      parameters[i] = at - h
      const slope = (above - loss()) / (2 * h)
      parameters[i] = at
      worst = Math.max(worst, Math.abs(slope - gradient[i]!) / Math.max(Math.abs(slope), size))
    }
    expect(worst).toBeLessThanOrEqual(1e-6)
    expect(size).toBeGreaterThan(0.1)
  })

  it('adds to the gradient it is given', () => {
    const mlp = new BatchMlp([2, 1], 1)
    mlp.forward(Float64Array.of(0, 0, 0), Float64Array.of(3, 5), 1)
    const gradient = Float64Array.of(1, 1, 1)
    mlp.backward(Float64Array.of(0, 0, 0), Float64Array.of(2), gradient)
    expect([...gradient]).toEqual([7, 11, 3])
  })

  it('refuses layers without a size, and more inputs than it has room for', () => {
    expect(() => new BatchMlp([3], 1)).toThrow(RangeError)
    expect(() => new BatchMlp([3, 0], 1)).toThrow(RangeError)
    expect(() => new BatchMlp([3, 1], 0)).toThrow(RangeError)
    expect(() => new BatchMlp([1, 1], 2).forward(new Float64Array(2), new Float64Array(3), 3)).toThrow(RangeError)
  })
})

describe('orthogonalParameters', () => {
  it('has orthogonal rows, or columns where there are more rows, of the length asked for', () => {
    const parameters = orthogonalParameters([3, 5, 2], [Math.SQRT2, 0.01], new Xoshiro128(1))
    const gram = (vectors: number[][]): number[][] =>
      vectors.map((a) => vectors.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)))
    const columns = [0, 1, 2].map((c) => [0, 1, 2, 3, 4].map((r) => parameters[3 * r + c]!))
    gram(columns).forEach((row, i) => row.forEach((x, k) => expect(x).toBeCloseTo(i === k ? 2 : 0, 6)))
    expect([...parameters.slice(15, 20)]).toEqual([0, 0, 0, 0, 0])
    const rows = [0, 1].map((r) => [...parameters.slice(20 + 5 * r, 25 + 5 * r)])
    gram(rows).forEach((row, i) => row.forEach((x, k) => expect(x).toBeCloseTo(i === k ? 1e-4 : 0, 9)))
    expect(() => orthogonalParameters([3, 5, 2], [1], new Xoshiro128(1))).toThrow(RangeError)
  })
})

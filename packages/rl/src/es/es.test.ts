import { describe, expect, it } from 'vitest'
import { adamStep, createAdam } from '../nn/adam.ts'
import { createEsState, esPlan, esUpdate, evaluationSeeds } from './es.ts'
import { createNoiseTable, MAX_NOISE_LENGTH, noiseTable } from './noise-table.ts'
import { centredRanks } from './ranks.ts'
import { ES_SETTINGS } from './settings.ts'
import type { EsSettings } from './settings.ts'

const SETTINGS: EsSettings = { ...ES_SETTINGS.cartpole, noise: { seed: 9, length: 5000 }, pairs: 6 }

describe('centredRanks', () => {
  it('ranks 3, 1, 2 as .5, -.5, 0', () => {
    expect([...centredRanks([3, 1, 2])]).toEqual([0.5, -0.5, 0])
  })

  it('shares the mean rank among equals, so that a uniform population moves nothing', () => {
    expect([...centredRanks([7, 7, 7, 7])]).toEqual([0, 0, 0, 0])
    expect([...centredRanks([1, 5, 5, 9, 0])]).toEqual([-0.25, 0.125, 0.125, 0.5, -0.5])
  })

  it('is blind to the scale of returns', () => {
    expect(centredRanks([1, 1e9, -4])).toEqual(centredRanks([2, 3, 1]))
  })

  it('gives 0 to one value and nothing to none', () => {
    expect([...centredRanks([4])]).toEqual([0])
    expect([...centredRanks([])]).toEqual([])
  })
})

describe('adamStep', () => {
  it('steps by -stepSize * sign(gradient) first', () => {
    const { delta } = adamStep(createAdam(3), Float64Array.of(0.5, -3, 1e-3), 0.01)
    expect(delta[0]).toBeCloseTo(-0.01, 7)
    expect(delta[1]).toBeCloseTo(0.01, 7)
    expect(delta[2]).toBeCloseTo(-0.01, 5)
    expect(Math.abs(delta[1]!)).toBeLessThan(0.01)
  })

  it('follows the textbook form over several steps and leaves its input alone', () => {
    const start = createAdam(1)
    let state = start
    let m = 0
    let v = 0
    for (const [i, g] of [0.4, -0.1, 0.3, 0.25].entries()) {
      m = 0.9 * m + 0.1 * g
      v = 0.999 * v + 0.001 * g * g
      const expected = (-0.02 * (m / (1 - 0.9 ** (i + 1)))) / Math.sqrt(v / (1 - 0.999 ** (i + 1)))
      const next = adamStep(state, Float64Array.of(g), 0.02)
      expect(next.delta[0]).toBeCloseTo(expected, 6)
      state = next.state
    }
    expect(start).toEqual(createAdam(1))
    expect(state.steps).toBe(4)
  })
})

describe('noise table', () => {
  it('is standard normal, the same for a seed and another for another', () => {
    const table = createNoiseTable({ seed: 1, length: 100_000 })
    const mean = table.reduce((sum, x) => sum + x, 0) / table.length
    const variance = table.reduce((sum, x) => sum + x * x, 0) / table.length
    expect(Math.abs(mean)).toBeLessThan(0.015)
    expect(Math.abs(variance - 1)).toBeLessThan(0.02)
    expect(createNoiseTable({ seed: 1, length: 100 })).toEqual(table.slice(0, 100))
    expect(createNoiseTable({ seed: 2, length: 100 })).not.toEqual(table.slice(0, 100))
  })

  it('is made once for a spec', () => {
    expect(noiseTable({ seed: 4, length: 10 })).toBe(noiseTable({ seed: 4, length: 10 }))
    expect(noiseTable({ seed: 4, length: 11 })).toHaveLength(11)
  })

  it.each([0, -1, 1.5, Number.NaN, MAX_NOISE_LENGTH + 1])('refuses the length %s', (length) => {
    expect(() => createNoiseTable({ seed: 1, length })).toThrow(RangeError)
  })
})

describe('esPlan', () => {
  it('depends on seed and iteration alone and stays inside the table', () => {
    const state = createEsState(SETTINGS, 1)
    expect(esPlan(state, SETTINGS)).toEqual(esPlan(createEsState(SETTINGS, 1), SETTINGS))
    expect(esPlan(state, SETTINGS)).not.toEqual(esPlan({ ...state, iteration: 1 }, SETTINGS))
    expect(esPlan(state, SETTINGS)).not.toEqual(esPlan(createEsState(SETTINGS, 2), SETTINGS))
    const snug = { ...SETTINGS, noise: { seed: 9, length: state.theta.length } }
    expect([...esPlan(state, snug).indices]).toEqual([0, 0, 0, 0, 0, 0])
    expect(() => esPlan(state, { ...snug, noise: { seed: 9, length: state.theta.length - 1 } })).toThrow(RangeError)
  })

  it('gives all pairs the same start states when they are common, and the same pairs either way', () => {
    const state = createEsState(SETTINGS, 1)
    const own = esPlan(state, { ...SETTINGS, commonStarts: false })
    const common = esPlan(state, { ...SETTINGS, commonStarts: true })
    expect(new Set(own.episodeSeeds).size).toBe(6)
    expect(new Set(common.episodeSeeds).size).toBe(1)
    expect(common.indices).toEqual(own.indices)
  })

  it('evaluates on start states that training does not use', () => {
    const state = createEsState(SETTINGS, 1)
    const training = new Set(esPlan(state, SETTINGS).episodeSeeds)
    const seeds = evaluationSeeds(state, 20)
    expect(new Set(seeds).size).toBe(20)
    expect([...seeds].some((seed) => training.has(seed))).toBe(false)
  })
})

describe('esUpdate', () => {
  it('takes the ranked gradient of the pairs, written out by hand for two of them', () => {
    const settings = { ...SETTINGS, l2: 0.01 }
    const state = createEsState(settings, 3)
    const table = noiseTable(settings.noise)
    // Ranks .5, -1/6, -.5, 1/6: weights (2/3)/4 and (-2/3)/4.
    const next = esUpdate(state, settings, { indices: Int32Array.of(10, 500), returns: Float32Array.of(9, 2, 1, 5) })
    const descent = Float64Array.from(state.theta, (value, i) => -(table[10 + i]! - table[500 + i]!) / 6 + 0.01 * value)
    const { delta } = adamStep(state.adam, descent, settings.stepSize)
    next.theta.forEach((value, i) => expect(value).toBeCloseTo(state.theta[i]! + delta[i]!, 6))
    expect(next.iteration).toBe(1)
    expect(state.iteration).toBe(0)
  })

  it('finds the top of a quadratic hill in the space of the parameters', () => {
    const settings = { ...SETTINGS, l2: 0, pairs: 32, sigma: 0.1, stepSize: 0.02, noise: { seed: 5, length: 50_000 } }
    let state = createEsState(settings, 1)
    const table = noiseTable(settings.noise)
    const goal = Float32Array.from(state.theta, (_, i) => Math.sin(i))
    const distance = (theta: ArrayLike<number>): number => goal.reduce((sum, g, i) => sum + (theta[i]! - g) ** 2, 0)
    const before = distance(state.theta)
    for (let k = 0; k < 300; k += 1) {
      const { indices } = esPlan(state, settings)
      const returns = Float32Array.from({ length: 64 }, (_, slot) => {
        const scale = slot % 2 === 0 ? settings.sigma : -settings.sigma
        return -distance(state.theta.map((value, i) => value + scale * table[indices[slot >> 1]! + i]!))
      })
      state = esUpdate(state, settings, { indices, returns })
    }
    expect(distance(state.theta)).toBeLessThan(before / 20)
  })

  it('passes an iteration of which nothing came back, and refuses returns that do not match', () => {
    const state = createEsState(SETTINGS, 1)
    const next = esUpdate(state, SETTINGS, { indices: new Int32Array(0), returns: new Float32Array(0) })
    expect([next.iteration, next.theta]).toEqual([1, state.theta])
    expect(() => esUpdate(state, SETTINGS, { indices: Int32Array.of(1), returns: Float32Array.of(1) })).toThrow(
      RangeError,
    )
  })
})

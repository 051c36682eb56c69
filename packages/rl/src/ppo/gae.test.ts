import { describe, expect, it } from 'vitest'
import { generalisedAdvantages } from './gae.ts'
import { clippedObjective, clippedValueLoss } from './ppo-loss.ts'

const REWARDS = [1, 1, 1]
const VALUES = [0.5, 0.6, 0.7, 0.8]

describe('generalisedAdvantages', () => {
  it('gives the documented vector', () => {
    const [a, b, c] = generalisedAdvantages(REWARDS, VALUES, false, 0.99, 0.95)
    expect(a).toBeCloseTo(3.0878845, 6)
    expect(b).toBeCloseTo(2.12002599, 6)
    expect(c).toBeCloseTo(1.092, 12)
  })

  it('counts nothing after the end of the MDP, and everything at a step limit', () => {
    expect(generalisedAdvantages(REWARDS, VALUES, true, 0.99, 0.95)[2]).toBeCloseTo(1 - 0.7, 14)
    expect(generalisedAdvantages(REWARDS, [...VALUES.slice(0, 3), 100], true, 0.99, 0.95)[2]).toBeCloseTo(0.3, 14)
  })

  it('with λ = 1 is the discounted return less the value, with λ = 0 the one-step error', () => {
    const [whole] = generalisedAdvantages(REWARDS, VALUES, false, 0.9, 1)
    expect(whole).toBeCloseTo(1 + 0.9 + 0.81 + 0.729 * 0.8 - 0.5, 14)
    const [step] = generalisedAdvantages(REWARDS, VALUES, false, 0.9, 0)
    expect(step).toBeCloseTo(1 + 0.9 * 0.6 - 0.5, 14)
  })

  it('refuses sizes that do not fit', () => {
    expect(() => generalisedAdvantages(REWARDS, REWARDS, false, 1, 1)).toThrow(RangeError)
  })
})

describe('clippedObjective', () => {
  it.each([
    [1.1, 2, 2.2, 2],
    [1.5, 2, 2.4, 0],
    [0.5, 2, 1, 2],
    [1.5, -2, -3, -2],
    [0.5, -2, -1.6, 0],
  ])('ratio %d with advantage %d gives %d with slope %d', (ratio, advantage, value, slope) => {
    const term = clippedObjective(ratio, advantage, 0.2)
    expect(term.value).toBeCloseTo(value, 14)
    expect(term.slope).toBe(slope)
  })
})

describe('clippedValueLoss', () => {
  it.each([
    // Inside of the clip: half the square.
    [1.1, 1, 2, 0.2, 0.405, -0.9],
    // Past it towards the target: held, no slope.
    [1.5, 1, 2, 0.2, 0.32, 0],
    // Past it away from the target: the square again.
    [0.5, 1, 2, 0.2, 1.125, -1.5],
    [1.5, 1, 2, Infinity, 0.125, -0.5],
  ])('value %d, before %d, target %d, ε %d', (value, old, target, epsilon, loss, slope) => {
    const term = clippedValueLoss(value, old, target, epsilon)
    expect(term.value).toBeCloseTo(loss, 14)
    expect(term.slope).toBeCloseTo(slope, 14)
  })
})

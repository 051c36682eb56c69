import { describe, expect, it } from 'vitest'
import { createEsState, esPlan } from './es.ts'
import { runEvaluation, runRollouts } from './rollout.ts'
import type { RolloutRequest } from './rollout.ts'
import { ES_SETTINGS } from './settings.ts'

const { policy, noise, sigma } = ES_SETTINGS.cartpole
const state = createEsState(ES_SETTINGS.cartpole, 1)
const plan = esPlan(state, ES_SETTINGS.cartpole)

function request(start: number, end: number, more: Partial<RolloutRequest> = {}): RolloutRequest {
  return {
    policy,
    noise,
    sigma,
    episodesPerPair: 2,
    indices: plan.indices.slice(start, end),
    episodeSeeds: plan.episodeSeeds.slice(start, end),
    ...more,
  }
}

describe('runRollouts', () => {
  it('gives each pair the same returns however pairs are split over tasks', () => {
    const whole = runRollouts(state.theta, request(0, 8))
    const parts = [runRollouts(state.theta, request(0, 3)), runRollouts(state.theta, request(3, 8))]
    expect(parts.flatMap((part) => [...part.returns])).toEqual([...whole.returns])
    expect(parts.flatMap((part) => [...part.lengths])).toEqual([...whole.lengths])
  })

  it('counts steps, which on CartPole are the returns', () => {
    const { returns, lengths, steps } = runRollouts(state.theta, request(0, 8))
    expect([...lengths]).toEqual([...returns].map((value) => 2 * value))
    expect(steps).toBe(lengths.reduce((sum, length) => sum + length, 0))
    expect(new Set(returns).size).toBeGreaterThan(3)
  })

  it('plays both members of a pair from the same starts: without noise they are equal', () => {
    const { returns } = runRollouts(state.theta, request(0, 4, { sigma: 0 }))
    for (let pair = 0; pair < 4; pair += 1) expect(returns[2 * pair]).toBe(returns[2 * pair + 1])
  })

  it('traces the first episode from its start to the state that ended it', () => {
    const { trace, lengths } = runRollouts(state.theta, request(0, 2, { trace: true, episodesPerPair: 1 }))
    expect(trace?.length).toBe(4 * (lengths[0]! + 1))
    const row = (i: number): number[] => [...trace!.slice(4 * i, 4 * i + 4)]
    for (const value of row(0)) expect(Math.abs(value)).toBeLessThanOrEqual(0.0501)
    expect(row(1)[0]).toBeCloseTo(row(0)[0]! + 0.02 * row(0)[1]!, 6)
    const last = row(lengths[0]!)
    expect(Math.abs(last[0]!) > 2.4 || Math.abs(last[2]!) > 0.2094 || lengths[0] === 500).toBe(true)
    expect(runRollouts(state.theta, request(0, 1))).not.toHaveProperty('trace')
  })

  it.each([
    ['theta of another size', new Float32Array(3), request(0, 1)],
    ['seeds of another number', state.theta, request(0, 2, { episodeSeeds: new Uint32Array(1) })],
    ['an index past the table', state.theta, request(0, 1, { indices: Int32Array.of(noise.length - 3) })],
    ['a negative index', state.theta, request(0, 1, { indices: Int32Array.of(-1) })],
    ['no episodes', state.theta, request(0, 1, { episodesPerPair: 0 })],
  ])('refuses %s', (_, theta, bad) => {
    expect(() => runRollouts(theta, bad)).toThrow(RangeError)
  })
})

describe('runEvaluation', () => {
  it('is deterministic, one return a seed, and differs by seed', () => {
    const episodeSeeds = Uint32Array.from({ length: 12 }, (_, i) => i)
    const first = runEvaluation(state.theta, { policy, episodeSeeds, trace: true })
    expect(runEvaluation(state.theta, { policy, episodeSeeds, trace: true })).toEqual(first)
    expect(first.returns).toHaveLength(12)
    expect(new Set(first.returns).size).toBeGreaterThan(1)
    expect(first.trace?.length).toBe(4 * (first.lengths[0]! + 1))
    expect(() => runEvaluation(new Float32Array(3), { policy, episodeSeeds })).toThrow(RangeError)
  })
})

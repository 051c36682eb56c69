import { describe, expect, it } from 'vitest'
import { CART_POLE_SPEC, CartPole } from '../envs/cart-pole.ts'
import type { EnvConfig } from '../envs/env.ts'
import { makeEnv, registerEnv } from '../envs/make-env.ts'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import { orthogonalParameters } from '../nn/orthogonal.ts'
import { actionConnector, observationPipeline } from './connectors.ts'
import { EnvRunner } from './env-runner.ts'
import type { Sample, SampleRequest } from './env-runner.ts'
import { actorSizes } from './module-spec.ts'
import type { ModuleSpec } from './module-spec.ts'

const MODULE: ModuleSpec = { env: 'CartPole-v1', hidden: [4], activation: 'tanh', observation: [] }
const weights = orthogonalParameters(actorSizes(MODULE), [1, 1], new Xoshiro128(1))
const runner = (envs = 2, index = 0): EnvRunner => new EnvRunner({ module: MODULE, envs, seed: 5, index })
const request = (steps: number, round = 0): SampleRequest => ({ steps, round, explore: { kind: 'sample' } })

describe('EnvRunner', () => {
  it('hands over pieces that join: each begins where the one before was cut', () => {
    const player = runner(1)
    const samples = [0, 1, 2, 3].map((round) => player.sample(weights, request(30, round)))
    const pieces = samples.flatMap(({ episodes }) => episodes)
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(120)
    expect(pieces.some(({ isTerminated }) => isTerminated)).toBe(true)
    pieces.slice(1).forEach((piece, i) => {
      const before = pieces[i]!
      expect(piece.observations).toHaveLength(4 * (piece.length + 1))
      const isJoined = !before.isTerminated && !before.isTruncated
      const [last, next] = [before.observations.slice(-4), piece.observations.slice(0, 4)]
      if (isJoined) expect(next).toEqual(last)
      else expect(next).not.toEqual(last)
    })
    // A return counts the pieces of earlier samples.
    const ends = pieces.map(({ isTerminated }) => isTerminated)
    const firstEnd = pieces.slice(0, ends.indexOf(true) + 1).reduce((sum, { length }) => sum + length, 0)
    const [first] = samples.flatMap(({ returns }) => [...returns])
    expect(first).toBe(firstEnd)
    expect(samples.flatMap(({ lengths }) => [...lengths])[0]).toBe(firstEnd)
  })

  it('repeats from its seed, and differs by index and round', () => {
    const actions = ({ episodes }: Sample): number[] => episodes.flatMap(({ actions: list }) => [...list])
    const first = runner().sample(weights, request(40))
    expect(runner().sample(weights, request(40))).toEqual(first)
    expect(actions(runner(2, 1).sample(weights, request(40)))).not.toEqual(actions(first))
    expect(actions(runner().sample(weights, request(40, 1)))).not.toEqual(actions(first))
  })

  it('says which environment played a piece, and makes environments with the config of the module', () => {
    const { episodes } = runner(3).sample(weights, request(30))
    expect(new Set(episodes.map(({ env }) => env))).toEqual(new Set([0, 1, 2]))
    const made: EnvConfig[] = []
    const spec = { ...CART_POLE_SPEC, id: 'CartPole-with-config' }
    registerEnv(spec, (config) => {
      made.push(config)
      return new CartPole()
    })
    const module: ModuleSpec = { ...MODULE, env: spec.id, envConfig: { length: 2 } }
    new EnvRunner({ module, envs: 2, seed: 5, index: 0 })
    expect(made).toEqual([{ length: 2 }, { length: 2 }])
    makeEnv(spec.id)
    expect(made.at(-1)).toEqual({})
  })

  it('rounds steps up to a multiple of its environments', () => {
    expect(runner(3).sample(weights, request(10)).steps).toBe(12)
  })

  it('explores as it is told', () => {
    const share = (explore: SampleRequest['explore']): number => {
      const parameters = weights.slice()
      parameters.set([50, -50], parameters.length - 2)
      const { episodes, steps } = runner(4).sample(parameters, { steps: 2000, round: 0, explore })
      return episodes.flatMap(({ actions }) => [...actions]).filter((action) => action === 1).length / steps
    }
    expect(share({ kind: 'greedy' })).toBe(0)
    expect(share({ kind: 'sample' })).toBe(0)
    expect(share({ kind: 'epsilon', epsilon: 0.4 })).toBeCloseTo(0.2, 1)
  })

  it('refuses too few parameters, no steps and no environments', () => {
    expect(() => runner().sample(weights.slice(1), request(8))).toThrow(RangeError)
    expect(() => runner().sample(weights, request(0))).toThrow(RangeError)
    expect(() => runner(0)).toThrow(RangeError)
  })
})

describe('connectors', () => {
  it('take observations through scale and clip, in order', () => {
    const values = Float32Array.of(9, 1, -8)
    observationPipeline(
      [
        { kind: 'scale', factors: [2, 0.5] },
        { kind: 'clip', bound: 3 },
      ],
      2,
    )(values, 1)
    expect([...values]).toEqual([9, 2, -3])
    expect(() => observationPipeline([{ kind: 'scale', factors: [1] }], 2)).toThrow(RangeError)
  })

  it('give the environment its units', () => {
    expect(actionConnector({ kind: 'discrete', n: 3 })(Float32Array.of(0, 2), 1)).toBe(2)
    const continuous = actionConnector({ kind: 'continuous', bound: 2, size: 2 })
    expect([...(continuous(Float32Array.of(0.5, -7), 0) as Float64Array)]).toEqual([1, -2])
  })
})

import { describe, expect, it } from 'vitest'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import { makeEnv } from './make-env.ts'
import { VectorEnv } from './vector-env.ts'

describe('VectorEnv', () => {
  it('is its environments one by one, and starts each anew when its episode ends', () => {
    const vector = new VectorEnv('CartPole-v1', 3)
    const sources = [0, 1, 2].map((i) => new Xoshiro128(mixSeeds(9, i)))
    const singles = sources.map(() => makeEnv('CartPole-v1'))
    const first = vector.reset(9)
    singles.forEach((env, i) => expect([...env.resetFrom(sources[i]!)]).toEqual([...first.slice(4 * i, 4 * i + 4)]))
    let ends = 0
    for (let t = 0; t < 100; t += 1) {
      const actions = singles.map((_, i) => (t + i) % (i + 1) && 1)
      const step = vector.step(actions)
      singles.forEach((env, i) => {
        const single = env.step(actions[i]!)
        expect([...step.finalObservations.slice(4 * i, 4 * i + 4)]).toEqual([...single.obs])
        expect(step.rewards[i]).toBe(single.reward)
        expect(step.terminated[i]).toBe(Number(single.terminated))
        if (single.terminated) {
          ends += 1
          env.resetFrom(sources[i]!)
        }
        expect(env.elapsedSteps === 0).toBe(single.terminated)
        const state = env.getState().map(Math.fround)
        expect([...step.observations.slice(4 * i, 4 * i + 4)]).toEqual([...state])
      })
    }
    expect(ends).toBeGreaterThan(5)
  })

  it('tells the step limit from an end of the MDP', () => {
    const vector = new VectorEnv('Pendulum-v1', 2)
    vector.reset(1)
    for (let t = 1; t <= 200; t += 1) {
      const { terminated, truncated } = vector.step([0, [1]])
      expect([...terminated, ...truncated]).toEqual(t === 200 ? [0, 0, 1, 1] : [0, 0, 0, 0])
    }
  })

  it('refuses no environments, and a step before the first reset', () => {
    expect(() => new VectorEnv('CartPole-v1', 0)).toThrow(RangeError)
    expect(() => new VectorEnv('CartPole-v1', 1).step([0])).toThrow(RangeError)
  })
})

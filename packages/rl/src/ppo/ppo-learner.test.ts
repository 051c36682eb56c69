import { describe, expect, it } from 'vitest'
import '../envs/lunar-lander/lunar-lander.ts'
import { limitLength } from '../nn/limit-length.ts'
import { EnvRunner } from '../runner/env-runner.ts'
import { PpoLearner } from './ppo-learner.ts'
import { PPO_SETTINGS } from './ppo-settings.ts'
import type { PpoSettings } from './ppo-settings.ts'

const small: PpoSettings = {
  ...PPO_SETTINGS.cartpole,
  module: { ...PPO_SETTINGS.cartpole.module, hidden: [5] },
  epochs: 1,
  minibatch: 64,
}

function sample(settings: PpoSettings, learner: PpoLearner, steps: number) {
  const runner = new EnvRunner({ module: settings.module, envs: 2, seed: 3, index: 0 })
  return runner.sample(learner.getWeights(), { steps, round: 0, explore: { kind: 'sample' } })
}

describe('PpoLearner', () => {
  it('starts with a policy without an opinion and moves it towards what paid', () => {
    const learner = new PpoLearner(small, 1)
    const { episodes } = sample(small, learner, 64)
    const metrics = learner.update(episodes)
    expect(metrics.steps).toBe(64)
    expect(metrics.entropy).toBeCloseTo(Math.log(2), 3)
    // The first pass sees the policy that drew the actions.
    expect(metrics.kl).toBeCloseTo(0, 6)
    expect(metrics.clipped).toBe(0)
    expect(learner.update(episodes).kl).toBeGreaterThan(1e-7)
  })

  it('is the same for the same episodes in the same order, and goes on from its state', () => {
    const one = new PpoLearner(small, 1)
    const other = new PpoLearner(small, 1)
    const { episodes } = sample(small, one, 64)
    one.update(episodes)
    const resumed = new PpoLearner(small, 1, one.getState())
    one.update(episodes)
    other.update(episodes)
    other.update(episodes)
    resumed.update(episodes)
    expect(other.getState()).toEqual(one.getState())
    expect(resumed.getState()).toEqual(one.getState())
    expect(new PpoLearner(small, 2).getWeights()).not.toEqual(new PpoLearner(small, 1).getWeights())
  })

  it('learns values: the loss falls by half over the same episodes', () => {
    const settings = { ...small, epochs: 20, minibatch: 32 }
    const learner = new PpoLearner(settings, 1)
    const { episodes } = sample(settings, learner, 256)
    const first = learner.update(episodes).valueLoss
    let last = first
    for (let i = 0; i < 5; i += 1) last = learner.update(episodes).valueLoss
    expect(last).toBeLessThan(first / 2)
  })

  it('takes continuous actions of two numbers', () => {
    const settings: PpoSettings = {
      ...small,
      module: { ...small.module, env: 'Pendulum-v1', observation: [{ kind: 'clip', bound: 1 }] },
    }
    const learner = new PpoLearner(settings, 1)
    const before = learner.getWeights()
    const { episodes } = sample(settings, learner, 64)
    for (const { observations, actions, length } of episodes) {
      expect(Math.max(...observations.map(Math.abs))).toBeLessThanOrEqual(1)
      expect(actions).toHaveLength(length)
    }
    learner.update(episodes)
    // The standard deviation is learned too.
    expect(learner.getWeights().at(-1)).not.toBe(before.at(-1))
    expect(learner.getWeights().every(Number.isFinite)).toBe(true)
  })

  it('learns LunarLander where it is imported', () => {
    const settings: PpoSettings = { ...small, module: { ...small.module, env: 'LunarLander-v3' } }
    const learner = new PpoLearner(settings, 1)
    expect(learner.update(sample(settings, learner, 64).episodes).entropy).toBeCloseTo(Math.log(4), 2)
  })

  it('refuses no episodes and parameters of another module', () => {
    const learner = new PpoLearner(small, 1)
    expect(() => learner.update([])).toThrow(RangeError)
    const state = { ...learner.getState(), parameters: new Float32Array(3) }
    expect(() => new PpoLearner(small, 1, state)).toThrow(RangeError)
  })
})

it('limits a gradient to a length and leaves a shorter one', () => {
  const long = Float64Array.of(3, 4)
  limitLength(long, 1)
  expect([...long]).toEqual([0.6000000000000001, 0.8])
  const short = Float64Array.of(0.3, 0.4)
  limitLength(short, 1)
  expect([...short]).toEqual([0.3, 0.4])
})

import { describe, expect, it } from 'vitest'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import type { Episode } from '../runner/episode.ts'
import { DqnLearner } from './dqn-learner.ts'
import { DQN_SETTINGS } from './dqn-settings.ts'
import type { DqnSettings } from './dqn-settings.ts'
import { annealedEpsilon, apexEpsilon, doubleDqnTarget } from './dqn-target.ts'
import { ReplayBuffer } from './replay-buffer.ts'

/** An episode that counts: observations n, n + 1 ..., rewards n, actions 0 and 1 in turn. */
function counting(from: number, length: number, isTerminated: boolean): Episode {
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => from + i)
  return {
    env: 0,
    length,
    observations: Float32Array.from(count(length + 1).flatMap((x) => [x, -x])),
    actions: Float32Array.from(count(length), (x) => x % 2),
    logProbs: new Float32Array(length),
    rewards: Float32Array.from(count(length)),
    isTerminated,
    isTruncated: !isTerminated,
  }
}

describe('ReplayBuffer', () => {
  it('keeps steps with what came after them, forgets the oldest, and draws all of them', () => {
    const buffer = new ReplayBuffer(5, 2)
    buffer.add(counting(0, 3, true))
    buffer.add(counting(10, 4, false))
    expect(buffer.size).toBe(5)
    const { observations, nextObservations, actions, rewards, terminated } = buffer.draw(400, new Xoshiro128(1))
    const seen = new Set(rewards)
    expect([...seen].sort((a, b) => a - b)).toEqual([2, 10, 11, 12, 13])
    rewards.forEach((reward, i) => {
      expect([...observations.slice(2 * i, 2 * i + 2)]).toEqual([reward, -reward])
      expect([...nextObservations.slice(2 * i, 2 * i + 2)]).toEqual([reward + 1, -reward - 1])
      expect(actions[i]).toBe(reward % 2)
      // The end of the MDP, not the step limit.
      expect(terminated[i]).toBe(reward === 2 ? 1 : 0)
    })
  })

  it('refuses to be of no size, and to be drawn from when empty', () => {
    expect(() => new ReplayBuffer(0, 2)).toThrow(RangeError)
    expect(() => new ReplayBuffer(3, 2).draw(1, new Xoshiro128(1))).toThrow(RangeError)
  })
})

describe('targets', () => {
  it('one network chooses, the other judges', () => {
    // Row 1 of three actions: chosen is action 2 (0.9), judged at 4, not the judge's own best (7).
    const choosing = [9, 9, 9, 0.1, 0.5, 0.9]
    const judging = [0, 0, 0, 7, 5, 4]
    expect(doubleDqnTarget(1, false, 0.5, choosing, judging, 3, 3)).toBe(3)
    expect(doubleDqnTarget(1, false, 0.5, judging, judging, 3, 3)).toBe(4.5)
    expect(doubleDqnTarget(1, true, 0.5, choosing, judging, 3, 3)).toBe(1)
  })

  it('ε: Ape-X from 0.4 to 0.4^8 over runners, DQN in a line', () => {
    expect(apexEpsilon(0, 8)).toBe(0.4)
    expect(apexEpsilon(7, 8)).toBeCloseTo(0.4 ** 8, 14)
    expect(apexEpsilon(1, 8)).toBeCloseTo(0.16, 14)
    expect(apexEpsilon(0, 1)).toBe(0.4)
    const annealed = [0, 500, 1000, 5000].map((steps) => annealedEpsilon(1, 0.1, 1000, steps).toFixed(12))
    expect(annealed.map(Number)).toEqual([1, 0.55, 0.1, 0.1])
  })
})

describe('DqnLearner', () => {
  const settings: DqnSettings = {
    ...DQN_SETTINGS.cartpole,
    module: { env: 'CartPole-v1', hidden: [16], activation: 'relu', observation: [] },
    learningStarts: 1,
    updatesPerIteration: 400,
    minibatch: 32,
    targetEvery: 20,
    gamma: 0.5,
    stepSize: 0.01,
  }
  /** Two states that lead to each other, 1 a step for action 1 and nothing for action 0. */
  const episode: Episode = {
    env: 0,
    length: 4,
    observations: Float32Array.from([1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]),
    actions: Float32Array.of(1, 1, 0, 0),
    logProbs: new Float32Array(4),
    rewards: Float32Array.of(1, 1, 0, 0),
    isTerminated: false,
    isTruncated: true,
  }

  it('finds the values of a small chain: 2 for the better action, 1 for the other', () => {
    const learner = new DqnLearner(settings, 1)
    learner.update([episode])
    const { value, loss } = learner.update([episode])
    // Mean over actions taken, half of each.
    expect(value).toBeCloseTo(1.5, 1)
    expect(loss).toBeLessThan(0.01)
  })

  it('learns nothing before it has seen enough, then repeats from its seed', () => {
    const waiting = new DqnLearner({ ...settings, learningStarts: 8 }, 1)
    expect(waiting.update([episode])).toEqual({ steps: 4, loss: Number.NaN, value: Number.NaN })
    expect(waiting.getState().updates).toBe(0)
    waiting.update([episode])
    expect(waiting.getState()).toMatchObject({ updates: 400, steps: 8 })
    const again = new DqnLearner({ ...settings, learningStarts: 8 }, 1)
    again.update([episode])
    again.update([episode])
    expect(again.getState()).toEqual(waiting.getState())
  })

  it('refuses continuous actions, and parameters of another module', () => {
    expect(() => new DqnLearner({ ...settings, module: { ...settings.module, env: 'Pendulum-v1' } }, 1)).toThrow(
      RangeError,
    )
    const state = { ...new DqnLearner(settings, 1).getState(), parameters: new Float32Array(2) }
    expect(() => new DqnLearner(settings, 1, state)).toThrow(RangeError)
  })
})

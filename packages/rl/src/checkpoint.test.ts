import { describe, expect, it } from 'vitest'
import { AlphaZeroLearner } from './alpha-zero/alpha-zero-learner.ts'
import { ALPHA_ZERO_SETTINGS } from './alpha-zero/alpha-zero-settings.ts'
import { decodeCheckpoint, decodeLearner, encodeCheckpoint, encodeLearner } from './checkpoint.ts'
import { DqnLearner } from './dqn/dqn-learner.ts'
import type { DqnState } from './dqn/dqn-learner.ts'
import { DQN_SETTINGS } from './dqn/dqn-settings.ts'
import { createEsState } from './es/es.ts'
import type { EsState } from './es/es.ts'
import { ES_SETTINGS } from './es/settings.ts'
import type { PpoState } from './ppo/ppo-learner.ts'
import { PpoLearner } from './ppo/ppo-learner.ts'
import { PPO_SETTINGS } from './ppo/ppo-settings.ts'
import { EnvRunner } from './runner/env-runner.ts'

const sample = {
  kind: 'test',
  meta: { name: 'ünï', deep: { list: [1, null] } },
  arrays: {
    a: Float32Array.of(0.1, -2),
    b: Float64Array.of(Math.PI),
    c: Int32Array.of(-1, 7, 2 ** 31 - 1),
    d: new Float32Array(0),
  },
}

describe('checkpoints', () => {
  it('come back as they went, from anywhere in a buffer', () => {
    const bytes = encodeCheckpoint(sample)
    expect(decodeCheckpoint(bytes, 'test')).toEqual(sample)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(decodeCheckpoint(shifted.subarray(3), 'test')).toEqual(sample)
  })

  it('have fixed first bytes: the magic word and the version', () => {
    expect([...encodeCheckpoint(sample).slice(0, 8)]).toEqual([...new TextEncoder().encode('SHRL'), 1, 0, 0, 0])
  })

  it('are refused when they are of another kind or version, cut anywhere, too long, or no numbers', () => {
    const bytes = encodeCheckpoint(sample)
    expect(() => decodeCheckpoint(bytes, 'ppo')).toThrow(/of 'test', not of 'ppo'/)
    for (let size = 0; size < bytes.length; size += 1) {
      expect(() => decodeCheckpoint(bytes.subarray(0, size), 'test'), `cut at ${size}`).toThrow(RangeError)
    }
    expect(() => decodeCheckpoint(Uint8Array.of(...bytes, 0), 'test')).toThrow(RangeError)
    const later = bytes.slice()
    later[4] = 2
    expect(() => decodeCheckpoint(later, 'test')).toThrow(/version 2/)
    const broken = encodeCheckpoint({ ...sample, arrays: { a: Float32Array.of(Number.NaN) } })
    expect(() => decodeCheckpoint(broken, 'test')).toThrow(/none/)
    const header = new TextDecoder().decode(bytes).replace('"i32"', '"i99"')
    expect(() => decodeCheckpoint(new TextEncoder().encode(header), 'test')).toThrow(RangeError)
  })
})

describe('learners', () => {
  it('PPO goes on from its bytes exactly as from its state', () => {
    const settings = { ...PPO_SETTINGS.cartpole, epochs: 1 }
    const learner = new PpoLearner(settings, 1)
    const runner = new EnvRunner({ module: settings.module, envs: 2, seed: 1, index: 0 })
    const { episodes } = runner.sample(learner.getWeights(), { steps: 64, round: 0, explore: { kind: 'sample' } })
    learner.update(episodes)
    const bytes = encodeLearner('ppo', learner.getState(), { env: settings.module.env })
    const again = new PpoLearner(settings, 1, decodeLearner<PpoState>('ppo', bytes))
    expect(again.getState()).toEqual(learner.getState())
    learner.update(episodes)
    again.update(episodes)
    expect(again.getState()).toEqual(learner.getState())
    expect(decodeCheckpoint(bytes, 'ppo').meta['env']).toBe('CartPole-v1')
  })

  it('DQN and AlphaZero come back, other fields included', () => {
    const dqn = new DqnLearner(DQN_SETTINGS.cartpole, 1).getState()
    expect(decodeLearner<DqnState>('dqn', encodeLearner('dqn', dqn))).toEqual(dqn)
    const zero = new AlphaZeroLearner(ALPHA_ZERO_SETTINGS.connectFour, 1)
    zero.setState(decodeLearner('alpha-zero', encodeLearner('alpha-zero', zero.getState())))
    expect(zero.getState().iteration).toBe(0)
  })

  it('ES comes back with its θ as the parameters', () => {
    const { theta: parameters, ...state } = createEsState(ES_SETTINGS.cartpole, 5)
    const { parameters: theta, ...rest } = decodeLearner<Omit<EsState, 'theta'> & { parameters: Float32Array }>(
      'es',
      encodeLearner('es', { ...state, parameters }),
    )
    expect({ ...rest, theta }).toEqual(createEsState(ES_SETTINGS.cartpole, 5))
  })

  it('are refused when the moments are of another size', () => {
    const state = new DqnLearner(DQN_SETTINGS.cartpole, 1).getState()
    const bytes = encodeLearner('dqn', { ...state, parameters: new Float32Array(2) })
    expect(() => decodeLearner('dqn', bytes)).toThrow(RangeError)
    expect(() => decodeLearner('test', encodeCheckpoint(sample))).toThrow(RangeError)
  })
})

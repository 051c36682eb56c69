import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Xoshiro128 } from '../random/xoshiro128.ts'
import type { EnvName } from './make-env.ts'
import { envSpec, makeEnv } from './make-env.ts'

interface Fixture {
  readonly environment: EnvName
  readonly maxEpisodeSteps: number
  readonly cases: readonly FixtureCase[]
}
interface FixtureCase {
  readonly seed: number
  readonly initialState: readonly number[]
  readonly initialObservation: readonly number[]
  readonly actions: readonly (number | readonly number[])[]
  readonly steps: readonly {
    readonly state: readonly number[]
    readonly observation: readonly number[]
    readonly reward: number
    readonly terminated: boolean
    readonly truncated: boolean
  }[]
}

const TOLERANCE = 1e-12
const ENV_NAMES: readonly EnvName[] = [
  'CartPole-v1',
  'Pendulum-v1',
  'MountainCar-v0',
  'MountainCarContinuous-v0',
  'Acrobot-v1',
]

/** Low and high of each number of a start state. */
const START_BOXES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  'CartPole-v1': Array<[number, number]>(4).fill([-0.05, 0.05]),
  'Pendulum-v1': [
    [-Math.PI, Math.PI],
    [-1, 1],
  ],
  'MountainCar-v0': [
    [-0.6, -0.4],
    [0, 0],
  ],
  'MountainCarContinuous-v0': [
    [-0.6, -0.4],
    [0, 0],
  ],
  'Acrobot-v1': Array<[number, number]>(4).fill([Math.fround(-0.1), Math.fround(0.1)]),
}

/** The small copy kept here always; the full set beside the repository where there is one. */
const FOLDERS = [
  { from: 'the copy', url: new URL('../../fixtures/', import.meta.url) },
  { from: 'the full set', url: new URL('../../../../../shared/fixtures/gymnasium/', import.meta.url) },
]

function expectClose(actual: ArrayLike<number>, expected: readonly number[], where: string): void {
  expect(actual.length, where).toBe(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `${where}[${i}]: ${actual[i]} against ${value}`).toBeLessThanOrEqual(TOLERANCE)
  })
}

/**
 * Observations are float32: equal, except that where the float64 values differ in their last bits (sin, cos) the two may
 * fall on either side of a float32 boundary.
 */
function expectObservation(actual: ArrayLike<number>, expected: readonly number[], where: string): void {
  expect(actual.length, where).toBe(expected.length)
  expected.forEach((value, i) => {
    const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 1e-30))) - 23)
    expect(Math.abs(actual[i]! - value), `${where}[${i}]`).toBeLessThanOrEqual(ulp)
  })
}

for (const { from, url } of FOLDERS) {
  for (const name of ENV_NAMES) {
    const file = new URL(`${name}.json`, url)
    describe.skipIf(!existsSync(file))(`${name} against Gymnasium, ${from}`, () => {
      const fixture = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Fixture) : undefined
      it('has the same step limit', () => {
        expect(fixture?.maxEpisodeSteps).toBe(envSpec(name).maxEpisodeSteps)
      })
      for (const episode of fixture?.cases ?? []) {
        it(`seed ${episode.seed}: same start, states, observations, rewards and end`, () => {
          const env = makeEnv(name)
          expectObservation(env.reset(episode.seed), episode.initialObservation, 'first observation')
          expect([...env.getState()]).toEqual(episode.initialState)
          expect(episode.steps.length).toBeGreaterThan(0)
          episode.steps.forEach((expected, i) => {
            const where = `step ${i + 1}`
            const action = episode.actions[i]!
            const step = env.step(typeof action === 'number' ? action : action[0]!)
            expectClose(env.getState(), expected.state, `${where} state`)
            expectObservation(step.obs, expected.observation, `${where} observation`)
            expectClose([step.reward], [expected.reward], `${where} reward`)
            expect([step.terminated, step.truncated], where).toEqual([expected.terminated, expected.truncated])
          })
        })
      }
    })
  }
}

describe('check values', () => {
  it('CartPole: seed 42 gives the documented start state', () => {
    const env = makeEnv('CartPole-v1')
    env.reset(42)
    expect([...env.getState()]).toEqual([
      0.027395604855596334, -0.006112156024794771, 0.03585979199113824, 0.019736802905936393,
    ])
  })

  it('CartPole: the scripted run ends at step 14 in the documented state', () => {
    const env = makeEnv('CartPole-v1')
    env.setState([0.01, -0.02, 0.03, -0.04])
    let step = env.step(0)
    expect([...env.getState()]).toEqual([0.009600000000000001, -0.21553901710278936, 0.0292, 0.2619952237760392])
    for (let i = 1; !step.terminated; i += 1) step = env.step((7 * i + Math.floor(i / 3)) % 2)
    expect(env.elapsedSteps).toBe(14)
    expect([...env.getState()].map((x) => x.toFixed(8))).toEqual([
      '-0.11783470',
      '-0.81530402',
      '0.22946132',
      '1.49198258',
    ])
  })

  it('Pendulum: seed 42 gives the documented start state', () => {
    const env = makeEnv('Pendulum-v1')
    env.reset(42)
    expect([...env.getState()]).toEqual([1.721316619099806, -0.12224312049589536])
  })

  it('Pendulum: the scripted run has the documented states and return', () => {
    const env = makeEnv('Pendulum-v1')
    env.setState([Math.PI - 0.5, 0.25])
    let total = 0
    for (let i = 0; ; i += 1) {
      const step = env.step(2 * Math.sin(0.3 * i))
      total += step.reward
      if (i === 0) expectClose(env.getState(), [2.6720711112874507, 0.6095691539531524], 'step 1')
      if (i === 19) expectClose(env.getState(), [3.369080388080145, -4.136435389815534], 'step 20')
      if (step.truncated) break
    }
    expect(env.elapsedSteps).toBe(200)
    expectClose(env.getState(), [2.48036026890888, 1.7399084998137906], 'step 200')
    expect(Math.abs(total - -1514.7159388741534)).toBeLessThanOrEqual(1e-10)
  })
})

/** The documented scripted actions. */
const scripted = (i: number, actions: number): number => (7 * i + Math.floor(i / 3)) % actions

describe('check values of the others', () => {
  it('MountainCar: start state, the scripted run, and the flag by swinging', () => {
    const env = makeEnv('MountainCar-v0')
    env.reset(42)
    expect([...env.getState()]).toEqual([-0.44520879028880733, 0])
    env.setState([-0.5, 0])
    for (let i = 0; i < 200; i += 1) {
      env.step(scripted(i, 3))
      if (i === 0) expectClose(env.getState(), [-0.5011768430041692, -0.0011768430041692573], 'step 1')
      if (i === 19) expectClose(env.getState(), [-0.5291470675534224, -0.0029453411938676257], 'step 20')
    }
    expectClose(env.getState(), [-0.5227403799780842, 0.0009430354477731724], 'step 200')
    env.setState([-0.5, 0])
    while (!env.step(env.getState()[1]! >= 0 ? 2 : 0).terminated);
    expect(env.elapsedSteps).toBe(124)
    expectClose(env.getState(), [0.5349499825655736, 0.04819097792866507], 'at the flag')
  })

  it('MountainCarContinuous: the flag by swinging, and its return', () => {
    const env = makeEnv('MountainCarContinuous-v0')
    env.setState([-0.5, 0])
    let total = 0
    for (let isDone = false; !isDone;) {
      const step = env.step(env.getState()[1]! >= 0 ? 1 : -1)
      total += step.reward
      isDone = step.terminated
      if (env.elapsedSteps === 1) expectClose(env.getState(), [-0.4986768364906311, 0.0013231569901108742], 'step 1')
    }
    expect(env.elapsedSteps).toBe(106)
    expect(Math.abs(total - 89.40000000000003)).toBeLessThanOrEqual(1e-10)
  })

  it('MountainCarContinuous: takes its action as a number or as an array of one', () => {
    const env = makeEnv('MountainCarContinuous-v0')
    env.reset(1)
    const one = [...env.step(0.3).obs]
    env.reset(1)
    expect([...env.step([0.3]).obs]).toEqual(one)
    expect(() => env.step([0.3, 0.1])).toThrow(RangeError)
  })

  it('Acrobot: start state and the scripted run', () => {
    const env = makeEnv('Acrobot-v1')
    env.reset(42)
    expect([...env.getState()]).toEqual([
      0.05479120835661888, -0.01222431194037199, 0.07171958684921265, 0.039473604410886765,
    ])
    env.setState([0.05, -0.03, 0.02, 0.01])
    for (let i = 0; i < 500; i += 1) {
      env.step(scripted(i, 3))
      const state = env.getState()
      if (i === 0)
        expectClose(
          state,
          [0.06048772467820533, -0.05453998509397796, 0.08185570403465979, -0.24927319984543655],
          'step 1',
        )
      if (i === 19)
        expectClose(state, [0.0945421132036528, -0.138950838034118, 0.6401785122574325, -1.3064722597148386], 'step 20')
    }
    expectClose(
      env.getState(),
      [-0.0626574339437185, 0.0947856992671977, -0.3048614056736617, 0.7652062251085501],
      'step 500',
    )
  })
})

describe.each(ENV_NAMES)('%s', (name) => {
  it('goes on from a saved state as if nothing had happened', () => {
    const env = makeEnv(name)
    env.reset(7)
    for (let i = 0; i < 5; i += 1) env.step(i % 2)
    const saved = env.getState()
    const elapsed = env.elapsedSteps
    const first = [...env.step(1).obs]
    const other = makeEnv(name)
    other.setState(saved, elapsed)
    expect([...other.step(1).obs]).toEqual(first)
    expect(other.elapsedSteps).toBe(elapsed + 1)
  })

  it('starts another episode when reset without a seed, the same one when reset with it', () => {
    const env = makeEnv(name)
    const first = [...env.reset(3)]
    expect([...env.reset()]).not.toEqual(first)
    expect([...env.reset(3)]).toEqual(first)
    expect([...makeEnv(name).reset()]).toEqual([...makeEnv(name).reset(0)])
  })

  it('draws the start states of a fast source from the same box', () => {
    const env = makeEnv(name)
    const source = new Xoshiro128(1)
    const box = START_BOXES[name]!
    const seen = box.map(() => ({ low: Infinity, high: -Infinity }))
    for (let i = 0; i < 500; i += 1) {
      env.resetFrom(source)
      env.getState().forEach((value, k) => {
        seen[k] = { low: Math.min(seen[k]!.low, value), high: Math.max(seen[k]!.high, value) }
      })
    }
    box.forEach(([low, high], k) => {
      const slack = 0.02 * (high - low)
      expect(seen[k]!.low).toBeGreaterThanOrEqual(low)
      expect(seen[k]!.low).toBeLessThanOrEqual(low + slack)
      expect(seen[k]!.high).toBeLessThanOrEqual(high)
      expect(seen[k]!.high).toBeGreaterThanOrEqual(high - slack)
    })
  })

  it('refuses a state of another size and an action that is none', () => {
    const env = makeEnv(name)
    env.reset(0)
    expect(() => env.setState([1, 2, 3, 4, 5])).toThrow(RangeError)
    expect(() => env.step(Number.NaN)).toThrow(RangeError)
  })
})

it('refuses a name that is no environment, inherited ones too', () => {
  expect(() => makeEnv('constructor' as EnvName)).toThrow(RangeError)
})

/** Scores instead of trajectories: EnvPool's bar for its own port, over a hand-written policy. */
import { describe, expect, it } from 'vitest'
import { makeEnv, registerEnv } from '../make-env.ts'
import { LanderWorld, terrainHeights } from './lander-world.ts'
import { LUNAR_LANDER_SPEC, LunarLander, TERRAIN_SIZE, terrainOf } from './lunar-lander.ts'

const clip = (x: number, bound: number): number => Math.min(Math.max(x, -bound), bound)

/** Gymnasium's heuristic as a pair of wishes: how much to turn, and how much to rise. */
function wishes(obs: Float32Array): { readonly turn: number; readonly rise: number } {
  const [x, y, vx, vy, angle, spin, left, right] = obs as unknown as number[]
  if (left === 1 || right === 1) return { turn: 0, rise: -0.5 * vy! }
  const lean = clip(0.5 * x! + vx!, 0.4)
  return { turn: 0.5 * (lean - angle!) - spin!, rise: 0.5 * (0.55 * Math.abs(x!) - y!) - 0.5 * vy! }
}

function discrete(obs: Float32Array): number {
  const { turn, rise } = wishes(obs)
  if (rise > Math.abs(turn) && rise > 0.05) return 2
  return turn < -0.05 ? 3 : turn > 0.05 ? 1 : 0
}

function continuous(obs: Float32Array): number[] {
  const { turn, rise } = wishes(obs)
  return [clip(20 * rise - 1, 1), clip(-20 * turn, 1)]
}

function scores(name: string, act: (obs: Float32Array) => number | number[], episodes: number): number[] {
  const env = makeEnv(name)
  return Array.from({ length: episodes }, (_, seed) => {
    let obs = env.reset(seed)
    for (let total = 0; ;) {
      const step = env.step(act(obs))
      total += step.reward
      obs = step.obs
      if (step.terminated || step.truncated) return total
    }
  })
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

describe('LunarLander', () => {
  it('lets the heuristic land: 220 or more on average over 100 episodes', () => {
    expect(mean(scores('LunarLander-v3', discrete, 100))).toBeGreaterThanOrEqual(220)
  })

  it('lets the continuous heuristic land: 260 or more on average over 100 episodes', () => {
    expect(mean(scores('LunarLanderContinuous-v3', continuous, 100))).toBeGreaterThanOrEqual(260)
  })

  it('crashes who does nothing', () => {
    const idle = scores('LunarLander-v3', () => 0, 20)
    expect(mean(idle)).toBeLessThan(-80)
    expect(idle.filter((score) => score < -100).length).toBeGreaterThanOrEqual(10)
  })

  it('has the masses of the original', () => {
    const { hull, legs } = new LanderWorld(new Float64Array(12), 0, 0)
    expect(hull.getMass()).toBeCloseTo(4.8166667, 6)
    for (const leg of legs) expect(leg.getMass()).toBeCloseTo(0.0711111, 6)
  })

  it('smooths the terrain and keeps the helipad flat', () => {
    const heights = terrainHeights([1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 7])
    expect(heights).toHaveLength(11)
    expect(heights[0]).toBeCloseTo(0.33 * (7 + 1 + 2), 12)
    expect(heights[10]).toBeCloseTo(0.33 * (5 + 6 + 7), 12)
    for (const i of [4, 5, 6]) expect(heights[i]).toBeCloseTo(0.99 * (400 / 30 / 4), 12)
  })

  it('repeats from a seed, dispersion included', () => {
    const [a, b] = [makeEnv('LunarLander-v3'), makeEnv('LunarLander-v3')]
    expect([...a.reset(5)]).toEqual([...b.reset(5)])
    for (let i = 0; i < 60; i += 1) expect([...a.step(i % 4).obs]).toEqual([...b.step(i % 4).obs])
    expect([...a.reset(6)]).not.toEqual([...b.reset(5)])
  })

  it('goes on from a saved state nearly as if nothing had happened', () => {
    const [a, b] = [makeEnv('LunarLander-v3'), makeEnv('LunarLander-v3')]
    a.reset(5)
    for (let i = 0; i < 30; i += 1) a.step(0)
    b.setState(a.getState(), 30)
    for (let i = 0; i < 10; i += 1) {
      const [x, y] = [a.step(0), b.step(0)]
      y.obs.forEach((value, k) => expect(value).toBeCloseTo(x.obs[k]!, 2))
      expect(y.reward).toBeCloseTo(x.reward, 0)
    }
    expect(b.elapsedSteps).toBe(40)
  })

  it('has one terrain for all episodes where it is asked for, and starts as different as ever', () => {
    const env = makeEnv('LunarLander-v3', { terrainSeed: 4 })
    const starts = [env.reset(1), env.reset(), env.reset(2)].map(() => [...env.getState()])
    env.reset(7)
    const other = [...env.getState()]
    for (const state of [...starts, other]) expect(state.slice(0, TERRAIN_SIZE)).toEqual([...terrainOf(4)])
    expect(other.slice(TERRAIN_SIZE)).not.toEqual(starts[2]!.slice(TERRAIN_SIZE))
    expect([...terrainOf(5)]).not.toEqual([...terrainOf(4)])
  })

  it('refuses a config that it has no use for', () => {
    for (const config of [{ terrainSeed: -1 }, { terrainSeed: 1.5 }, { terrainSeed: 'moon' }, { gravity: 3 }])
      expect(() => makeEnv('LunarLander-v3', config)).toThrow(RangeError)
  })

  it('refuses actions of the other kind, and a second environment of its name', () => {
    const one = makeEnv('LunarLander-v3')
    const two = makeEnv('LunarLanderContinuous-v3')
    one.reset(0)
    two.reset(0)
    expect(() => one.step(4)).toThrow(RangeError)
    expect(() => one.step([0, 0])).toThrow(RangeError)
    expect(() => two.step(1)).toThrow(RangeError)
    expect(() => two.step([0, Number.NaN])).toThrow(RangeError)
    expect(() => registerEnv({ ...LUNAR_LANDER_SPEC }, () => new LunarLander())).toThrow(RangeError)
  })
})

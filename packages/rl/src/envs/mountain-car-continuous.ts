/**
 * MountainCarContinuous-v0 in Gymnasium's constants and order of operations. State and observation: position, velocity.
 * Action: a force, clipped to ±1. Reward: -0.1 force², the force as given, unclipped, and 100 at the flag, position 0.45.
 * Actions are float32, as in Gymnasium's action space, and so is the state from the first step on: each operation is rounded as
 * NumPy 2 rounds it.
 */
import { uniform } from '../random/random.ts'
import type { UniformSource } from '../random/random.ts'
import { BaseEnv } from './base-env.ts'
import type { EnvSpec } from './env.ts'
import { TRACK } from './mountain-car.ts'

const POWER = 0.0015
const GRAVITY = 0.0025
const GOAL = 0.45

export const MOUNTAIN_CAR_CONTINUOUS_SPEC: EnvSpec = {
  id: 'MountainCarContinuous-v0',
  maxEpisodeSteps: 999,
  observationSize: 2,
  stateSize: 2,
  action: { kind: 'continuous', bound: 1 },
}

const exactly = (x: number): number => x

export class MountainCarContinuous extends BaseEnv {
  #isThere = false

  constructor() {
    super(MOUNTAIN_CAR_CONTINUOUS_SPEC)
  }

  protected override drawStart(source: UniformSource): void {
    this.state[0] = uniform(source, -0.6, -0.4)
    this.state[1] = 0
  }

  protected override advance(action: number): number {
    if (Number.isNaN(action)) throw new RangeError('MountainCarContinuous-v0: action must be a number, got NaN')
    const { left, right, maxSpeed } = TRACK
    const state = this.state
    const given = Math.fround(action)
    const round = this.#isFloat32() ? Math.fround : exactly
    const pull = GRAVITY * Math.cos(round(3 * state[0]!))
    // A force that was clipped is a Python float there, and what is made of it float64 until it meets the velocity.
    const isClipped = Math.abs(given) > 1
    const change = isClipped
      ? Math.sign(given) * POWER - pull
      : Math.fround(Math.fround(given * Math.fround(POWER)) - Math.fround(pull))
    let velocity = round(state[1]! + round(change))
    velocity = Math.min(Math.max(velocity, round(-maxSpeed)), round(maxSpeed))
    const position = Math.min(Math.max(round(state[0]! + velocity), round(left)), round(right))
    if (position === round(left) && velocity < 0) velocity = 0
    const isThere = position >= round(GOAL) && velocity >= 0
    state[0] = Math.fround(position)
    state[1] = Math.fround(velocity)
    this.#isThere = isThere
    return (isThere ? 100 : 0) - given * given * 0.1
  }

  protected override isTerminal(): boolean {
    return this.#isThere
  }

  /** NumPy computes in float32 from the second step of an episode on, whose state is float32. */
  #isFloat32(): boolean {
    return Math.fround(this.state[0]!) === this.state[0] && Math.fround(this.state[1]!) === this.state[1]
  }

  protected override observe(): void {
    this.obs[0] = this.state[0]!
    this.obs[1] = this.state[1]!
  }
}

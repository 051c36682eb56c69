/**
 * MountainCar-v0 in Gymnasium's constants and order of operations (A. W. Moore, "Efficient memory-based learning for robot
 * control", 1990). State and observation: position (-1.2 .. 0.6), velocity (±0.07). Actions: 0 left, 1 coast, 2 right.
 * Reward: -1 a step; ends at the flag, position 0.5, moving right or standing.
 */
import { uniform } from '../random/random.ts'
import type { UniformSource } from '../random/random.ts'
import { BaseEnv } from './base-env.ts'
import type { EnvSpec } from './env.ts'

const FORCE = 0.001
const GRAVITY = 0.0025
const GOAL = 0.5

/** Of both mountain cars. */
export const TRACK = { left: -1.2, right: 0.6, maxSpeed: 0.07 } as const

export const MOUNTAIN_CAR_SPEC: EnvSpec = {
  id: 'MountainCar-v0',
  maxEpisodeSteps: 200,
  observationSize: 2,
  stateSize: 2,
  action: { kind: 'discrete', n: 3 },
}

export class MountainCar extends BaseEnv {
  constructor() {
    super(MOUNTAIN_CAR_SPEC)
  }

  protected override drawStart(source: UniformSource): void {
    this.state[0] = uniform(source, -0.6, -0.4)
    this.state[1] = 0
  }

  protected override advance(action: number): number {
    if (action !== 0 && action !== 1 && action !== 2) {
      throw new RangeError(`MountainCar-v0: action must be 0, 1 or 2, got ${action}`)
    }
    const { left, right, maxSpeed } = TRACK
    const state = this.state
    let velocity = state[1]! + ((action - 1) * FORCE + Math.cos(3 * state[0]!) * -GRAVITY)
    velocity = Math.min(Math.max(velocity, -maxSpeed), maxSpeed)
    const position = Math.min(Math.max(state[0]! + velocity, left), right)
    if (position === left && velocity < 0) velocity = 0
    state[0] = position
    state[1] = velocity
    return -1
  }

  protected override isTerminal(): boolean {
    return this.state[0]! >= GOAL && this.state[1]! >= 0
  }

  protected override observe(): void {
    this.obs[0] = this.state[0]!
    this.obs[1] = this.state[1]!
  }
}

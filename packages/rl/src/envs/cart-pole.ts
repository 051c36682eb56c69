/**
 * CartPole-v1: A. Barto, R. Sutton and C. Anderson, "Neuronlike adaptive elements that can solve difficult learning
 * control problems" (1983), in Gymnasium's constants and order of operations, so that trajectories agree bit by bit.
 * State and observation: cart position (m), velocity, pole angle (rad), angular velocity. Actions: 0 left, 1 right.
 */
import { uniform } from '../random/random.ts'
import type { UniformSource } from '../random/random.ts'
import { BaseEnv } from './base-env.ts'
import type { EnvSpec } from './env.ts'

const GRAVITY = 9.8
const POLE_MASS = 0.1
const TOTAL_MASS = POLE_MASS + 1
const HALF_LENGTH = 0.5
const POLE_MASS_LENGTH = POLE_MASS * HALF_LENGTH
const FORCE = 10
const TAU_S = 0.02
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360
const POSITION_LIMIT = 2.4

export const CART_POLE_SPEC: EnvSpec = {
  id: 'CartPole-v1',
  maxEpisodeSteps: 500,
  observationSize: 4,
  stateSize: 4,
  action: { kind: 'discrete', n: 2 },
}

export class CartPole extends BaseEnv {
  constructor() {
    super(CART_POLE_SPEC)
  }

  protected override drawStart(source: UniformSource): void {
    for (let i = 0; i < 4; i += 1) this.state[i] = uniform(source, -0.05, 0.05)
  }

  protected override advance(action: number): number {
    if (action !== 0 && action !== 1) throw new RangeError(`CartPole-v1: action must be 0 or 1, got ${action}`)
    const state = this.state
    const position = state[0]!
    const velocity = state[1]!
    const angle = state[2]!
    const angularVelocity = state[3]!
    const force = action === 1 ? FORCE : -FORCE
    const cos = Math.cos(angle)
    const sin = Math.sin(angle)
    const shared = (force + POLE_MASS_LENGTH * (angularVelocity * angularVelocity) * sin) / TOTAL_MASS
    const angularAcceleration =
      (GRAVITY * sin - cos * shared) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * (cos * cos)) / TOTAL_MASS))
    const acceleration = shared - (POLE_MASS_LENGTH * angularAcceleration * cos) / TOTAL_MASS
    state[0] = position + TAU_S * velocity
    state[1] = velocity + TAU_S * acceleration
    state[2] = angle + TAU_S * angularVelocity
    state[3] = angularVelocity + TAU_S * angularAcceleration
    return 1
  }

  protected override isTerminal(): boolean {
    return Math.abs(this.state[0]!) > POSITION_LIMIT || Math.abs(this.state[2]!) > ANGLE_LIMIT
  }

  protected override observe(): void {
    const { obs, state } = this
    obs[0] = state[0]!
    obs[1] = state[1]!
    obs[2] = state[2]!
    obs[3] = state[3]!
  }
}

/**
 * Pendulum-v1 in Gymnasium's constants and order of operations.
 * State: angle from upright (rad, unbounded), angular velocity (±8). Observation: cos, sin, angular velocity.
 * Action: a torque, clipped to ±2. Reward: minus (angle² + 0.1 velocity² + 0.001 torque²), from the state before the step.
 */
import { uniform } from '../random/random.ts'
import type { UniformSource } from '../random/random.ts'
import { BaseEnv } from './base-env.ts'
import type { EnvSpec } from './env.ts'

const GRAVITY = 10
const MASS = 1
const LENGTH = 1
const DT_S = 0.05
const MAX_TORQUE = 2
const MAX_SPEED = 8

export const PENDULUM_SPEC: EnvSpec = {
  id: 'Pendulum-v1',
  maxEpisodeSteps: 200,
  observationSize: 3,
  stateSize: 2,
  action: { kind: 'continuous', bound: MAX_TORQUE },
}

/** x in [-π, π). Python's modulo, whose result has the divisor's sign. */
function normalizeAngle(x: number): number {
  const period = 2 * Math.PI
  let remainder = (x + Math.PI) % period
  if (remainder < 0) remainder += period
  return remainder - Math.PI
}

export class Pendulum extends BaseEnv {
  constructor() {
    super(PENDULUM_SPEC)
  }

  protected override drawStart(source: UniformSource): void {
    this.state[0] = uniform(source, -Math.PI, Math.PI)
    this.state[1] = uniform(source, -1, 1)
  }

  protected override advance(action: number): number {
    if (Number.isNaN(action)) throw new RangeError('Pendulum-v1: action must be a number, got NaN')
    const angle = this.state[0]!
    const speed = this.state[1]!
    const torque = Math.min(Math.max(action, -MAX_TORQUE), MAX_TORQUE)
    const normalized = normalizeAngle(angle)
    const cost = normalized * normalized + 0.1 * (speed * speed) + 0.001 * (torque * torque)
    const nextSpeed =
      speed + (((3 * GRAVITY) / (2 * LENGTH)) * Math.sin(angle) + (3 / (MASS * LENGTH ** 2)) * torque) * DT_S
    const clipped = Math.min(Math.max(nextSpeed, -MAX_SPEED), MAX_SPEED)
    this.state[0] = angle + clipped * DT_S
    this.state[1] = clipped
    return -cost
  }

  protected override isTerminal(): boolean {
    return false
  }

  protected override observe(): void {
    const angle = this.state[0]!
    this.obs[0] = Math.cos(angle)
    this.obs[1] = Math.sin(angle)
    this.obs[2] = this.state[1]!
  }
}

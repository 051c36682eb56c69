/**
 * Acrobot-v1 with the dynamics of Sutton and Barto's book (R. S. Sutton, "Generalization in reinforcement learning", 1996), in
 * Gymnasium's constants and order of operations. State: two angles (rad, 0 hangs down, the second relative to the first), their
 * velocities (±4π, ±9π). Observation: cos and sin of each, velocities. Actions: torque -1, 0 or 1 on the joint between
 * the links, as 0, 1, 2. Reward: -1 a step, 0 on the one that ends it, when the tip is a link above the base.
 */
import { uniform } from '../random/random.ts'
import type { UniformSource } from '../random/random.ts'
import { BaseEnv } from './base-env.ts'
import type { EnvSpec } from './env.ts'

// Masses, lengths and moments of both links are 1, centres of mass lie half way; a product with 1 is left out, which changes no bit.
const CENTRE = 0.5
const GRAVITY = 9.8
const DT_S = 0.2
const MAX_SPEED_1 = 4 * Math.PI
const MAX_SPEED_2 = 9 * Math.PI

export const ACROBOT_SPEC: EnvSpec = {
  id: 'Acrobot-v1',
  maxEpisodeSteps: 500,
  observationSize: 6,
  stateSize: 4,
  action: { kind: 'discrete', n: 3 },
}

export class Acrobot extends BaseEnv {
  readonly #at = new Float64Array(4)
  readonly #slopes = [new Float64Array(4), new Float64Array(4), new Float64Array(4), new Float64Array(4)] as const

  constructor() {
    super(ACROBOT_SPEC)
  }

  protected override drawStart(source: UniformSource): void {
    for (let i = 0; i < 4; i += 1) this.state[i] = Math.fround(uniform(source, -0.1, 0.1))
  }

  protected override advance(action: number): number {
    if (action !== 0 && action !== 1 && action !== 2) {
      throw new RangeError(`Acrobot-v1: action must be 0, 1 or 2, got ${action}`)
    }
    this.#rungeKutta(action - 1)
    const state = this.state
    state[0] = wrap(state[0]!)
    state[1] = wrap(state[1]!)
    state[2] = Math.min(Math.max(state[2]!, -MAX_SPEED_1), MAX_SPEED_1)
    state[3] = Math.min(Math.max(state[3]!, -MAX_SPEED_2), MAX_SPEED_2)
    return this.isTerminal() ? 0 : -1
  }

  protected override isTerminal(): boolean {
    const [angle1, angle2] = this.state
    return -Math.cos(angle1!) - Math.cos(angle2! + angle1!) > 1
  }

  protected override observe(): void {
    const { obs, state } = this
    obs[0] = Math.cos(state[0]!)
    obs[1] = Math.sin(state[0]!)
    obs[2] = Math.cos(state[1]!)
    obs[3] = Math.sin(state[1]!)
    obs[4] = state[2]!
    obs[5] = state[3]!
  }

  /** One step of the classical fourth-order method over DT_S. */
  #rungeKutta(torque: number): void {
    const { state } = this
    const at = this.#at
    const [k1, k2, k3, k4] = this.#slopes
    const half = DT_S / 2
    slope(state, torque, k1)
    for (let i = 0; i < 4; i += 1) at[i] = state[i]! + half * k1[i]!
    slope(at, torque, k2)
    for (let i = 0; i < 4; i += 1) at[i] = state[i]! + half * k2[i]!
    slope(at, torque, k3)
    for (let i = 0; i < 4; i += 1) at[i] = state[i]! + DT_S * k3[i]!
    slope(at, torque, k4)
    for (let i = 0; i < 4; i += 1) state[i]! += (DT_S / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!)
  }
}

/** The derivative of (angle 1, angle 2, speed 1, speed 2) under a torque. */
function slope(state: Float64Array, torque: number, target: Float64Array): void {
  const angle1 = state[0]!
  const angle2 = state[1]!
  const speed1 = state[2]!
  const speed2 = state[3]!
  const cos2 = Math.cos(angle2)
  const sin2 = Math.sin(angle2)
  const d1 = CENTRE ** 2 + (1 + CENTRE ** 2 + 2 * CENTRE * cos2) + 1 + 1
  const d2 = CENTRE ** 2 + CENTRE * cos2 + 1
  const phi2 = CENTRE * GRAVITY * Math.cos(angle1 + angle2 - Math.PI / 2)
  const phi1 =
    -CENTRE * speed2 ** 2 * sin2 -
    2 * CENTRE * speed2 * speed1 * sin2 +
    (CENTRE + 1) * GRAVITY * Math.cos(angle1 - Math.PI / 2) +
    phi2
  const acceleration2 =
    (torque + (d2 / d1) * phi1 - CENTRE * speed1 ** 2 * sin2 - phi2) / (CENTRE ** 2 + 1 - d2 ** 2 / d1)
  target[0] = speed1
  target[1] = speed2
  target[2] = -(d2 * acceleration2 + phi1) / d1
  target[3] = acceleration2
}

/** In [-π, π]. */
function wrap(angle: number): number {
  let wrapped = angle
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI
  return wrapped
}

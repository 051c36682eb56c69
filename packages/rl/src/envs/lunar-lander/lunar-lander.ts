/**
 * LunarLander-v3 and LunarLanderContinuous-v3 after Gymnasium, on planck. The physics is Box2D's but not bit for bit, so
 * that it agrees with Gymnasium in how policies score, not in trajectories.
 *
 * Observation: x, y (from the helipad, in half screens), their velocities, angle, angular velocity, leg contacts (0 or 1).
 * Actions: 0 none, 1 left engine, 2 main engine, 3 right engine; continuous: main (off at 0 or less, then half to full
 * power) and side (off within ±0.5). Reward: the change of a potential of position, speed, tilt and legs, minus fuel; -100 on
 * a crash or off the screen, 100 at rest. State, for drawing and for `setState`: terrain (12 random heights), then x, y, angle,
 * vx, vy, angular velocity of hull, left leg and right leg. A state that was set lacks what the solver remembers of
 * contacts and which legs touched: what follows is close to what would have followed, not equal.
 *
 * Config: `terrainSeed`, for one terrain in all episodes, drawn from this number; without it each has its own.
 */
import { uniform } from '../../random/random.ts'
import type { UniformSource } from '../../random/random.ts'
import { mixSeeds, Xoshiro128 } from '../../random/xoshiro128.ts'
import { BaseEnv } from '../base-env.ts'
import type { EnvConfig, EnvSpec } from '../env.ts'
import { registerEnv } from '../make-env.ts'
import {
  HEIGHT,
  HELIPAD_Y,
  LanderWorld,
  LEG_DOWN,
  SCALE,
  STEPS_PER_SECOND,
  TERRAIN_SIZE,
  WIDTH,
} from './lander-world.ts'

/** For drawing. */
export {
  HEIGHT,
  HELIPAD_Y,
  LEG_DOWN,
  SCALE,
  STEPS_PER_SECOND,
  TERRAIN_SIZE,
  terrainCorners,
  WIDTH,
} from './lander-world.ts'

const MAIN_POWER = 13
const SIDE_POWER = 0.6
const MAIN_DOWN = 4 / SCALE
const SIDE_AWAY = 12 / SCALE
const SIDE_HEIGHT = 14 / SCALE
/** The left engine's height, by a slip of the original that policies have learned to live with. */
const SIDE_TIP = 17 / SCALE
const START_PUSH = 1000

const SHARED = { maxEpisodeSteps: 1000, observationSize: 8, stateSize: TERRAIN_SIZE + 18 } as const
export const LUNAR_LANDER_SPEC: EnvSpec = { id: 'LunarLander-v3', ...SHARED, action: { kind: 'discrete', n: 4 } }
export const LUNAR_LANDER_CONTINUOUS_SPEC: EnvSpec = {
  id: 'LunarLanderContinuous-v3',
  ...SHARED,
  action: { kind: 'continuous', bound: 1, size: 2 },
}

export class LunarLander extends BaseEnv {
  #world = new LanderWorld(new Float64Array(TERRAIN_SIZE), 0, 0)
  #shaping: number | undefined
  #isTerminal = false

  readonly #terrain: Float64Array | undefined

  /** @throws RangeError for a config that is none. */
  constructor(spec: EnvSpec = LUNAR_LANDER_SPEC, config: EnvConfig = {}) {
    super(spec)
    this.#terrain = terrainIn(spec, config)
  }

  override setState(state: ArrayLike<number>, elapsedSteps = 0): void {
    super.setState(state, elapsedSteps)
    this.#world = new LanderWorld(this.state.subarray(0, TERRAIN_SIZE), 0, 0)
    this.#bodies().forEach((body, i) => {
      const at = TERRAIN_SIZE + 6 * i
      body.setTransform({ x: state[at]!, y: state[at + 1]! }, state[at + 2]!)
      body.setLinearVelocity({ x: state[at + 3]!, y: state[at + 4]! })
      body.setAngularVelocity(state[at + 5]!)
    })
    this.#isTerminal = false
    this.observe()
    this.#shaping = this.#potential()
  }

  protected override drawStart(source: UniformSource): void {
    if (this.#terrain === undefined) drawTerrain(source, this.state)
    else this.state.set(this.#terrain)
    const pushX = uniform(source, -START_PUSH, START_PUSH)
    const pushY = uniform(source, -START_PUSH, START_PUSH)
    this.#world = new LanderWorld(this.state.subarray(0, TERRAIN_SIZE), pushX, pushY)
    this.#shaping = undefined
    this.#isTerminal = false
    this.#move(0, 0)
  }

  protected override advance(action: number): number {
    if (this.spec.action.kind === 'continuous') {
      throw new RangeError(`${this.spec.id}: an action is two numbers, got ${action}`)
    }
    if (action !== 0 && action !== 1 && action !== 2 && action !== 3) {
      throw new RangeError(`${this.spec.id}: action must be 0, 1, 2 or 3, got ${action}`)
    }
    return this.#move(action === 2 ? 1 : 0, action === 1 || action === 3 ? action - 2 : 0)
  }

  protected override advanceBy(action: ArrayLike<number>): number {
    if (this.spec.action.kind === 'discrete') return super.advanceBy(action)
    if (action.length !== 2 || Number.isNaN(action[0]) || Number.isNaN(action[1])) {
      throw new RangeError(`${this.spec.id}: an action is two numbers, got [${Array.from(action).join(', ')}]`)
    }
    const main = Math.min(Math.max(action[0]!, -1), 1)
    const side = Math.min(Math.max(action[1]!, -1), 1)
    return this.#move(main > 0 ? (main + 1) / 2 : 0, Math.abs(side) > 0.5 ? side : 0)
  }

  /** Fires the engines, main 0 .. 1 and side -1 .. 1 (left, right), and lets one step pass. */
  #move(main: number, side: number): number {
    const { hull } = this.#world
    const tipX = Math.sin(hull.getAngle())
    const tipY = Math.cos(hull.getAngle())
    const [sideX, sideY] = [-tipY, tipX]
    const along = uniform(this.source, -1, 1) / SCALE
    const across = uniform(this.source, -1, 1) / SCALE
    const { x, y } = hull.getPosition()
    if (main > 0) {
      const offX = tipX * (MAIN_DOWN + 2 * along) + sideX * across
      const offY = -tipY * (MAIN_DOWN + 2 * along) - sideY * across
      const power = MAIN_POWER * main
      hull.applyLinearImpulse({ x: -offX * power, y: -offY * power }, { x: x + offX, y: y + offY }, true)
    }
    if (side !== 0) {
      const out = 3 * across + Math.sign(side) * SIDE_AWAY
      const offX = tipX * along + sideX * out
      const offY = -tipY * along - sideY * out
      const power = SIDE_POWER * Math.abs(side)
      const at = { x: x + offX - tipX * SIDE_TIP, y: y + offY + tipY * SIDE_HEIGHT }
      hull.applyLinearImpulse({ x: -offX * power, y: -offY * power }, at, true)
    }
    this.#world.step()
    this.#readState()
    this.observe()
    return this.#reward(main, Math.abs(side))
  }

  #reward(main: number, side: number): number {
    const shaping = this.#potential()
    const reward = this.#shaping === undefined ? 0 : shaping - this.#shaping
    this.#shaping = shaping
    const isOut = Math.abs(this.#relativeX()) >= 1
    this.#isTerminal = this.#world.hasCrashed || isOut || !this.#world.hull.isAwake()
    if (!this.#world.hull.isAwake()) return 100
    return this.#world.hasCrashed || isOut ? -100 : reward - 0.3 * main - 0.03 * side
  }

  #potential(): number {
    const { hull, isLegDown } = this.#world
    const { x: velocityX, y: velocityY } = hull.getLinearVelocity()
    return (
      -100 * Math.hypot(this.#relativeX(), this.#relativeY()) -
      100 * Math.hypot(scaledX(velocityX), scaledY(velocityY)) -
      100 * Math.abs(hull.getAngle()) +
      10 * Number(isLegDown[0]) +
      10 * Number(isLegDown[1])
    )
  }

  #relativeX(): number {
    return (this.#world.hull.getPosition().x - WIDTH / 2) / (WIDTH / 2)
  }

  #relativeY(): number {
    return (this.#world.hull.getPosition().y - (HELIPAD_Y + LEG_DOWN)) / (HEIGHT / 2)
  }

  #bodies(): readonly LanderWorld['hull'][] {
    return [this.#world.hull, ...this.#world.legs]
  }

  #readState(): void {
    this.#bodies().forEach((body, i) => {
      const { x, y } = body.getPosition()
      const velocity = body.getLinearVelocity()
      this.state.set([x, y, body.getAngle(), velocity.x, velocity.y, body.getAngularVelocity()], TERRAIN_SIZE + 6 * i)
    })
  }

  protected override isTerminal(): boolean {
    return this.#isTerminal
  }

  protected override observe(): void {
    const { hull, isLegDown } = this.#world
    const velocity = hull.getLinearVelocity()
    this.obs[0] = this.#relativeX()
    this.obs[1] = this.#relativeY()
    this.obs[2] = scaledX(velocity.x)
    this.obs[3] = scaledY(velocity.y)
    this.obs[4] = hull.getAngle()
    this.obs[5] = (20 * hull.getAngularVelocity()) / STEPS_PER_SECOND
    this.obs[6] = Number(isLegDown[0])
    this.obs[7] = Number(isLegDown[1])
  }
}

function drawTerrain(source: UniformSource, target: Float64Array): void {
  for (let i = 0; i < TERRAIN_SIZE; i += 1) target[i] = uniform(source, 0, HEIGHT / 2)
}

/** The random heights of a `terrainSeed`. */
export function terrainOf(terrainSeed: number): Float64Array {
  const terrain = new Float64Array(TERRAIN_SIZE)
  drawTerrain(new Xoshiro128(mixSeeds(terrainSeed)), terrain)
  return terrain
}

function terrainIn(spec: EnvSpec, { terrainSeed, ...rest }: EnvConfig): Float64Array | undefined {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new RangeError(`${spec.id}: no config is called '${unknown}'`)
  if (terrainSeed === undefined) return undefined
  if (typeof terrainSeed !== 'number' || !Number.isSafeInteger(terrainSeed) || terrainSeed < 0) {
    throw new RangeError(`${spec.id}: terrainSeed must be a whole number of 0 or more, got ${terrainSeed}`)
  }
  return terrainOf(terrainSeed)
}

function scaledX(velocity: number): number {
  return (velocity * (WIDTH / 2)) / STEPS_PER_SECOND
}

function scaledY(velocity: number): number {
  return (velocity * (HEIGHT / 2)) / STEPS_PER_SECOND
}

registerEnv(LUNAR_LANDER_SPEC, (config) => new LunarLander(LUNAR_LANDER_SPEC, config))
registerEnv(LUNAR_LANDER_CONTINUOUS_SPEC, (config) => new LunarLander(LUNAR_LANDER_CONTINUOUS_SPEC, config))

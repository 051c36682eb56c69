import { Acrobot, ACROBOT_SPEC } from './acrobot.ts'
import { CART_POLE_SPEC, CartPole } from './cart-pole.ts'
import type { Env, EnvConfig, EnvSpec } from './env.ts'
import { CLIFF_WALKING, FROZEN_LAKE, FROZEN_LAKE_8X8 } from './grid/grid-worlds.ts'
import { GridEnv } from './grid/grid-env.ts'
import { MOUNTAIN_CAR_CONTINUOUS_SPEC, MountainCarContinuous } from './mountain-car-continuous.ts'
import { MOUNTAIN_CAR_SPEC, MountainCar } from './mountain-car.ts'
import { Pendulum, PENDULUM_SPEC } from './pendulum.ts'

/** Always there, everywhere. */
export type BuiltInEnvName =
  | 'CartPole-v1'
  | 'Pendulum-v1'
  | 'MountainCar-v0'
  | 'MountainCarContinuous-v0'
  | 'Acrobot-v1'
  | 'FrozenLake-v1'
  | 'FrozenLake8x8-v1'
  | 'CliffWalking-v1'

/** One of those, or what `registerEnv` was given wherever the environment is to run. */
export type EnvName = BuiltInEnvName | (string & Record<never, never>)

interface Entry {
  readonly spec: EnvSpec
  readonly make: (config: EnvConfig) => Env
}

const ENVS = new Map<string, Entry>([
  ['CartPole-v1', { spec: CART_POLE_SPEC, make: () => new CartPole() }],
  ['Pendulum-v1', { spec: PENDULUM_SPEC, make: () => new Pendulum() }],
  ['MountainCar-v0', { spec: MOUNTAIN_CAR_SPEC, make: () => new MountainCar() }],
  ['MountainCarContinuous-v0', { spec: MOUNTAIN_CAR_CONTINUOUS_SPEC, make: () => new MountainCarContinuous() }],
  ['Acrobot-v1', { spec: ACROBOT_SPEC, make: () => new Acrobot() }],
  ['FrozenLake-v1', { spec: FROZEN_LAKE.spec, make: () => new GridEnv(FROZEN_LAKE) }],
  ['FrozenLake8x8-v1', { spec: FROZEN_LAKE_8X8.spec, make: () => new GridEnv(FROZEN_LAKE_8X8) }],
  ['CliffWalking-v1', { spec: CLIFF_WALKING.spec, make: () => new GridEnv(CLIFF_WALKING) }],
])

/**
 * Adds an environment under `spec.id`, as RLlib's `register_env`. A task looks the name up where it runs, so a remote
 * module has to import the file that registers. `make` is given the config that goes with the name, {} where there is none.
 * @throws RangeError when the name is taken by another one.
 */
export function registerEnv(spec: EnvSpec, make: (config: EnvConfig) => Env): void {
  const there = ENVS.get(spec.id)
  if (there !== undefined && there.spec !== spec) throw new RangeError(`there is an environment '${spec.id}' already`)
  ENVS.set(spec.id, { spec, make })
}

function lookUp(name: EnvName): Entry {
  const entry = ENVS.get(name)
  if (entry === undefined) {
    throw new RangeError(`no environment named '${name}' here; there are ${[...ENVS.keys()].join(', ')}`)
  }
  return entry
}

/** @throws RangeError for a name that is not there; what the environment throws for a config it has no use for. */
export function makeEnv(name: EnvName, config: EnvConfig = {}): Env {
  return lookUp(name).make(config)
}

/** @throws RangeError for a name that is not there. */
export function envSpec(name: EnvName): EnvSpec {
  return lookUp(name).spec
}

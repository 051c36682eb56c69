import { CART_POLE_SPEC, CartPole } from './cart-pole.ts'
import type { Env, EnvSpec } from './env.ts'
import { Pendulum, PENDULUM_SPEC } from './pendulum.ts'

export type EnvName = 'CartPole-v1' | 'Pendulum-v1'

const ENVS: { readonly [Name in EnvName]: { readonly spec: EnvSpec; readonly make: () => Env } } = {
  'CartPole-v1': { spec: CART_POLE_SPEC, make: () => new CartPole() },
  'Pendulum-v1': { spec: PENDULUM_SPEC, make: () => new Pendulum() },
}

function lookUp(name: EnvName): { readonly spec: EnvSpec; readonly make: () => Env } {
  // The name may come from a peer: own keys only, so that 'constructor' is no environment.
  if (!Object.hasOwn(ENVS, name))
    throw new RangeError(`no environment named '${name}'; there are ${Object.keys(ENVS).join(', ')}`)
  return ENVS[name]
}

/** @throws RangeError for a name that is not there. */
export function makeEnv(name: EnvName): Env {
  return lookUp(name).make()
}

/** @throws RangeError for a name that is not there. */
export function envSpec(name: EnvName): EnvSpec {
  return lookUp(name).spec
}

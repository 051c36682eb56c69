/** RLlib's RLModule as data: which environment, and the networks that stand for it. It travels with every runner. */
import type { EnvConfig } from '../envs/env.ts'
import type { EnvName } from '../envs/make-env.ts'
import { envSpec } from '../envs/make-env.ts'
import { actionHead } from '../nn/action-head.ts'
import type { Activation } from '../nn/batch-mlp.ts'
import type { ObservationConnector } from './connectors.ts'

export interface ModuleSpec {
  readonly env: EnvName
  /** Of each environment that is played. Default: none. */
  readonly envConfig?: EnvConfig
  /** Hidden layer sizes, the same for each network of the module. */
  readonly hidden: readonly number[]
  readonly activation: Activation
  readonly observation: readonly ObservationConnector[]
}

/** Layer sizes of the network that acts. @throws RangeError for an unknown environment. */
export function actorSizes(module: ModuleSpec): number[] {
  const spec = envSpec(module.env)
  return [spec.observationSize, ...module.hidden, actionHead(spec.action).outputSize]
}

/** Layer sizes of the network that says what a state is worth. */
export function criticSizes(module: ModuleSpec): number[] {
  return [envSpec(module.env).observationSize, ...module.hidden, 1]
}

/**
 * An MLP as a policy for an environment: scales observations, turns outputs into an action. Discrete actions are the
 * largest output (the lower one on a tie), continuous ones bound x tanh(output): a clipped linear output got stuck at about
 * -800 on Pendulum, because beyond the clip no perturbation changes the return.
 */
import type { EnvSpec } from './envs/env.ts'
import type { EnvName } from './envs/make-env.ts'
import { envSpec } from './envs/make-env.ts'
import { Mlp } from './mlp.ts'
import type { Parameters } from './mlp.ts'

/** A policy's shape, as data: it travels with every task. */
export interface PolicySpec {
  readonly env: EnvName
  /** Hidden layer sizes; none is a linear policy. */
  readonly hidden: readonly number[]
  /** Factor for each observation, so that all are about one in size. */
  readonly observationScale: readonly number[]
}

/** Layer sizes, input and output included. @throws RangeError for an unknown environment. */
export function policySizes(policy: PolicySpec): number[] {
  const spec = envSpec(policy.env)
  return [spec.observationSize, ...policy.hidden, spec.action.kind === 'discrete' ? spec.action.n : 1]
}

export class Policy {
  readonly parameterCount: number
  readonly #mlp: Mlp
  readonly #scale: Float64Array
  readonly #input: Float64Array
  readonly #action: EnvSpec['action']

  /** @throws RangeError when the scale has another size than the observation, or a layer no size. */
  constructor(policy: PolicySpec) {
    const spec = envSpec(policy.env)
    if (policy.observationScale.length !== spec.observationSize) {
      throw new RangeError(`${spec.id}: observationScale needs ${spec.observationSize} numbers`)
    }
    this.#mlp = new Mlp(policySizes(policy))
    this.parameterCount = this.#mlp.parameterCount
    this.#scale = Float64Array.from(policy.observationScale)
    this.#input = new Float64Array(spec.observationSize)
    this.#action = spec.action
  }

  act(parameters: Parameters, obs: Float32Array): number {
    const input = this.#input
    for (let i = 0; i < input.length; i += 1) input[i] = obs[i]! * this.#scale[i]!
    const output = this.#mlp.forward(parameters, input)
    if (this.#action.kind === 'continuous') return this.#action.bound * Math.tanh(output[0]!)
    let best = 0
    for (let i = 1; i < output.length; i += 1) if (output[i]! > output[best]!) best = i
    return best
  }
}

import type { UniformSource } from '../random/random.ts'

/** What an environment is, as data. */
export interface EnvSpec {
  readonly id: string
  /** TimeLimit: the step with this number truncates. */
  readonly maxEpisodeSteps: number
  readonly observationSize: number
  readonly stateSize: number
  readonly action: ActionSpec
}

/** Discrete actions are 0 .. n-1; continuous ones are `size` numbers (default 1), clipped to ±bound by the environment. */
export type ActionSpec =
  | { readonly kind: 'discrete'; readonly n: number }
  | { readonly kind: 'continuous'; readonly bound: number; readonly size?: number }

/** What one environment is made with beyond its name, as Gymnasium's keyword arguments and RLlib's `env_config`: it travels. */
export type EnvConfig = Readonly<Record<string, number | string | boolean>>

/** A number, or as many as a continuous action of the environment has. */
export type Action = number | ArrayLike<number>

/** `terminated`: the MDP ended. `truncated`: the step limit was reached; bootstrap there. Both can hold at once. */
export interface StepResult<Obs> {
  readonly obs: Obs
  readonly reward: number
  readonly terminated: boolean
  readonly truncated: boolean
}

/**
 * Gymnasium's Env with its TimeLimit wrapper. State is float64, observations are float32, as there.
 * The hot loop allocates nothing: `reset` and `step` lend the same observation and result objects each time, valid until
 * the next call; copy what you keep.
 */
export interface Env<Obs extends Float32Array = Float32Array> {
  readonly spec: EnvSpec
  /** Steps since the last reset or setState. */
  readonly elapsedSteps: number
  /**
   * Starts an episode. A seed (integer, 0 .. 2^53-1) gives Gymnasium's start state for it and restarts the stream;
   * without one the stream goes on, and a stream that was never seeded starts as for seed 0.
   */
  reset(seed?: number): Obs
  /** Starts an episode from another source of the same distribution: fast generators for rollouts. */
  resetFrom(source: UniformSource): Obs
  /** @throws RangeError for an action outside the action space (continuous ones are clipped, NaN is refused). */
  step(action: Action): StepResult<Obs>
  /** A copy of the physical state. */
  getState(): Float64Array
  /** Copies the physical state into `target` at `offset`: `getState` without the allocation. */
  copyState(target: Float32Array | Float64Array, offset: number): void
  /** Replaces the physical state; `elapsedSteps` counts on from the number given (default 0). */
  setState(state: ArrayLike<number>, elapsedSteps?: number): void
}

/**
 * What every environment shares: the seeded stream, the TimeLimit, the lent observation and result.
 * It does not know any dynamics: a subclass draws a start state, moves `state` by one step and reads observations off it.
 */
import { Pcg64 } from '../random/pcg64.ts'
import type { UniformSource } from '../random/random.ts'
import type { Action, Env, EnvSpec, StepResult } from './env.ts'

export abstract class BaseEnv implements Env {
  readonly spec: EnvSpec
  protected readonly state: Float64Array
  protected readonly obs: Float32Array
  readonly #result: { obs: Float32Array; reward: number; terminated: boolean; truncated: boolean }
  #random: Pcg64 | undefined
  #source: UniformSource | undefined
  #elapsedSteps = 0

  constructor(spec: EnvSpec) {
    this.spec = spec
    this.state = new Float64Array(spec.stateSize)
    this.obs = new Float32Array(spec.observationSize)
    this.#result = { obs: this.obs, reward: 0, terminated: false, truncated: false }
  }

  get elapsedSteps(): number {
    return this.#elapsedSteps
  }

  reset(seed?: number): Float32Array {
    if (seed !== undefined || this.#random === undefined) this.#random = new Pcg64(seed ?? 0)
    return this.resetFrom(this.#random)
  }

  resetFrom(source: UniformSource): Float32Array {
    this.#source = source
    this.drawStart(source)
    this.#elapsedSteps = 0
    this.observe()
    return this.obs
  }

  step(action: Action): StepResult<Float32Array> {
    const result = this.#result
    result.reward = typeof action === 'number' ? this.advance(action) : this.advanceBy(action)
    this.#elapsedSteps += 1
    result.terminated = this.isTerminal()
    result.truncated = this.#elapsedSteps >= this.spec.maxEpisodeSteps
    this.observe()
    return result
  }

  getState(): Float64Array {
    return this.state.slice()
  }

  copyState(target: Float32Array | Float64Array, offset: number): void {
    for (let i = 0; i < this.state.length; i += 1) target[offset + i] = this.state[i] ?? 0
  }

  setState(state: ArrayLike<number>, elapsedSteps = 0): void {
    if (state.length !== this.spec.stateSize) {
      throw new RangeError(`${this.spec.id}: a state has ${this.spec.stateSize} numbers, got ${state.length}`)
    }
    this.state.set(state)
    this.#elapsedSteps = elapsedSteps
    this.observe()
  }

  /** Where chance within an episode comes from: what started it, so that a seed gives all of it. */
  protected get source(): UniformSource {
    this.#source ??= this.#random ??= new Pcg64(0)
    return this.#source
  }

  /** For actions of several numbers; most environments take one. */
  protected advanceBy(action: ArrayLike<number>): number {
    if (action.length !== 1) throw new RangeError(`${this.spec.id}: an action is one number, got ${action.length}`)
    return this.advance(action[0]!)
  }

  protected abstract drawStart(source: UniformSource): void
  /** Moves the state by one step; returns the reward. */
  protected abstract advance(action: number): number
  protected abstract isTerminal(): boolean
  protected abstract observe(): void
}

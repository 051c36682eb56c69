/**
 * AlphaZero's Learner: keeps the positions of the last games and learns from minibatches of them. As an actor it is where the
 * games of all tabs meet. Deterministic given its seed and the games in their order.
 */
import { initialParameters } from '../mlp.ts'
import { adamStep, createAdam } from '../nn/adam.ts'
import type { AdamState } from '../nn/adam.ts'
import { mixSeeds, Xoshiro128 } from '../random/xoshiro128.ts'
import type { AlphaZeroSettings } from './alpha-zero-settings.ts'
import type { PolicyValueLoss } from './policy-value-net.ts'
import { PolicyValueNet, policyValueSizes } from './policy-value-net.ts'
import type { SelfPlayResult } from './self-play.ts'

/** What is kept of a run. The positions are not: who goes on plays new games first. */
export interface AlphaZeroState {
  /** Iterations done. */
  readonly iteration: number
  readonly parameters: Float32Array
  readonly adam: AdamState
}

export interface AlphaZeroMetrics extends PolicyValueLoss {
  /** Positions seen in this iteration. */
  readonly positions: number
  /** Games of this iteration won by who began, lost, drawn. */
  readonly ends: readonly [number, number, number]
}

/** Keeps the streams drawn from one run seed apart. */
const PURPOSE = { start: 41, replay: 42 } as const

interface Position {
  readonly input: Float32Array
  readonly policy: Float32Array
  readonly outcome: number
}

export class AlphaZeroLearner {
  readonly #settings: AlphaZeroSettings
  readonly #seed: number
  readonly #network: PolicyValueNet
  #positions: Position[] = []
  #state: AlphaZeroState

  constructor(settings: AlphaZeroSettings, seed: number) {
    this.#settings = settings
    this.#seed = seed
    this.#network = new PolicyValueNet(settings.network, settings.minibatch)
    const random = new Xoshiro128(mixSeeds(seed, PURPOSE.start))
    const parameters = initialParameters(policyValueSizes(settings.network), 0.1, random)
    this.#state = { iteration: 0, parameters, adam: createAdam(parameters.length) }
  }

  /** A copy. */
  getWeights(): Float32Array {
    return this.#state.parameters.slice()
  }

  /** Never written to. */
  getState(): AlphaZeroState {
    return this.#state
  }

  /** Goes on from a state. @throws RangeError when its parameters are another network's. */
  setState(state: AlphaZeroState): void {
    if (state.parameters.length !== this.#network.parameterCount) {
      throw new RangeError(`this network has ${this.#network.parameterCount} parameters`)
    }
    this.#state = state
  }

  /** One iteration. @throws RangeError when there is not one position. */
  learn(...results: SelfPlayResult[]): AlphaZeroMetrics {
    const { replaySize, updatesPerIteration, minibatch } = this.#settings
    const { inputSize, actions } = this.#settings.network
    const seen = results.flatMap(({ positions, inputs, policies, outcomes }) =>
      Array.from({ length: positions }, (_, i): Position => ({
        input: inputs.slice(i * inputSize, (i + 1) * inputSize),
        policy: policies.slice(i * actions, (i + 1) * actions),
        outcome: outcomes[i]!,
      })),
    )
    this.#positions = [...this.#positions, ...seen].slice(-replaySize)
    if (this.#positions.length === 0) throw new RangeError('nothing to learn from')
    const random = new Xoshiro128(mixSeeds(this.#seed, PURPOSE.replay, this.#state.iteration))
    let policyLoss = 0
    let valueLoss = 0
    for (let i = 0; i < updatesPerIteration; i += 1) {
      const rows = Array.from({ length: minibatch }, () => this.#positions[random.nextInt(this.#positions.length)]!)
      const loss = this.#descend(rows)
      policyLoss += loss.policyLoss / updatesPerIteration
      valueLoss += loss.valueLoss / updatesPerIteration
    }
    this.#state = { ...this.#state, iteration: this.#state.iteration + 1 }
    const ends = [0, 1, 2].map((k) => results.reduce((sum, result) => sum + result.ends[k]!, 0))
    return { positions: seen.length, policyLoss, valueLoss, ends: [ends[0]!, ends[1]!, ends[2]!] }
  }

  #descend(rows: readonly Position[]): PolicyValueLoss {
    const { l2, stepSize, network } = this.#settings
    const { parameters } = this.#state
    const inputs = new Float32Array(rows.length * network.inputSize)
    const policies = new Float32Array(rows.length * network.actions)
    rows.forEach(({ input, policy }, i) => {
      inputs.set(input, i * network.inputSize)
      policies.set(policy, i * network.actions)
    })
    const outcomes = Float32Array.from(rows, ({ outcome }) => outcome)
    const gradient = Float64Array.from(parameters, (x) => 2 * l2 * x)
    const loss = this.#network.addGradient(parameters, inputs, policies, outcomes, gradient)
    const { state: adam, delta } = adamStep(this.#state.adam, gradient, stepSize)
    this.#state = { ...this.#state, parameters: parameters.map((x, i) => x + delta[i]!), adam }
    return loss
  }
}

/**
 * A piece of one episode, as RLlib's SingleAgentEpisode: what a learner gets. Where a sample ends in mid-episode the piece is
 * neither terminated nor truncated, and the next sample goes on with another piece.
 */
export interface Episode {
  /** Which of its runner's environments played it, from 0: of one environment the pieces follow each other. */
  readonly env: number
  /** Steps in this piece; 1 or more. */
  readonly length: number
  /** (length + 1) x observationSize, through the connectors: each step's, and the one after the last step. */
  readonly observations: Float32Array
  /** length x actionSize, in the module's units. */
  readonly actions: Float32Array
  /** Of each action when it was drawn. */
  readonly logProbs: Float32Array
  readonly rewards: Float32Array
  /** The MDP ended with the last step: nothing follows. Otherwise what follows is worth the value of the last observation. */
  readonly isTerminated: boolean
  /** The step limit was reached with the last step. */
  readonly isTruncated: boolean
}

/** Collects the steps of one piece; grows as needed. */
export class EpisodeBuilder {
  readonly #observationSize: number
  readonly #actionSize: number
  readonly #env: number
  readonly #observations: number[] = []
  readonly #actions: number[] = []
  readonly #logProbs: number[] = []
  readonly #rewards: number[] = []

  constructor(observationSize: number, actionSize: number, env: number) {
    this.#observationSize = observationSize
    this.#actionSize = actionSize
    this.#env = env
  }

  get length(): number {
    return this.#rewards.length
  }

  /** What was seen and done at one step, each at its offset. */
  addStep(
    observations: Float32Array,
    at: number,
    actions: Float32Array,
    actionAt: number,
    logProb: number,
    reward: number,
  ): void {
    for (let i = 0; i < this.#observationSize; i += 1) this.#observations.push(observations[at + i]!)
    for (let i = 0; i < this.#actionSize; i += 1) this.#actions.push(actions[actionAt + i]!)
    this.#logProbs.push(logProb)
    this.#rewards.push(reward)
  }

  /** The piece so far, `last` at `at` being the observation after it; the builder is empty afterwards. */
  cut(last: Float32Array, at: number, isTerminated: boolean, isTruncated: boolean): Episode {
    for (let i = 0; i < this.#observationSize; i += 1) this.#observations.push(last[at + i]!)
    const episode = {
      env: this.#env,
      length: this.#rewards.length,
      observations: Float32Array.from(this.#observations),
      actions: Float32Array.from(this.#actions),
      logProbs: Float32Array.from(this.#logProbs),
      rewards: Float32Array.from(this.#rewards),
      isTerminated,
      isTruncated,
    }
    for (const list of [this.#observations, this.#actions, this.#logProbs, this.#rewards]) list.length = 0
    return episode
  }
}

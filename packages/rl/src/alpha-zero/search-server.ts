/**
 * Answers positions of connect four with a search: what plays against people while training goes on. Searches that are there at the
 * same time go in step, so that each round of all of them is one batch of the network; the batch is as large as what waits.
 * As an actor of some concurrency it serves many players at once. It holds no game.
 */
import { ConnectFour } from '../games/connect-four.ts'
import { simulate } from './evaluator.ts'
import { PolicyValueNet } from './policy-value-net.ts'
import type { PolicyValueSpec } from './policy-value-net.ts'
import { Search } from './search.ts'

/** Weights, and how far training was when they were taken. */
export interface ServedNet {
  readonly weights: Float32Array
  /** Iterations learned. */
  readonly iteration: number
}

export interface SearchAnswer {
  /** The move tried most. */
  readonly move: number
  /** How often each move was tried, legal or not. */
  readonly visits: Int32Array
  /** For the player to move, -1 lost .. 1 won. */
  readonly value: number
  /** Of the network that answered. */
  readonly iteration: number
  /** Searches that were answered from the same batches, this one included. */
  readonly together: number
}

interface Call {
  readonly search: Search
  readonly simulations: number
  readonly resolve: (answer: SearchAnswer) => void
  readonly reject: (error: unknown) => void
}

const EXPLORATION = 1.5
/** More would hold up everybody who asks meanwhile: a search is not interrupted. */
const MOST_SIMULATIONS = 10_000

export class SearchServer {
  readonly #network: PolicyValueNet
  readonly #capacity: number
  #net: ServedNet | undefined
  #waiting: Call[] = []

  /** Up to `capacity` searches go in step. */
  constructor(spec: PolicyValueSpec, capacity = 64) {
    this.#network = new PolicyValueNet(spec, capacity)
    this.#capacity = capacity
  }

  /** Before the first `serve`, nothing can be answered. */
  get isServing(): boolean {
    return this.#net !== undefined
  }

  /** From the next batch of searches on. @throws RangeError when the weights are another network's. */
  serve(net: ServedNet): void {
    const { parameterCount } = this.#network
    if (net.weights.length !== parameterCount)
      throw new RangeError(`${parameterCount} weights, got ${net.weights.length}`)
    this.#net = net
  }

  /**
   * A search of the position after `moves`, from the empty board.
   * @throws RangeError for moves that are not legal, a game that is over, and a number of simulations that makes no sense.
   */
  search(moves: readonly number[], simulations: number): Promise<SearchAnswer> {
    // The first simulation looks at the position itself, and no move has been tried after it.
    if (!Number.isInteger(simulations) || simulations < 2 || simulations > MOST_SIMULATIONS)
      return Promise.reject(new RangeError(`2 to ${MOST_SIMULATIONS} simulations, got ${simulations}`))
    return new Promise((resolve, reject) => {
      const search = new Search(new ConnectFour(moves), { exploration: EXPLORATION })
      // After what is delivered now: calls that came together are answered together.
      if (this.#waiting.length === 0) setTimeout(() => void this.#answer(), 0)
      this.#waiting.push({ search, simulations, resolve, reject })
    })
  }

  /** Never rejects: each call is told by itself. */
  async #answer(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (let from = 0; from < waiting.length; from += this.#capacity) {
      const calls = waiting.slice(from, from + this.#capacity)
      try {
        await this.#answerBatch(calls)
      } catch (error) {
        for (const { reject } of calls) reject(error)
      }
    }
  }

  async #answerBatch(calls: readonly Call[]): Promise<void> {
    const net = this.#net
    if (net === undefined) throw new Error('no network is served yet')
    const together = calls.length
    // The shortest first: whoever has enough is answered, and the others go on.
    const left = [...calls].sort((a, b) => a.simulations - b.simulations)
    for (let done = 0; left.length > 0;) {
      const { simulations } = left[0]!
      const searches = left.map(({ search }) => search)
      await simulate(searches, simulations - done, (games) => this.#network.evaluate(net.weights, games))
      done = simulations
      while (left[0]?.simulations === done) {
        const { search, resolve } = left.shift()!
        const answer = { move: search.bestMove(), visits: search.visits(), value: search.value() }
        resolve({ ...answer, iteration: net.iteration, together })
      }
    }
  }
}

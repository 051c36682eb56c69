import { mean } from '../es/mean.ts'

/** The returns of the last so many episodes, by which a run is judged. */
export class RecentReturns {
  readonly #most: number
  readonly #goal: number
  #returns: number[] = []

  constructor(settings: { readonly solvedEpisodes: number; readonly solvedReturn: number }) {
    this.#most = settings.solvedEpisodes
    this.#goal = settings.solvedReturn
  }

  add(returns: Iterable<number>): void {
    this.#returns = [...this.#returns, ...returns].slice(-this.#most)
  }

  /** NaN before the first episode has ended. */
  get mean(): number {
    return mean(this.#returns)
  }

  /** There are that many, and their mean reaches the goal. */
  get isSolved(): boolean {
    return this.#returns.length === this.#most && this.mean >= this.#goal
  }
}

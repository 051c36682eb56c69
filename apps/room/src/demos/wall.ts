/**
 * The wall of episodes: which one each cell shows and how far it is. Results bring far more episodes than can be watched,
 * so a cell plays its own to the end and then takes the newest one waiting; the pool keeps the newest, a wall full, and
 * drops the rest. It does not draw, and time comes in as a number.
 */
import { episodeLength } from './episode.ts'
import type { Episode } from './episode.ts'

export interface Cell<E extends Episode = Episode> {
  readonly episode: E
  readonly startMs: number
}

/** How long the end of an episode stays to be seen, unless it is said. */
const HOLD_MS = 350

export class Wall<E extends Episode = Episode> {
  readonly size: number
  readonly #stepsPerSecond: number
  readonly #holdMs: number
  readonly #cells: (Cell<E> | undefined)[]
  #pool: E[] = []
  #isEmpty = true

  /** @param stepsPerSecond how fast episodes are played back. */
  constructor(size: number, stepsPerSecond: number, holdMs = HOLD_MS) {
    this.size = size
    this.#stepsPerSecond = stepsPerSecond
    this.#holdMs = holdMs
    this.#cells = Array.from({ length: size }, () => undefined)
  }

  get isEmpty(): boolean {
    return this.#isEmpty
  }

  offer(episode: E): void {
    this.#isEmpty = false
    this.#pool.push(episode)
    if (this.#pool.length > this.size) this.#pool.shift()
  }

  /** Hands new episodes to cells that are empty or through with theirs; without new ones they play again. */
  advance(nowMs: number): void {
    for (let i = 0; i < this.size; i += 1) {
      const cell = this.#cells[i]
      if (cell !== undefined && nowMs < cell.startMs + this.#playMs(cell.episode) + this.#holdMs) continue
      const episode = this.#pool.pop() ?? cell?.episode
      if (episode !== undefined) this.#cells[i] = { episode, startMs: nowMs }
    }
  }

  /** For people who asked for less motion: the newest episodes' ends, all at once. */
  showNewest(nowMs: number): void {
    for (let i = 0; i < this.size; i += 1) {
      const episode = this.#pool.pop() ?? this.#cells[i]?.episode
      if (episode !== undefined) this.#cells[i] = { episode, startMs: nowMs - this.#playMs(episode) }
    }
  }

  /** Episodes on show. */
  get shown(): number {
    return this.#cells.filter((cell) => cell !== undefined).length
  }

  /** Whose episodes are on show. */
  get tabs(): Set<string> {
    return new Set(this.#cells.flatMap((cell) => (cell === undefined ? [] : [cell.episode.nodeId])))
  }

  at(index: number): Cell<E> | undefined {
    return this.#cells[index]
  }

  /** How many steps into its episode the cell is; at most the episode's length. */
  stepOf(cell: Cell<E>, nowMs: number): number {
    return Math.min(((nowMs - cell.startMs) / 1000) * this.#stepsPerSecond, episodeLength(cell.episode))
  }

  #playMs(episode: E): number {
    return (episodeLength(episode) / this.#stepsPerSecond) * 1000
  }
}

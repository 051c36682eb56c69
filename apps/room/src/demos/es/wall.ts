/**
 * The wall of episodes: which one each cell shows and how far it is. Results bring far more episodes than can be watched,
 * so a cell plays its own to the end and then takes the newest one waiting; the pool keeps the newest, a wall full, and
 * drops the rest. It does not draw, and time comes in as a number.
 */
import { episodeLength } from './wall-layout.ts'
import type { Episode } from './wall-layout.ts'

export interface Cell {
  readonly episode: Episode
  readonly startMs: number
}

/** How long the end of an episode stays to be seen. */
const HOLD_MS = 350

export class Wall {
  readonly size: number
  readonly #stepsPerSecond: number
  readonly #cells: (Cell | undefined)[]
  #pool: Episode[] = []
  #isEmpty = true

  /** @param stepsPerSecond how fast episodes are played back. */
  constructor(size: number, stepsPerSecond: number) {
    this.size = size
    this.#stepsPerSecond = stepsPerSecond
    this.#cells = Array.from({ length: size }, () => undefined)
  }

  get isEmpty(): boolean {
    return this.#isEmpty
  }

  offer(episode: Episode): void {
    this.#isEmpty = false
    this.#pool.push(episode)
    if (this.#pool.length > this.size) this.#pool.shift()
  }

  /** Hands new episodes to cells that are empty or through with theirs; without new ones they play again. */
  advance(nowMs: number): void {
    for (let i = 0; i < this.size; i += 1) {
      const cell = this.#cells[i]
      if (cell !== undefined && nowMs < cell.startMs + this.#playMs(cell.episode) + HOLD_MS) continue
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

  at(index: number): Cell | undefined {
    return this.#cells[index]
  }

  /** How many steps into its episode the cell is; at most the episode's length. */
  stepOf(cell: Cell, nowMs: number): number {
    return Math.min(((nowMs - cell.startMs) / 1000) * this.#stepsPerSecond, episodeLength(cell.episode))
  }

  #playMs(episode: Episode): number {
    return (episodeLength(episode) / this.#stepsPerSecond) * 1000
  }
}

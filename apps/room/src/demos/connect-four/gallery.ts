/**
 * The last games that the network played against itself, a few to look at. Tabs bring far more than can be looked at, so a place
 * keeps its game for a while and then takes the newest one of the tab that was shown longest ago. It does not draw, and time comes in
 * as a number.
 */
import type { Board } from './board.ts'

export interface Shown {
  readonly nodeId: string
  readonly board: Board
  readonly sinceMs: number
}

export interface GalleryOptions {
  readonly size: number
  /** How long a game stays at least. */
  readonly holdMs: number
}

export class Gallery {
  readonly size: number
  readonly #holdMs: number
  readonly #places: (Shown | undefined)[]
  /** The newest games of each tab that wait to be shown; whoever was shown longest ago is first. */
  readonly #waiting = new Map<string, Board[]>()

  constructor({ size, holdMs }: GalleryOptions) {
    this.size = size
    this.#holdMs = holdMs
    this.#places = Array.from({ length: size }, () => undefined)
  }

  get isEmpty(): boolean {
    return this.#places.every((place) => place === undefined)
  }

  offer(nodeId: string, boards: readonly Board[]): void {
    const waiting = this.#waiting.get(nodeId) ?? []
    this.#waiting.set(nodeId, [...waiting, ...boards].slice(-this.size))
  }

  /** Gives new games to places that are empty or have had theirs for long enough. True when something has changed. */
  advance(nowMs: number): boolean {
    let hasChanged = false
    for (let i = 0; i < this.size; i += 1) {
      const place = this.#places[i]
      if (place !== undefined && nowMs < place.sinceMs + this.#holdMs) continue
      const next = this.#next()
      if (next === undefined) return hasChanged
      this.#places[i] = { ...next, sinceMs: nowMs }
      hasChanged = true
    }
    return hasChanged
  }

  at(index: number): Shown | undefined {
    return this.#places[index]
  }

  /** How many of the games on show each tab played. */
  countByNode(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const place of this.#places) if (place) counts.set(place.nodeId, (counts.get(place.nodeId) ?? 0) + 1)
    return counts
  }

  #next(): { readonly nodeId: string; readonly board: Board } | undefined {
    for (const [nodeId, boards] of this.#waiting) {
      const board = boards.pop()
      this.#waiting.delete(nodeId)
      if (board === undefined) continue
      this.#waiting.set(nodeId, boards)
      return { nodeId, board }
    }
    return undefined
  }
}

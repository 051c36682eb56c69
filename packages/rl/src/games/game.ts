/**
 * A game of two players who see everything and move in turn. What search and self-play need, and no more.
 */
export interface Game {
  /** Moves are 0 .. actions - 1, legal or not. */
  readonly actions: number
  /** Numbers that `encode` writes. */
  readonly inputSize: number
  readonly movesMade: number
  /** Whose turn it is: 0 begins. */
  readonly player: 0 | 1
  /** 0 or 1 who has won, 'draw', or undefined while the game goes on. */
  readonly winner: 0 | 1 | 'draw' | undefined
  /** False for every move once the game is over. */
  isLegal(action: number): boolean
  /** @throws RangeError for a move that is not legal. */
  play(action: number): void
  /** An independent copy. */
  clone(): Game
  /** Writes the position as the player to move sees it to `target` at `offset`. */
  encode(target: Float32Array, offset: number): void
}

export function legalMoves(game: Game): number[] {
  return Array.from({ length: game.actions }, (_, action) => action).filter((action) => game.isLegal(action))
}

/**
 * A person's game against the machine: whose turn it is, what was answered and how long that took. It asks for answers and waits for
 * them; what answers, and what all this looks like, it does not know.
 *
 *   yours -> thinking -> yours ...      each move may end the game: over
 *               \-> stuck (no answer)   `askAgain` leads back
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { ConnectFour } from '@shoal/rl'
import { messageOf } from '../../model/message-of.ts'
import { boardOf, heightOf, winningCells } from './board.ts'
import type { Board } from './board.ts'
import type { LiveAnswer } from './connect-four.remote.ts'

export type Phase =
  | { readonly kind: 'yours' }
  | { readonly kind: 'thinking' }
  | { readonly kind: 'stuck'; readonly error: string }
  | { readonly kind: 'over'; readonly winner: 'you' | 'machine' | 'nobody' }

/** One answer of the machine, and how long the person waited for it. */
export interface Answered extends LiveAnswer {
  readonly waitedMs: number
}

export interface MatchState {
  /** 0 begins. */
  readonly you: 0 | 1
  readonly moves: readonly number[]
  readonly board: Board
  readonly phase: Phase
  /** The four, once there are four. */
  readonly line: readonly number[]
  /** Where the last disc lies. */
  readonly last: number | undefined
  /** The newest answer of this game. */
  readonly answer: Answered | undefined
  /** For people who hear the game. */
  readonly said: string
}

export interface MatchOptions {
  readonly answer: (moves: readonly number[], stop: AbortSignal) => Promise<LiveAnswer>
  readonly nowMs: () => number
}

/** Of all games on this page. */
const MOST_WAITS = 100

export class Match {
  readonly #options: MatchOptions
  readonly #state = signal<MatchState>(begin(0))
  readonly #waits = signal<readonly number[]>([])
  #game = new ConnectFour()
  #abort: AbortController | undefined

  readonly state: ReadonlySignal<MatchState> = this.#state
  /** How long the last answers took, in milliseconds; the newest is the last. */
  readonly waits: ReadonlySignal<readonly number[]> = this.#waits

  constructor(options: MatchOptions) {
    this.#options = options
  }

  /** A new game; `you: 1` lets the machine begin. */
  begin(you: 0 | 1): void {
    this.close()
    this.#game = new ConnectFour()
    this.#state.value = begin(you)
    if (you === 1) void this.#ask()
  }

  /** The person's move. False, and nothing happens, when it is not their turn or the column is full. */
  play(column: number): boolean {
    const { phase } = this.#state.peek()
    if (phase.kind !== 'yours' || !this.#game.isLegal(column)) return false
    this.#move(column)
    if (this.#state.peek().phase.kind === 'thinking') void this.#ask()
    return true
  }

  askAgain(): void {
    if (this.#state.peek().phase.kind === 'stuck') void this.#ask()
  }

  /** Waits for no answer any more. */
  close(): void {
    this.#abort?.abort()
    this.#abort = undefined
  }

  /** Never rejects: a game without an answer is stuck. */
  async #ask(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    this.#change({ phase: { kind: 'thinking' } })
    const { answer: ask, nowMs } = this.#options
    const startMs = nowMs()
    try {
      const answer = await ask(this.#state.peek().moves, abort.signal)
      abort.signal.throwIfAborted()
      const waitedMs = nowMs() - startMs
      // It comes from some tab: a move that is none is no answer.
      if (!this.#game.isLegal(answer.move)) throw new Error(`tab ${answer.nodeId} answered with a move that is none`)
      this.#waits.value = [...this.#waits.peek(), waitedMs].slice(-MOST_WAITS)
      this.#change({ answer: { ...answer, waitedMs } })
      this.#move(answer.move)
    } catch (error) {
      if (abort.signal.aborted) return
      this.#change({ phase: { kind: 'stuck', error: messageOf(error) }, said: 'The machine does not answer.' })
    }
  }

  #move(column: number): void {
    const game = this.#game
    const { you } = this.#state.peek()
    const isYours = game.player === you
    game.play(column)
    const board = boardOf(game)
    const phase = phaseOf(game, you)
    this.#change({
      moves: [...this.#state.peek().moves, column],
      board,
      phase,
      line: winningCells(board),
      last: (heightOf(board, column) - 1) * game.actions + column,
      said: `${isYours ? 'You' : 'The machine'}: column ${column + 1}.${ENDS[phase.kind === 'over' ? phase.winner : 'not yet']}`,
    })
  }

  #change(part: Partial<MatchState>): void {
    this.#state.value = { ...this.#state.peek(), ...part }
  }
}

const ENDS = {
  'not yet': '',
  you: ' You have won.',
  machine: ' The machine has won.',
  nobody: ' It is a draw.',
} as const

function phaseOf({ winner, player }: ConnectFour, you: 0 | 1): Phase {
  if (winner === undefined) return { kind: player === you ? 'yours' : 'thinking' }
  return { kind: 'over', winner: winner === 'draw' ? 'nobody' : winner === you ? 'you' : 'machine' }
}

function begin(you: 0 | 1): MatchState {
  return {
    you,
    moves: [],
    board: boardOf(new ConnectFour()),
    phase: { kind: you === 0 ? 'yours' : 'thinking' },
    line: [],
    last: undefined,
    answer: undefined,
    said: '',
  }
}

/** The smallest wait that so large a share (0 to 1) of them does not exceed; undefined for none. */
export function quantile(waits: readonly number[], share: number): number | undefined {
  const sorted = [...waits].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

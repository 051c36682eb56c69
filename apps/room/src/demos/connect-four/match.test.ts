import { describe, expect, it } from 'vitest'
import type { LiveAnswer } from './connect-four.remote.ts'
import { Match, quantile } from './match.ts'

/** A machine whose answers are given by hand. */
class Machine {
  readonly asked: (readonly number[])[] = []
  readonly stops: AbortSignal[] = []
  nowMs = 0
  #settle: { resolve: (answer: LiveAnswer) => void; reject: (error: Error) => void } | undefined
  readonly match = new Match({
    answer: (moves, stop) => {
      this.asked.push(moves)
      this.stops.push(stop)
      return new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    },
    nowMs: () => this.nowMs,
  })

  get state() {
    return this.match.state.peek()
  }

  async plays(move: number): Promise<void> {
    const visits = Int32Array.from({ length: 7 }, (_, column) => (column === move ? 19 : 0))
    this.#settle?.resolve({ move, visits, value: 0.25, iteration: 3, together: 1, nodeId: 'n', searchMs: 2 })
    await Promise.resolve()
    await Promise.resolve()
  }

  async fails(): Promise<void> {
    this.#settle?.reject(new Error('no tab'))
    await Promise.resolve()
    await Promise.resolve()
  }
}

describe('Match', () => {
  it('takes turns, and says who moved where', async () => {
    const machine = new Machine()
    expect(machine.state).toMatchObject({ phase: { kind: 'yours' }, you: 0, said: '' })
    expect(machine.match.play(3)).toBe(true)
    expect(machine.state).toMatchObject({ phase: { kind: 'thinking' }, said: 'You: column 4.', last: 3 })
    expect(machine.asked).toEqual([[3]])
    machine.nowMs = 40
    await machine.plays(3)
    expect(machine.state).toMatchObject({
      phase: { kind: 'yours' },
      moves: [3, 3],
      said: 'The machine: column 4.',
      last: 10,
      answer: { value: 0.25, waitedMs: 40 },
    })
    expect(machine.match.waits.peek()).toEqual([40])
  })

  it('takes no move out of turn and none in a full column', async () => {
    const machine = new Machine()
    machine.match.play(0)
    expect(machine.match.play(1)).toBe(false)
    expect(machine.state.moves).toEqual([0])
    for (const [yours, its] of [
      [0, 0],
      [0, 0],
    ] as const) {
      await machine.plays(its)
      machine.match.play(yours)
    }
    await machine.plays(0)
    expect(machine.state.moves).toEqual([0, 0, 0, 0, 0, 0])
    for (const bad of [0, -1, 7, 1.5]) expect(machine.match.play(bad)).toBe(false)
  })

  it('ends with the four marked, and asks no more', async () => {
    const machine = new Machine()
    for (const column of [0, 1, 2]) {
      machine.match.play(column)
      await machine.plays(column)
    }
    machine.match.play(3)
    expect(machine.state).toMatchObject({
      phase: { kind: 'over', winner: 'you' },
      line: [0, 1, 2, 3],
      said: 'You: column 4. You have won.',
    })
    expect(machine.asked).toHaveLength(3)
    expect(machine.match.play(4)).toBe(false)
  })

  it('lets the machine begin, and win', async () => {
    const machine = new Machine()
    machine.match.begin(1)
    expect(machine.asked).toEqual([[]])
    for (const column of [6, 6, 6]) {
      await machine.plays(column)
      machine.match.play(0)
    }
    await machine.plays(6)
    expect(machine.state.phase).toEqual({ kind: 'over', winner: 'machine' })
    expect(machine.state.said).toBe('The machine: column 7. The machine has won.')
  })

  it('is stuck without an answer, and goes on when it is asked again', async () => {
    const machine = new Machine()
    machine.match.play(2)
    await machine.fails()
    expect(machine.state.phase).toEqual({ kind: 'stuck', error: 'no tab' })
    expect(machine.match.play(3)).toBe(false)
    machine.match.askAgain()
    expect(machine.asked).toEqual([[2], [2]])
    await machine.plays(2)
    expect(machine.state.phase.kind).toBe('yours')
  })

  it('is stuck too when the answer is no move', async () => {
    const machine = new Machine()
    machine.match.play(2)
    await machine.plays(9)
    expect(machine.state).toMatchObject({ phase: { kind: 'stuck' }, moves: [2] })
    expect(machine.match.waits.peek()).toEqual([])
  })

  it('takes no answer of a game that was given up', async () => {
    const machine = new Machine()
    machine.match.play(2)
    machine.match.begin(0)
    expect(machine.stops[0]?.aborted).toBe(true)
    await machine.plays(2)
    expect(machine.state).toMatchObject({ moves: [], phase: { kind: 'yours' }, answer: undefined })
  })
})

it('quantile gives the wait that so many do not exceed', () => {
  expect(quantile([], 0.5)).toBeUndefined()
  expect(quantile([30, 10, 20], 0.5)).toBe(20)
  expect(quantile([30, 10, 20, 40], 0.5)).toBe(20)
  expect(
    quantile(
      Array.from({ length: 100 }, (_, i) => i + 1),
      0.95,
    ),
  ).toBe(95)
  expect(quantile([7], 0.95)).toBe(7)
})

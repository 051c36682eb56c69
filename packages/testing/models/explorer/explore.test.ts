import { expect, test } from 'vitest'
import { explore } from './explore.ts'
import type { Model } from './model.ts'

/** Two jugs of 3 and 5 litres, the riddle's usual moves. */
interface Jugs {
  readonly small: number
  readonly large: number
}

function jugs(goal: number): Model<Jugs> {
  const to = (words: string, small: number, large: number) =>
    ({ kind: 'chance', words: () => words, next: { small, large } }) as const
  return {
    initial: { small: 0, large: 0 },
    views: 1,
    writeKey: ({ small, large }, key) => {
      key.add(small)
      key.add(large)
    },
    steps: ({ small, large }) => {
      const there = Math.min(small, 5 - large)
      const back = Math.min(large, 3 - small)
      return [
        to('fill the small one', 3, large),
        to('fill the large one', small, 5),
        to('empty the small one', 0, large),
        to('empty the large one', small, 0),
        to('pour small into large', small - there, large + there),
        to('pour large into small', small + back, large - back),
      ]
    },
    broken: ({ large }) => (large === goal ? `${String(goal)} litres` : undefined),
    brokenWhenOver: () => undefined,
    situations: { 'both full': ({ small, large }) => small === 3 && large === 5 },
  }
}

test('finds a shortest way to a broken state and tells it in words', () => {
  expect(explore(jugs(4), { maxStates: 1000 }).broken).toEqual({
    what: '4 litres',
    trace: [
      'fill the large one',
      'pour large into small',
      'empty the small one',
      'pour large into small',
      'fill the large one',
      'pour large into small',
    ],
  })
})

test('meets every state once, and says so', () => {
  const found = explore(jugs(9), { maxStates: 1000 })
  expect(found).toMatchObject({ states: 16, transitions: 96, exhausted: true, situations: { 'both full': 1 } })
  expect(found.broken).toBeUndefined()
})

test('ends at its bound, and says that it saw only a part', () => {
  expect(explore(jugs(9), { maxStates: 5 }).exhausted).toBe(false)
})

/** Counters that only grow: a state for each pair, far past the first capacity of the tables. */
function counters(limit: number, views: number): Model<readonly [number, number]> {
  return {
    initial: [0, 0],
    views,
    writeKey: ([a, b], key, view) => {
      key.add(view === 0 ? a : b)
      key.add(view === 0 ? b : a)
    },
    steps: ([a, b]) =>
      ([[a + 1, b] as const, [a, b + 1] as const] as const)
        .filter(([x, y]) => x < limit && y < limit)
        .map((next) => ({ kind: 'protocol' as const, words: () => next.join(), next })),
    broken: () => undefined,
    brokenWhenSettled: ([a, b]) => (a === b ? undefined : 'settled too early'),
    brokenWhenOver: ([a]) => (a === limit - 1 ? `over at ${String(a)}` : undefined),
  }
}

test('tells hundreds of thousands of states apart', () => {
  const found = explore(counters(400, 1), { maxStates: 1_000_000 })
  expect(found.states).toBe(160_000)
  expect(found.broken?.what).toBe('over at 399')
  expect(found.broken?.trace).toHaveLength(798)
})

test('counts states that differ by a renaming once', () => {
  expect(explore(counters(400, 2), { maxStates: 1_000_000 }).states).toBe((400 * 401) / 2)
})

import { expect, it } from 'vitest'
import { FOUR_SETTINGS } from './four-settings.ts'
import { scoreOf, StrengthTest } from './strength-test.ts'

const test = { randomGames: 120, searchGames: 20, simulations: 9, rollouts: 30, gamesPerTask: 6 }

it('asks for all games in tasks, each with chance of its own, and sums them up when all are in', () => {
  const strength = new StrengthTest({ test }, 1, 800)
  expect(strength.requests.map(({ games, search }) => [games, search?.rollouts])).toEqual([
    [50, undefined],
    [50, undefined],
    [20, undefined],
    [6, 30],
    [6, 30],
    [6, 30],
    [2, 30],
  ])
  expect(new Set(strength.requests.map(({ seed }) => seed)).size).toBe(7)
  const results = strength.requests.map((request) => {
    const wins = request.search === undefined ? request.games : 1
    return strength.add(request, { wins, draws: request.games - wins, losses: 0 })
  })
  expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true)
  expect(results.at(-1)).toEqual({
    games: 800,
    againstRandom: { wins: 120, draws: 0, losses: 0 },
    againstSearch: { wins: 4, draws: 16, losses: 0 },
  })
})

it('has even numbers of games in the demo, since players begin by turns', () => {
  for (const { games } of new StrengthTest(FOUR_SETTINGS, 1, 0).requests) expect(games % 2).toBe(0)
})

it('counts a draw as half a point', () => {
  expect(scoreOf({ wins: 2, draws: 4, losses: 2 })).toBe(0.5)
})

import { expect, it } from 'vitest'
import { DataBudget } from './data-budget.ts'

const MINUTE = 60_000

it('[NL4] counts the bytes of the last hour, whenever it looks', () => {
  const budget = new DataBudget()
  budget.look(0, 500, 1_000)
  // What was there before it began to count is not of this hour.
  expect([budget.bytes, budget.isSpent]).toEqual([0, false])
  budget.look(MINUTE, 1_400, 1_000)
  expect([budget.bytes, budget.isSpent]).toEqual([900, false])
  budget.look(30 * MINUTE, 1_700, 1_000)
  expect([budget.bytes, budget.isSpent]).toEqual([1_200, true])
  // A room that was left and entered again counts anew.
  budget.look(31 * MINUTE, 50, 1_000)
  expect(budget.bytes).toBe(1_250)
  budget.look(61 * MINUTE, 50, 1_000)
  expect([budget.bytes, budget.isSpent]).toEqual([350, false])
  budget.look(200 * MINUTE, 50, 1_000)
  expect(budget.bytes).toBe(0)
  budget.look(201 * MINUTE, 5_000, undefined)
  expect([budget.bytes, budget.isSpent]).toEqual([4_950, false])
})

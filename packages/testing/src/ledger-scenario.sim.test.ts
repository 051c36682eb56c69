import { describe, expect, it } from 'vitest'
import type { NodeGuards } from '@shoal/node'
import { runLedgerScenario } from './ledger-scenario.ts'
import type { LedgerScenarioOptions } from './ledger-scenario.ts'

/**
 * `npm run sim -- --scenario ledgers` runs as many as one likes. The same seed is another run there: what travels as code is
 * the source text, and each tool that strips types leaves another.
 */
const SEEDS = [1, 2, 3, 6]

/** Seeds that once found something, each with what it was. */
const REGRESSIONS: readonly (readonly [LedgerScenarioOptions, string])[] = [
  [{ seed: 7 }, 'a successor kept a record that a third tab had passed on when the object was gone'],
  [{ seed: 83, nodes: 50, busyMs: 8_000 }, 'code was asked of a tab that was only about to have it'],
]

/** X1: which invariant breaks without the guard, within this many seeds of the scenario. */
const MOST_SEEDS = 100
const PLANTED: readonly (readonly [keyof NodeGuards, RegExp, Omit<LedgerScenarioOptions, 'seed'>])[] = [
  ['pins', /^O1/, { profile: 'mild', busyMs: 8_000 }],
  ['countsRetries', /^T3/, { profile: 'deaths', nodes: 6, busyMs: 6_000 }],
]

describe('whole tabs that own what others hold', () => {
  it('[T1][T2][R1][R2] lose nothing that may not be lost, and keep nothing', { timeout: 120_000 }, async () => {
    const broken: string[] = []
    const hashes: string[] = []
    let values = 0
    for (const seed of SEEDS) {
      const { violations, hash, counters } = await runLedgerScenario({ seed })
      for (const violation of violations) broken.push(`${seed}: ${violation}`)
      hashes.push(hash)
      values += counters['values'] ?? 0
    }
    expect(broken).toEqual([])
    expect(values).toBeGreaterThan(300)
    expect((await runLedgerScenario({ seed: 6 })).hash).toBe(hashes.at(-1))
  })

  // A room in which most have no link to most others.
  it.each([2, 5])('[T1][T2][G2][M4][R1] do so in a room of 50 as well, seed %i', { timeout: 180_000 }, async (seed) => {
    const { violations, counters } = await runLedgerScenario({ seed, nodes: 50, busyMs: 6_000 })
    expect(violations).toEqual([])
    expect(counters['values'] ?? 0).toBeGreaterThan(200)
  })

  it.each(REGRESSIONS)('[R1] %j: %s', { timeout: 60_000 }, async (options) => {
    expect((await runLedgerScenario(options)).violations).toEqual([])
  })

  it.each(PLANTED)('[X1] without %s an invariant breaks', { timeout: 120_000 }, async (guard, rule, options) => {
    let found: string | undefined
    for (let seed = 1; seed <= MOST_SEEDS && found === undefined; seed++) {
      const { violations } = await runLedgerScenario({ ...options, seed, guards: { [guard]: false } })
      found = violations.find((violation) => rule.test(violation))
    }
    expect(found).toMatch(rule)
  })
})

import { describe, expect, it } from 'vitest'
import type { NodeGuards } from '@shoal/node'
import { runActorScenario } from './actor-scenario.ts'
import type { LedgerScenarioOptions } from './ledger-scenario.ts'

/** `npm run sim -- --scenario actors` runs as many as one likes. The same seed is another run there: see the ledgers' test. */
const SEEDS = [1, 2, 3, 4, 6]

/** X1: which invariant breaks without the guard, within this many seeds of the scenario. */
const MOST_SEEDS = 100
const PLANTED: readonly (readonly [keyof NodeGuards, RegExp, Omit<LedgerScenarioOptions, 'seed'>])[] = [
  ['countsRetries', /^A5/, { profile: 'deaths', busyMs: 6_000 }],
  ['countsRestarts', /with maxRestarts/, { profile: 'deaths', busyMs: 6_000 }],
  ['endsForks', /^(A3|R1)/, { profile: 'splits' }],
]

describe('actors in rooms where things go wrong', () => {
  it('[A2][A3][A4][A5][A8] are one each and count right', { timeout: 120_000 }, async () => {
    const broken: string[] = []
    const hashes: string[] = []
    let values = 0
    for (const seed of SEEDS) {
      const { violations, hash, counters } = await runActorScenario({ seed, nodes: 5 })
      for (const violation of violations) broken.push(`${seed}: ${violation}`)
      hashes.push(hash)
      values += counters['values'] ?? 0
    }
    expect(broken).toEqual([])
    expect(values).toBeGreaterThan(300)
    expect((await runActorScenario({ seed: 6, nodes: 5 })).hash).toBe(hashes.at(-1))
  })

  it.each(PLANTED)('[X1] without %s an invariant breaks', { timeout: 120_000 }, async (guard, rule, options) => {
    let found: string | undefined
    for (let seed = 1; seed <= MOST_SEEDS && found === undefined; seed++) {
      const { violations } = await runActorScenario({ nodes: 5, ...options, seed, guards: { [guard]: false } })
      found = violations.find((violation) => rule.test(violation))
    }
    expect(found).toMatch(rule)
  })
})

import { describe, expect, test } from 'vitest'
import { explore } from '../explorer/explore.ts'
import { creditsModel } from './credits-model.ts'
import type { CreditsGuard, CreditsOptions } from './credits-model.ts'

const isLarge = process.env.SHOAL_MODELS === 'large'
const LIMIT_MS = isLarge ? 3_600_000 : 240_000

const NOTHING = { tasks: [1, 1], maxRetries: 1, refusals: 0, recalls: 0, crashes: 0, falseVerdicts: 0 } as const

describe('[X3] credits with recall', () => {
  const markets: Record<string, CreditsOptions> = {
    'a refusal and a recall': { ...NOTHING, maxRetries: 0, refusals: 1, recalls: 1 },
    'a crash and a recall': { ...NOTHING, recalls: 1, crashes: 1 },
    'a false verdict': { ...NOTHING, falseVerdicts: 1 },
    'a crash without retries': { ...NOTHING, maxRetries: 0, crashes: 1 },
  }
  const largeMarkets: Record<string, CreditsOptions> = {
    'two tasks and one, a refusal and a recall': { ...NOTHING, tasks: [2, 1], maxRetries: 0, refusals: 1, recalls: 1 },
    'a false verdict and a refusal': { ...NOTHING, refusals: 1, falseVerdicts: 1 },
    'a false verdict and a recall': { ...NOTHING, recalls: 1, falseVerdicts: 1 },
    'a false verdict and a crash': { ...NOTHING, crashes: 1, falseVerdicts: 1 },
  }
  for (const [name, options] of Object.entries(isLarge ? { ...markets, ...largeMarkets } : markets)) {
    test(`keep every promise: ${name}`, { timeout: LIMIT_MS }, () => {
      const found = explore(creditsModel(options), { maxStates: 20_000_000 })
      console.log(`${name}: ${String(found.states)} states, ${String(found.depth)} steps deep`)
      expect(found.broken).toBeUndefined()
      expect(found.exhausted).toBe(true)
    })
  }

  test('meet what they are about', { timeout: LIMIT_MS }, () => {
    const options: CreditsOptions = { ...NOTHING, tasks: [1, 0], refusals: 1, falseVerdicts: 1 }
    const found = explore(creditsModel(options), { maxStates: 1_000_000 })
    for (const [name, states] of Object.entries(found.situations)) expect(states, name).toBeGreaterThan(0)
  })

  const losses: [CreditsGuard, CreditsOptions, RegExp][] = [
    ['charge', { ...NOTHING, maxRetries: 0, crashes: 1 }, /T3: a task ran too often/],
    ['attempts', { ...NOTHING, tasks: [1, 0], refusals: 1, falseVerdicts: 1 }, /T5: .* owner does not know/],
    ['eitherOr', { ...NOTHING, tasks: [1, 0], refusals: 1 }, /T5/],
    ['endCredits', { ...NOTHING, falseVerdicts: 1 }, /S1: .* has not granted/],
    ['report', { ...NOTHING, falseVerdicts: 1 }, /T1: .* waits for ever/],
  ]
  for (const [guard, options, loss] of losses) {
    test(`need the guard "${guard}"`, { timeout: LIMIT_MS }, () => {
      const found = explore(creditsModel({ ...options, without: [guard] }), { maxStates: 2_000_000 })
      const trace = found.broken?.trace ?? []
      console.log(
        [`without ${guard}, ${String(trace.length)} steps, ${String(found.states)} states: ${found.broken?.what ?? ''}`]
          .concat(trace)
          .join('\n  '),
      )
      expect(found.broken?.what).toMatch(loss)
    })
  }
})

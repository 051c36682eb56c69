import { describe, expect, it } from 'vitest'
import type { ActorOptionsRecord } from '@shoal/protocol'
import { withSharedFacts } from './shared-facts.ts'

function options(most: number, maxRestarts = 0): ActorOptionsRecord {
  const methods = [{ name: 'add', arity: { least: 1, most }, isGenerator: false }]
  const facts = {
    className: 'C',
    methods,
    maxTaskRetries: 0,
    maxPendingCalls: Infinity,
    checkpointEveryCalls: 0,
    groups: [],
  }
  return { facts, maxRestarts, maxConcurrency: 1, registered: undefined, getIfExists: false, isDetached: false }
}

describe('facts of a class', () => {
  it('are one object for all actors of it, and another for another class', () => {
    const first = withSharedFacts(options(2))
    const second = withSharedFacts(options(2, 5))
    expect(second).toEqual(options(2, 5))
    expect(second.facts).toBe(first.facts)
    expect(withSharedFacts(options(Infinity)).facts).toEqual(options(Infinity).facts)
    expect(withSharedFacts(options(NaN)).facts).not.toBe(withSharedFacts(options(Infinity)).facts)
    expect(withSharedFacts(undefined)).toBeUndefined()
  })
})

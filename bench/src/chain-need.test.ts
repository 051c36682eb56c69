import { describe, expect, it } from 'vitest'
import { countRuns } from './chain-need.ts'
import type { ChainFacts } from './page/chains.ts'

/** Steps of one chain, each with where it ran; those from `open` on were not done when `gone` went, at 100. */
function factsOf(nodes: string, open: number, gone: string, again: readonly number[] = []): ChainFacts {
  const begun = [...nodes].map((node, step) => ({ chain: 0, step, node, at: step }))
  const done = [...nodes].map((_, step) => ({ chain: 0, step, at: step < open ? step + 0.5 : 200 + step }))
  return {
    begun: [...begun, ...again.map((step) => ({ chain: 0, step, node: 'z', at: 150 }))],
    done,
    lost: [...gone].map((node) => ({ node, at: 100 })),
  }
}

describe('what the loss of tabs makes necessary', () => {
  it('is nothing for a chain that goes on elsewhere', () => {
    expect(countRuns(factsOf('abbb', 3, 'a'), true)).toEqual({ again: 0, needed: 0 })
  })

  it('is the task that ran there', () => {
    expect(countRuns(factsOf('abba', 3, 'a', [3]), true)).toEqual({ again: 1, needed: 1 })
  })

  it('is what the last result takes, back to the last result that is left, where results stay in place', () => {
    const facts = factsOf('abaaa', 4, 'a', [4, 3, 2])
    expect(countRuns(facts, true)).toEqual({ again: 3, needed: 3 })
    expect(countRuns(facts, false)).toEqual({ again: 3, needed: 1 })
  })

  it('is not what nobody refers to', () => {
    expect(countRuns(factsOf('aabb', 3, 'a', [0, 1]), true)).toEqual({ again: 2, needed: 0 })
  })

  it('counts tabs that went together', () => {
    expect(countRuns(factsOf('cabab', 4, 'ab', [4, 3, 2, 1]), true)).toEqual({ again: 4, needed: 4 })
  })
})

import type { ChainFacts } from './page/chains.ts'

export interface ChainRuns {
  /** Runs beyond each task's first. */
  readonly again: number
  /**
   * Of those, what had to be: what ran in a tab that is gone; and results that were only there and that are referred to,
   * with what it takes to make them.
   */
  readonly needed: number
}

interface Chain {
  /** Of each step, where its first run began. */
  readonly nodes: Map<number, string>
  readonly doneAt: Map<number, number>
}

/**
 * How many runs the loss of tabs made, and how many it had to make. `isKept`: results stay where they were made, else
 * each is with its owner as soon as it is known of.
 */
export function countRuns({ begun, done, lost }: ChainFacts, isKept: boolean): ChainRuns {
  const gone = new Set(lost.map(({ node }) => node))
  // The driver's node knows of it before its page does: the first run that it makes again says so.
  let knownAt = Math.max(...lost.map(({ at }) => at))
  let again = 0
  const chains = new Map<number, Chain>()
  const chainOf = (number: number): Chain => {
    const chain = chains.get(number) ?? { nodes: new Map<number, string>(), doneAt: new Map<number, number>() }
    chains.set(number, chain)
    return chain
  }
  for (const { chain, step, node, at } of begun) {
    const { nodes } = chainOf(chain)
    if (!nodes.has(step)) nodes.set(step, node)
    else {
      again++
      knownAt = Math.min(knownAt, at)
    }
  }
  for (const { chain, step, at } of done) chainOf(chain).doneAt.set(step, at)
  let needed = 0
  for (const chain of chains.values()) needed += neededBy(chain, gone, knownAt, isKept)
  return { again, needed }
}

function neededBy({ nodes, doneAt }: Chain, gone: ReadonlySet<string>, knownAt: number, isKept: boolean): number {
  const wasThere = (step: number): boolean => gone.has(nodes.get(step) ?? '')
  let first = 0
  while ((doneAt.get(first) ?? Infinity) < knownAt) first++
  let needed = wasThere(first) ? 1 : 0
  if (!isKept) return needed
  // The driver refers to the result before it, which others fetched for a run alone; to make it again takes the one before.
  for (let step = first - 1; wasThere(step); step--) needed++
  return needed
}

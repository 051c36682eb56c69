import { must } from '@shoal/base'
import type { ChainFacts } from './page/chains.ts'

export interface ChainRuns {
  /** Runs beyond each task's first. */
  readonly again: number
  /** Of those, what had to be: what ran in a tab that is gone, and results that were only there and that others wait for. */
  readonly needed: number
}

/**
 * How many runs the loss of tabs made, and how many it had to make. `isKept`: results stay where they were made, else
 * each is with its owner as soon as it is known of.
 */
export function countRuns({ begun, done, lost }: ChainFacts, isKept: boolean): ChainRuns {
  const lossOf = new Map(lost.map(({ node, at }) => [node, at]))
  const lastLoss = Math.max(...lossOf.values())
  const chains = new Map<number, Chain>()
  const chainOf = (number: number): Chain => {
    const chain = chains.get(number) ?? { nodes: new Map<number, string[]>(), doneAt: new Map<number, number>() }
    chains.set(number, chain)
    return chain
  }
  let again = 0
  for (const { chain, step, node, at } of begun) {
    const { nodes } = chainOf(chain)
    const known = nodes.get(step)
    if (known !== undefined) again++
    // What began after the losses is their consequence.
    if (at <= lastLoss || known === undefined) nodes.set(step, [...(known ?? []), node])
  }
  for (const { chain, step, at } of done) chainOf(chain).doneAt.set(step, at)
  let needed = 0
  for (const chain of chains.values()) needed += neededBy(chain, lossOf, lastLoss, isKept)
  return { again, needed }
}

interface Chain {
  /** Of each step, where its runs began. */
  readonly nodes: Map<number, string[]>
  readonly doneAt: Map<number, number>
}

function neededBy({ nodes, doneAt }: Chain, lossOf: Map<string, number>, lastLoss: number, isKept: boolean): number {
  const isGone = (node: string): boolean => lossOf.has(node)
  let first = 0
  while ((doneAt.get(first) ?? Infinity) < lastLoss) first++
  const began = nodes.get(first) ?? []
  let needed = 0
  // It runs in a tab that lives, with all that it needs.
  if (began.length > 0 && !isGone(must(began[0]))) return needed
  if (began.length > 0) needed++
  if (!isKept) return needed
  // What it takes was fetched for its run alone, so that it is where it was made; to make it again takes the one before.
  for (let step = first - 1; step >= 0 && (nodes.get(step) ?? []).every(isGone); step--) needed++
  return needed
}

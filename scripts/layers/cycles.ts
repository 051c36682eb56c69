import { resolveSpecifier } from './rules.ts'
import type { Tree } from './tree.ts'

/**
 * Cycles of value imports between files, each once, as paths with the first repeated at the end. One cycle is reported
 * per strongly connected set: breaking it shows the next. Algorithm: Tarjan, "Depth-first search and linear graph
 * algorithms", SIAM J. Comput. 1 (1972).
 */
export function findCycles(tree: Tree): string[][] {
  const edges = new Map<string, string[]>()
  for (const file of tree.files.values()) {
    const targets = file.imports
      .filter(({ kind }) => kind === 'value')
      .map(({ specifier }) => resolveSpecifier(tree, file, specifier))
      .filter((path) => path !== undefined && tree.files.has(path))
    edges.set(file.path, [...new Set(targets as string[])])
  }
  return stronglyConnected(edges)
    .filter((set) => set.length > 1 || edges.get(set[0] ?? '')?.includes(set[0] ?? ''))
    .map((set) => shortestCycle(edges, new Set(set)))
}

function stronglyConnected(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const onStack = new Set<string>()
  const stack: string[] = []
  const sets: string[][] = []
  const visit = (path: string): void => {
    const order = index.size
    index.set(path, order)
    low.set(path, order)
    stack.push(path)
    onStack.add(path)
    for (const next of edges.get(path) ?? []) {
      if (!index.has(next)) {
        visit(next)
        low.set(path, Math.min(low.get(path) ?? order, low.get(next) ?? order))
      } else if (onStack.has(next)) {
        low.set(path, Math.min(low.get(path) ?? order, index.get(next) ?? order))
      }
    }
    if (low.get(path) !== order) return
    const set = stack.splice(stack.indexOf(path))
    for (const member of set) onStack.delete(member)
    sets.push(set)
  }
  for (const path of edges.keys()) if (!index.has(path)) visit(path)
  return sets
}

/** Breadth first from the set's first file by name back to itself, staying inside the set. */
function shortestCycle(edges: ReadonlyMap<string, readonly string[]>, set: ReadonlySet<string>): string[] {
  const start = [...set].sort()[0] ?? ''
  const queue: string[][] = [[start]]
  const seen = new Set<string>()
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const next of edges.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return [...path, start]
      if (!set.has(next) || seen.has(next)) continue
      seen.add(next)
      queue.push([...path, next])
    }
  }
  return [start]
}

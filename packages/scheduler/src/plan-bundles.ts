import { showResources, unitsOf } from '@shoal/protocol'
import type { GroupStrategy, ResourceSet } from '@shoal/protocol'
import { fittingIn } from './shape.ts'

/** What a node has, or has free. */
export interface NodeRoom<N extends string = string> {
  readonly node: N
  readonly resources: ResourceSet
}

/** Branches that are tried: past it a plan may exist and not be found. Groups of a few bundles never come near. */
const MOST_STEPS = 2_000

/**
 * Where to put the bundles of a placement group so that all of them fit, or undefined. `room` in the order in which nodes are
 * liked; `taken`: where other bundles of the group are already, in turn. PACK uses few nodes and SPREAD many, as far as
 * there is room; STRICT_PACK one, STRICT_SPREAD a different one for each. Pure.
 */
export function planBundles<N extends string>(
  bundles: readonly ResourceSet[],
  strategy: GroupStrategy,
  room: readonly NodeRoom<N>[],
  taken: readonly N[] = [],
): N[] | undefined {
  if (strategy === 'PACK' || strategy === 'STRICT_PACK') {
    const sum = sumResources(bundles)
    const liked = [...room].sort((a, b) => Number(taken.includes(b.node)) - Number(taken.includes(a.node)))
    const [allowed] = taken
    const one = liked.find(
      ({ node, resources }) =>
        (strategy === 'PACK' || allowed === undefined || node === allowed) && fittingIn(resources, sum, 1) > 0,
    )
    if (one !== undefined) return bundles.map(() => one.node)
    if (strategy === 'STRICT_PACK') return undefined
  }
  return search(bundles, strategy, room, taken)
}

/** Depth first, the largest bundle first: with enough steps it finds a plan where there is one. */
function search<N extends string>(
  bundles: readonly ResourceSet[],
  strategy: GroupStrategy,
  room: readonly NodeRoom<N>[],
  taken: readonly N[],
): N[] | undefined {
  const weight = (set: ResourceSet): number => set.reduce((sum, { name, units }) => sum + units / mostOf(room, name), 0)
  const left = room.map(({ node, resources }) => ({
    node,
    free: new Map(resources.map(({ name, units }) => [name, units])),
    count: taken.filter((each) => each === node).length,
    size: weight(resources),
  }))
  // The largest first: a few of those hold the most.
  if (strategy === 'PACK') left.sort((a, b) => b.size - a.size)
  const isStrict = strategy === 'STRICT_SPREAD'
  if (mayNever(bundles, room)) return undefined
  if (isStrict && left.filter(({ count }) => count === 0).length < bundles.length) return undefined
  const order = bundles.map((_, index) => index).sort((a, b) => weight(bundles[b] ?? []) - weight(bundles[a] ?? []))
  const plan: N[] = []
  let steps = 0
  const place = (depth: number): boolean => {
    const index = order[depth]
    if (index === undefined) return true
    const bundle = bundles[index] ?? []
    const liked = [...left].sort((a, b) =>
      strategy === 'PACK' ? Number(b.count > 0) - Number(a.count > 0) : a.count - b.count,
    )
    for (const at of liked) {
      if (isStrict && at.count > 0) continue
      if (!bundle.every(({ name, units }) => units <= (at.free.get(name) ?? 0))) continue
      if (++steps > MOST_STEPS) return false
      take(at.free, bundle, -1)
      at.count++
      plan[index] = at.node
      if (place(depth + 1)) return true
      take(at.free, bundle, 1)
      at.count--
    }
    return false
  }
  return place(0) ? plan : undefined
}

/** Too little of something in all nodes together, or too few places for all bundles of a kind: no search would find a plan. */
function mayNever(bundles: readonly ResourceSet[], room: readonly NodeRoom[]): boolean {
  const all = sumResources(room.map(({ resources }) => resources))
  if (sumResources(bundles).some(({ name, units }) => units > unitsOf(all, name))) return true
  const kinds = new Map<string, { readonly bundle: ResourceSet; count: number }>()
  for (const bundle of bundles) {
    const key = showResources(bundle)
    const kind = kinds.get(key) ?? { bundle, count: 0 }
    kinds.set(key, kind)
    kind.count++
  }
  return [...kinds.values()].some(
    ({ bundle, count }) => room.reduce((sum, { resources }) => sum + fittingIn(resources, bundle, count), 0) < count,
  )
}

function take(free: Map<string, number>, bundle: ResourceSet, change: 1 | -1): void {
  for (const { name, units } of bundle) free.set(name, (free.get(name) ?? 0) + change * units)
}

function mostOf(room: readonly NodeRoom[], name: string): number {
  return Math.max(1, ...room.map(({ resources }) => unitsOf(resources, name)))
}

/** Together. */
export function sumResources(sets: readonly ResourceSet[]): ResourceSet {
  const sums = new Map<string, number>()
  for (const set of sets) for (const { name, units } of set) sums.set(name, (sums.get(name) ?? 0) + units)
  return [...sums].map(([name, units]) => ({ name, units })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** In words for people, why a group can never be made of what these nodes have; undefined where it can. */
export function whyNoPlan(
  bundles: readonly ResourceSet[],
  strategy: GroupStrategy,
  nodes: readonly NodeRoom[],
  taken: readonly string[] = [],
): string | undefined {
  if (planBundles(bundles, strategy, nodes, taken) !== undefined) return undefined
  const lonely = bundles.find((bundle) => nodes.every(({ resources }) => fittingIn(resources, bundle, 1) === 0))
  if (lonely !== undefined) return `no tab has ${showResources(lonely)}`
  if (strategy === 'STRICT_PACK') return `no tab has ${showResources(sumResources(bundles))}, all of its bundles`
  if (strategy === 'STRICT_SPREAD')
    return `its ${bundles.length} bundles need as many tabs that have room for one each, and there are too few`
  const sum = sumResources(bundles)
  const all = sumResources(nodes.map(({ resources }) => resources))
  const missing = sum.flatMap(({ name, units }) => {
    const lack = units - unitsOf(all, name)
    return lack > 0 ? [{ name, units: lack }] : []
  })
  if (missing.length > 0) return `all tabs together lack ${showResources(missing)}`
  return 'its bundles do not fit into what the tabs have'
}

import fc from 'fast-check'
import { toResourceSet, unitsOf } from '@shoal/protocol'
import type { GroupStrategy, ResourceSet } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { planBundles, sumResources, whyNoPlan } from './plan-bundles.ts'
import type { NodeRoom } from './plan-bundles.ts'

type Amounts = Readonly<Record<string, number>>
const bundles = (...amounts: Amounts[]): ResourceSet[] => amounts.map(toResourceSet)
const rooms = (nodes: Readonly<Record<string, Amounts>>): NodeRoom[] =>
  Object.entries(nodes).map(([node, amounts]) => ({ node, resources: toResourceSet(amounts) }))
const ONE = { CPU: 1 }
const STRATEGIES: readonly GroupStrategy[] = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD']

describe('where bundles go', () => {
  it('[SC19] PACK takes one node where that is enough, else as few as it finds', () => {
    const nodes = rooms({ a: ONE, b: { CPU: 3 }, c: { CPU: 3 } })
    expect(planBundles(bundles(ONE, ONE, ONE), 'PACK', nodes)).toEqual(['b', 'b', 'b'])
    expect(new Set(planBundles(bundles(ONE, { CPU: 3 }, ONE), 'PACK', nodes)).size).toBe(2)
    expect(planBundles(bundles(ONE), 'PACK', nodes, ['c'])).toEqual(['c'])
  })

  it('[SC19] STRICT_PACK takes one node or none', () => {
    const nodes = rooms({ a: { CPU: 2 }, b: { CPU: 2, GPU: 1 } })
    expect(planBundles(bundles(ONE, { CPU: 1, GPU: 1 }), 'STRICT_PACK', nodes)).toEqual(['b', 'b'])
    expect(planBundles(bundles(ONE, { CPU: 2 }), 'STRICT_PACK', nodes)).toBeUndefined()
    expect(planBundles(bundles(ONE), 'STRICT_PACK', nodes, ['b'])).toEqual(['b'])
  })

  it('[SC19] SPREAD takes a node each as far as there are any; STRICT_SPREAD insists', () => {
    const nodes = rooms({ a: { CPU: 4 }, b: { CPU: 4 } })
    const counts = (plan: string[] | undefined): number[] =>
      [...new Set(plan)].map((node) => plan?.filter((at) => at === node).length ?? 0)
    expect(counts(planBundles(bundles(ONE, ONE, ONE, ONE), 'SPREAD', nodes))).toEqual([2, 2])
    expect(counts(planBundles(bundles(ONE, ONE), 'STRICT_SPREAD', nodes))).toEqual([1, 1])
    expect(planBundles(bundles(ONE, ONE, ONE), 'STRICT_SPREAD', nodes)).toBeUndefined()
    expect(planBundles(bundles(ONE), 'STRICT_SPREAD', nodes, ['a'])).toEqual(['b'])
    expect(planBundles(bundles(ONE, ONE), 'STRICT_SPREAD', nodes, ['a'])).toBeUndefined()
  })

  it('[SC19] goes back on a choice that leaves no room for the rest', () => {
    // The bundle that fits anywhere must not take the only node with a camera.
    const nodes = rooms({ a: { CPU: 1, camera: 1 }, b: { CPU: 1 } })
    expect(planBundles(bundles(ONE, { CPU: 1, camera: 1 }), 'STRICT_SPREAD', nodes)).toEqual(['b', 'a'])
    expect(
      planBundles(
        bundles({ CPU: 0.5, microphone: 1 }, { CPU: 1 }),
        'SPREAD',
        rooms({ a: { CPU: 1, microphone: 1 }, b: { CPU: 0.5 } }),
      ),
    ).toBeUndefined()
  })

  it('[SC19] finds a plan where there is one, and every plan fits and keeps its strategy', () => {
    const set = fc.record({ CPU: fc.integer({ min: 1, max: 4 }), GPU: fc.integer({ min: 0, max: 2 }) })
    let found = 0
    let none = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...STRATEGIES),
        fc.array(set, { minLength: 1, maxLength: 4 }),
        fc.array(set, { maxLength: 4 }),
        (strategy, wanted, offered) => {
          const sets = wanted.map(toResourceSet)
          const nodes = offered.map((amounts, n) => ({ node: `n${n}`, resources: toResourceSet(amounts) }))
          const plan = planBundles(sets, strategy, nodes)
          const plans = allPlans(
            sets.length,
            nodes.map(({ node }) => node),
          ).filter((each) => isGood(each, sets, strategy, nodes))
          if (plan === undefined) {
            none++
            expect(plans).toEqual([])
            expect(whyNoPlan(sets, strategy, nodes)).toMatch(/tab/)
          } else {
            found++
            expect(isGood(plan, sets, strategy, nodes)).toBe(true)
            expect(whyNoPlan(sets, strategy, nodes)).toBeUndefined()
            const nodesOf = (each: readonly string[]): number => new Set(each).size
            // PACK on one node wherever one is enough.
            if (strategy === 'PACK' && plans.some((each) => nodesOf(each) === 1)) expect(nodesOf(plan)).toBe(1)
          }
        },
      ),
      { numRuns: 500, seed: 3 },
    )
    expect(Math.min(found, none)).toBeGreaterThan(50)
  })

  it('[SC20] says what is missing', () => {
    const nodes = rooms({ a: { CPU: 2 }, b: { CPU: 2 } })
    expect(whyNoPlan(bundles(ONE, { GPU: 2 }), 'PACK', nodes)).toBe('no tab has 2 GPU')
    expect(whyNoPlan(bundles({ CPU: 2 }, { CPU: 2 }, ONE), 'PACK', nodes)).toBe('all tabs together lack 1 CPU')
    expect(whyNoPlan(bundles({ CPU: 2 }, ONE), 'STRICT_PACK', nodes)).toBe('no tab has 3 CPU, all of its bundles')
    expect(whyNoPlan(bundles(ONE, ONE, ONE), 'STRICT_SPREAD', nodes)).toMatch(/3 bundles need as many tabs/)
    expect(whyNoPlan(bundles({ CPU: 1.5 }, { CPU: 1.5 }, ONE), 'PACK', nodes)).toMatch(/do not fit/)
  })
})

function allPlans(count: number, nodes: readonly string[]): string[][] {
  if (count === 0) return [[]]
  return allPlans(count - 1, nodes).flatMap((plan) => nodes.map((node) => [...plan, node]))
}

function isGood(
  plan: readonly string[],
  sets: readonly ResourceSet[],
  strategy: GroupStrategy,
  nodes: readonly NodeRoom[],
): boolean {
  const used = new Set(plan)
  if (strategy === 'STRICT_PACK' && used.size > 1) return false
  if (strategy === 'STRICT_SPREAD' && used.size < plan.length) return false
  return nodes.every(({ node, resources }) =>
    sumResources(sets.filter((_, index) => plan[index] === node)).every(
      ({ name, units }) => units <= unitsOf(resources, name),
    ),
  )
}

import { toResourceSet, unitsOf } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Capacity } from './capacity.ts'

const NAMES = ['CPU', 'GPU', 'camera', 'memory']
const amounts = fc.dictionary(fc.constantFrom(...NAMES), fc.integer({ min: 0, max: 30_000 }), { maxKeys: 4 })
const sets = amounts.map((units) =>
  toResourceSet(Object.fromEntries(Object.entries(units).map(([name, n]) => [name, n / 10_000]))),
)

describe('what a node has', () => {
  it('[S1] is exact: taking what fits never exceeds it, and giving all back leaves nothing in use', () => {
    fc.assert(
      fc.property(sets, fc.array(sets, { maxLength: 40 }), (total, wanted) => {
        const capacity = new Capacity(total)
        const taken: (typeof total)[] = []
        for (const set of wanted) {
          const demand = capacity.demand(set)
          const free = capacity.free(demand, 99)
          expect(capacity.fits(demand)).toBe(free > 0)
          if (free === 0) continue
          capacity.take(demand)
          taken.push(set)
          for (const { name, units } of total) {
            const used = taken.reduce((sum, other) => sum + unitsOf(other, name), 0)
            expect(unitsOf(capacity.used(), name)).toBe(used)
            expect(used).toBeLessThanOrEqual(units)
          }
        }
        for (const set of taken) capacity.give(capacity.demand(set))
        expect(capacity.used()).toEqual([])
      }),
    )
  })

  it('[SC10] gives back the CPUs of what waits, and nothing else', () => {
    const capacity = new Capacity(toResourceSet({ CPU: 1, camera: 1 }))
    const demand = capacity.demand(toResourceSet({ CPU: 0.7, camera: 0.3 }))
    capacity.take(demand)
    capacity.giveCpus(demand)
    expect(capacity.used()).toEqual(toResourceSet({ camera: 0.3 }))
    capacity.takeCpus(demand)
    capacity.give(demand)
    expect(capacity.used()).toEqual([])
    const none = new Capacity(toResourceSet({ camera: 1 }))
    const camera = none.demand(toResourceSet({ camera: 1 }))
    none.take(camera)
    none.giveCpus(camera)
    expect(none.used()).toEqual(toResourceSet({ camera: 1 }))
  })

  it('[SC11] says what it could never take, and how many at a time it could beside the actors', () => {
    const capacity = new Capacity(toResourceSet({ CPU: 4, camera: 3 }))
    expect(capacity.demand(toResourceSet({ camera: 3.0001 })).isFeasible).toBe(false)
    expect(capacity.demand(toResourceSet({ GPU: 0.0001 })).isFeasible).toBe(false)
    const demand = capacity.demand(toResourceSet({ CPU: 1, camera: 0.7 }))
    expect(capacity.slots(demand, 99)).toBe(4)
    capacity.reserve(toResourceSet({ camera: 2.7 }), 1)
    expect([capacity.slots(demand, 99), capacity.fits(demand)]).toEqual([0, false])
    expect(capacity.fits(capacity.demand(toResourceSet({ camera: 0.3 })))).toBe(true)
    capacity.reserve(toResourceSet({ camera: 2.7 }), -1)
    expect(capacity.used()).toEqual([])
    expect(capacity.slots(capacity.demand([]), 99)).toBe(99)
  })
})

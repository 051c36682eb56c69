import { seededRandom } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorityOf, compareEpochs, drawSuccessors, firstSuccession, isNewer, SUCCESSORS } from './succession.ts'
import type { Candidate } from './succession.ts'

const random = seededRandom(7)
const nodes = Array.from({ length: 12 }, () => randomNodeId(random))
const [owner, ...others] = nodes as [NodeId, ...NodeId[]]
const node = fc.constantFrom(...others)
const live = fc.uniqueArray(node)

describe('authorityOf', () => {
  it('[G1] is the owner while it lives, then the first live successor, then the same live node for everybody', () => {
    fc.assert(
      fc.property(fc.uniqueArray(node, { maxLength: 3 }), live, fc.boolean(), (successors, alive, isOwnerUp) => {
        const up = new Set(isOwnerUp ? [owner, ...alive] : alive)
        const list = { ...firstSuccession(owner), successors }
        const authority = authorityOf(list, (each) => up.has(each), [...up])
        const expected = [owner, ...successors].find((each) => up.has(each))
        if (expected !== undefined) expect(authority).toBe(expected)
        else if (up.size > 0) expect(up.has(authority as NodeId)).toBe(true)
        else expect(authority).toBeUndefined()
        // Equal views, in whatever order they are kept.
        expect(authorityOf(list, (each) => up.has(each), [...up].reverse())).toBe(authority)
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  it('[G1] a later list of an epoch replaces an earlier one, and a higher epoch any list', () => {
    const first = firstSuccession(owner)
    expect(isNewer({ ...first, version: 1 }, first)).toBe(true)
    expect(isNewer(first, { ...first, version: 1 })).toBe(false)
    const taken = { ...first, epoch: { number: 1, minter: others[0] as NodeId } }
    expect(isNewer(taken, { ...first, version: 9 })).toBe(true)
    expect(compareEpochs(taken.epoch, { number: 1, minter: others[0] as NodeId })).toBe(0)
    expect(isNewer(first, first)).toBe(false)
  })
})

describe('drawSuccessors', () => {
  const candidate: fc.Arbitrary<Candidate> = fc.record({
    node,
    device: fc.constantFrom('desk', 'phone', 'lap', undefined),
  })
  const candidates = fc.uniqueArray(candidate, { selector: (each) => each.node })

  it('[G7] keeps those it has, fills free places, and never moves the ledger because somebody joined', () => {
    fc.assert(
      fc.property(candidates, candidates, (before, joined) => {
        const answerer = { node: owner, device: 'desk' }
        const drawn = drawSuccessors(owner, answerer, [], before)
        expect(drawn.length).toBe(Math.min(SUCCESSORS, before.length))
        const known = new Map([...joined, ...before].map((each) => [each.node, each]))
        const later = drawSuccessors(owner, answerer, drawn, [...known.values()])
        expect(later.slice(0, drawn.length)).toEqual(drawn)
        // Without those that died.
        const left = [...known.values()].filter((each) => each.node !== drawn[0])
        const after = drawSuccessors(owner, answerer, later, left)
        for (const each of later) if (each !== drawn[0]) expect(after).toContain(each)
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it('[G7] takes other devices first: tabs of one window die together', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const drawn = drawSuccessors(owner, { node: owner, device: 'desk' }, [], all)
        const devices = new Map(all.map((each) => [each.node, each.device]))
        const elsewhere = new Set(
          all.map(({ device }) => device).filter((each) => each !== undefined && each !== 'desk'),
        )
        const used = drawn.map((each) => devices.get(each)).filter((each) => each !== undefined && each !== 'desk')
        expect(new Set(used).size).toBe(Math.min(elsewhere.size, SUCCESSORS))
      }),
      { seed: 6, numRuns: 500 },
    )
  })

  it('[G7] spreads the ledgers of many owners over the room', () => {
    const counts = new Map<NodeId, number>()
    for (let i = 0; i < 1_000; i++) {
      const some = randomNodeId(random)
      const drawn = drawSuccessors(
        some,
        { node: some, device: undefined },
        [],
        nodes.map((each) => ({ node: each, device: undefined })),
      )
      for (const each of drawn) counts.set(each, (counts.get(each) ?? 0) + 1)
    }
    const mean = (1_000 * SUCCESSORS) / nodes.length
    for (const each of nodes) {
      expect(counts.get(each)).toBeGreaterThan(mean * 0.6)
      expect(counts.get(each)).toBeLessThan(mean * 1.4)
    }
  })
})

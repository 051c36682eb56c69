import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { LIMITS } from './limits.ts'
import { ProtocolError } from './protocol-error.ts'
import { fromResourceSet, resourceSet, showResources, toResourceSet, unitsOf } from './resources.ts'
import type { ResourceSet } from './resources.ts'

function sent(set: ResourceSet): ResourceSet {
  const writer = new ByteWriter()
  resourceSet.write(writer, set)
  return resourceSet.read(new ByteReader(writer.finish()))
}

describe('a set of resources', () => {
  it('is sorted, exact to 0.0001, without what is 0, and says so in words', () => {
    const set = toResourceSet({ camera: 0.3, CPU: 1, memory: 1024, idle: 0 })
    expect(set).toEqual([
      { name: 'CPU', units: 10_000 },
      { name: 'camera', units: 3_000 },
      { name: 'memory', units: 10_240_000 },
    ])
    expect(fromResourceSet(set)).toEqual({ CPU: 1, camera: 0.3, memory: 1024 })
    expect([unitsOf(set, 'camera'), unitsOf(set, 'GPU')]).toEqual([3_000, 0])
    expect(showResources(set)).toBe('1 CPU, 0.3 camera, 1024 bytes of memory')
    expect(showResources([])).toBe('no resources')
  })

  it('comes through the wire as it was, whatever its names are', () => {
    const names = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => sentName(name) === name)
    const amounts = fc.dictionary(names, fc.integer({ min: 0, max: 1e7 }), { maxKeys: LIMITS.resources })
    fc.assert(
      fc.property(amounts, (units) => {
        const set = toResourceSet(Object.fromEntries(Object.entries(units).map(([name, n]) => [name, n / 10_000])))
        expect(sent(set)).toEqual(set)
        expect(toResourceSet(fromResourceSet(set))).toEqual(set)
      }),
    )
  })

  it('that is not in its one order, or out of bounds, is refused', () => {
    const [a, b] = [
      { name: 'a', units: 1 },
      { name: 'b', units: 1 },
    ]
    const many = Array.from({ length: LIMITS.resources + 1 }, (_, n) => ({ name: `r${100 + n}`, units: 1 }))
    const wrong: ResourceSet[] = [
      [b, a],
      [a, a],
      [{ name: '', units: 1 }],
      [{ name: 'a', units: 0 }],
      [{ name: 'a', units: LIMITS.resourceUnits + 1 }],
      many,
    ]
    for (const set of wrong) expect(() => sent(set)).toThrow(ProtocolError)
    expect(sent(many.slice(1))).toEqual(many.slice(1))
  })
})

/** What UTF-8 makes of a name: lone surrogates do not come through. */
function sentName(name: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(name))
}

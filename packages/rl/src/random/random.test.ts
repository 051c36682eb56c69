import { describe, expect, it } from 'vitest'
import { Pcg64 } from './pcg64.ts'
import { uniform } from './random.ts'
import { seedSequenceState } from './seed-sequence.ts'
import { mixSeeds, portableLog, splitmix32, Xoshiro128 } from './xoshiro128.ts'

/** rand_xoshiro's vector for Xoshiro128StarStar. */
const XOSHIRO_REFERENCE = [11520, 0, 5927040, 70819200, 2031721883, 1637235492]

describe('SeedSequence', () => {
  it("gives NumPy's state words for seed 123", () => {
    expect([...seedSequenceState(123, 8)]).toEqual([
      693650678, 2973253328, 387799215, 2723177262, 1950554525, 2259100799, 3240087069, 325969891,
    ])
  })

  it('tells a seed above 2^32 from its low word', () => {
    expect(seedSequenceState(2 ** 32 + 7, 4)).not.toEqual(seedSequenceState(7, 4))
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => seedSequenceState(seed, 4)).toThrow(RangeError)
  })
})

describe('Pcg64', () => {
  it("gives NumPy's first words for seed 123", () => {
    const random = new Pcg64(123)
    expect([random.nextUint64(), random.nextUint64(), random.nextUint64()]).toEqual([
      0xaeae9c9903f3e9cdn,
      0x0dc736db97cb6d23n,
      0x3869812ee8b9ea96n,
    ])
  })

  it.each([
    [0, [0.6369616873214543, 0.2697867137638703, 0.04097352393619469]],
    [42, [0.7739560485559633, 0.4388784397520523, 0.8585979199113825]],
  ])("gives NumPy's doubles for seed %s", (seed, expected) => {
    const random = new Pcg64(seed)
    expect([random.nextDouble(), random.nextDouble(), random.nextDouble()]).toEqual(expected)
  })
})

describe('Xoshiro128', () => {
  it('gives the reference outputs for the state 1, 2, 3, 4', () => {
    const random = Xoshiro128.fromState(1, 2, 3, 4)
    expect(Array.from({ length: 6 }, () => random.nextUint32())).toEqual(XOSHIRO_REFERENCE)
  })

  it('starts the same stream after reseed, a spare normal included', () => {
    const random = new Xoshiro128(5)
    const first = [random.nextNormal(), random.nextDouble()]
    random.nextNormal()
    random.reseed(5)
    expect([random.nextNormal(), random.nextDouble()]).toEqual(first)
  })

  it('draws uniforms and integers inside their bounds and evenly', () => {
    const random = new Xoshiro128(1)
    const counts = new Uint32Array(10)
    for (let i = 0; i < 100_000; i += 1) counts[random.nextInt(10)]! += 1
    // 5 standard deviations of a binomial(100000, 0.1).
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(9000))
    expect(uniform({ nextDouble: () => 0.25 }, -2, 2)).toBe(-1)
  })

  it('draws normals with the moments and tails of N(0, 1)', () => {
    const random = new Xoshiro128(2)
    const n = 200_000
    const sums = [0, 0, 0, 0]
    let beyondTwo = 0
    for (let i = 0; i < n; i += 1) {
      const x = random.nextNormal()
      for (let k = 0; k < 4; k += 1) sums[k]! += x ** (k + 1) / n
      if (Math.abs(x) > 2) beyondTwo += 1
    }
    expect(sums[0]).toBeCloseTo(0, 1.8)
    expect(sums[1]).toBeCloseTo(1, 1.5)
    expect(sums[2]).toBeCloseTo(0, 1.2)
    expect(sums[3]).toBeCloseTo(3, 0.8)
    expect(beyondTwo / n).toBeCloseTo(0.0455, 2.2)
  })

  it('refuses the all-zero state', () => {
    expect(() => Xoshiro128.fromState(0, 0, 0, 0)).toThrow(RangeError)
  })
})

describe('portableLog', () => {
  it('agrees with Math.log to 1e-13 relative', () => {
    const random = new Xoshiro128(3)
    for (let i = 0; i < 10_000; i += 1) {
      const x = random.nextDouble() ** 3 + 1e-12
      if (x > 1) continue
      expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(Math.log(x))))
    }
    expect(portableLog(1)).toBe(0)
  })
})

describe('mixSeeds', () => {
  it('depends on every part and on their order', () => {
    const seeds = [mixSeeds(1, 2), mixSeeds(2, 1), mixSeeds(1, 2, 0), mixSeeds(1), mixSeeds(0, 1), splitmix32(1)]
    expect(new Set(seeds).size).toBe(seeds.length)
  })
})

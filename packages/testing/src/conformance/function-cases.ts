import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import { CaptureError } from '@shoal/protocol'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Functions and what they may use: Ray's cases 8, 13, 16, 17. */
export function functionCases(it: DefineCase): void {
  it(
    '[SF1] what a function uses is handed in by name, beside the SDK itself',
    async ({ api: { remote, get, put } }) => {
      const add = remote((a: number, b: number) => a + b)
      const limit = 10
      const table = new Map([['x', [1, 2, 3]]])
      const shared = put(100)
      const uses = { add, limit, table, shared }
      const f = remote(uses, async ({ add, limit, table, shared, get }, n: number) => {
        const sum = await get(add.remote(n, limit))
        return [sum, table.get('x')?.length, await get(shared)]
      })
      equals(await get(f.remote(5)), [15, 3, 100])
      equals(await get(f.remote(6)), [16, 3, 100])
    },
    { leaves: true },
  )

  it(
    '[SF2] what a function captures besides is refused by name',
    async ({ api: { remote, get } }) => {
      const outside = 5
      const captures = remote(() => outside)
      const error = await rejection(get(captures.remote()), CaptureError)
      equals(error.code, 'capture')
      // A minifier may have given it another name, or none.
      isTrue(error.details.identifier !== undefined, 'the identifier is named')
      matches(error.message, /hand|name/)
    },
    { isSimulatedOnly: true },
  )

  it('[SF3] functions call each other and themselves (Ray 8)', async ({ api: { remote, get } }) => {
    type Factorial = RemoteFunction<[self: Factorial, n: number], number>
    const factorial: Factorial = remote({}, async ({ get }, self: Factorial, n: number): Promise<number> =>
      n < 2 ? 1 : n * (await get(self.remote(self, n - 1))),
    )
    equals(await get(factorial.remote(factorial, 5)), 120)
    const g = remote(() => 1)
    const f = remote({}, async ({ get, remote }, g: RemoteFunction<[], number>) => {
      const h = remote(() => 2)
      return get([g.remote(), h.remote()])
    })
    equals(await get(f.remote(g)), [1, 2])
    type Parity = RemoteFunction<[other: Parity, self: Parity, n: number], boolean>
    const even: Parity = remote({}, async ({ get }, other: Parity, self: Parity, n: number): Promise<boolean> =>
      n === 0 ? true : get(other.remote(self, other, n - 1)),
    )
    const odd: Parity = remote({}, async ({ get }, other: Parity, self: Parity, n: number): Promise<boolean> =>
      n === 0 ? false : get(other.remote(self, other, n - 1)),
    )
    equals(await get([even.remote(odd, even, 6), even.remote(odd, even, 7)]), [true, false])
  })

  it(
    '[SF4] functions of one name never mix (Ray 16, 17)',
    async ({ api: { remote, get } }) => {
      const named = Array.from({ length: 100 }, (_, i) => remote({ i }, ({ i }) => i, { name: 'f' }))
      const values = await get(named.flatMap((f) => [f.remote(), f.remote()]))
      equals(
        values,
        named.flatMap((_, i) => [i, i]),
      )
      const versions = [
        remote(() => 'one', { name: 'f' }),
        remote(() => 'two', { name: 'f' }),
        remote(() => 'three', { name: 'f' }),
        remote(() => 'four', { name: 'f' }),
        remote(() => 'five', { name: 'f' }),
      ]
      const batches = await get(versions.flatMap((f) => Array.from({ length: 200 }, () => f.remote())))
      equals(
        batches,
        ['one', 'two', 'three', 'four', 'five'].flatMap((word) => Array.from({ length: 200 }, () => word)),
      )
    },
    { leaves: true },
  )

  it('[SF4] a nested function closes over its own value each time (Ray 16)', async ({ api: { remote, get } }) => {
    const outer = remote({}, async ({ remote, get }, i: number) => {
      const j = remote({ i }, ({ i }) => i)
      return get(j.remote())
    })
    equals(
      await get(Array.from({ length: 20 }, (_, i) => outer.remote(i))),
      Array.from({ length: 20 }, (_, i) => i),
    )
  })

  it(
    '[SF4] a function that a task defines keeps what it was given by name',
    async ({ api: { remote, get, put } }) => {
      const outer = remote({}, async ({ remote, get, put }, box: readonly [ObjectRef<number>]) => {
        const [given] = box
        const own = put(20)
        const inner = remote({ given, own }, async ({ given, own, get }) => get([given, own]))
        return get([inner.remote(), inner.remote()])
      })
      const ref = put(1)
      const results = Array.from({ length: 10 }, () => outer.remote([ref]))
      ref.release()
      for (const result of await get(results))
        equals(result, [
          [1, 20],
          [1, 20],
        ])
    },
    { leaves: true },
  )

  it(
    '[SF5] what is too large to ship is refused where it is given (Ray 13)',
    ({ api: { remote } }) => {
      const table = new Uint8Array(100 * 1024 * 1024)
      matches(thrown(() => remote({ table }, ({ table }) => table.length), RangeError).message, /bytes.*put\(\)/s)
      return Promise.resolve()
    },
    { isSimulatedOnly: true },
  )

  it('[SF6] a function, its options and an actor class travel as values', async ({ api: { remote, get, actor } }) => {
    const two = remote((): [number, number] => [1, 2], { numReturns: 2, name: 'two' })
    const call = remote({}, async ({ get }, f: typeof two) => get(f.remote()))
    equals(await get(call.remote(two)), [1, 2])
    class Adder {
      sum = 0
      add(n: number): number {
        return (this.sum += n)
      }
    }
    const Counter = actor(Adder)
    const make = remote({}, async ({ get }, Class: typeof Counter) => {
      const counter = Class.remote()
      await get(counter.add.remote(1))
      return get(counter.add.remote(2))
    })
    equals(await get(make.remote(Counter)), 3)
  })
}

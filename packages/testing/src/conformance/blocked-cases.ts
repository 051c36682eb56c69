import type { ObjectRef, RemoteFunction } from '@shoal/core-worker'
import type { DefineCase } from './case.ts'
import { equals } from './expectations.ts'

/** Parents that wait for their children, on few slots. */
export function blockedCases(it: DefineCase): void {
  it(
    '[SB1] 1,000 x f -> g -> h finish on one slot (Ray 25)',
    async ({ api: { remote, get }, now }) => {
      const h = remote((n: number) => n + 1)
      const g = remote({ h }, async ({ h, get }, n: number) => (await get(h.remote(n))) + 1)
      const f = remote({ g }, async ({ g, get }, n: number) => (await get(g.remote(n))) + 1)
      const startedAt = now()
      const values = await get(Array.from({ length: 1_000 }, (_, n) => f.remote(n)))
      equals(
        values,
        Array.from({ length: 1_000 }, (_, n) => n + 3),
      )
      equals(now() - startedAt < 60_000, true, 'done within a minute')
    },
    { leaves: true },
  )

  it('[SB2] tasks that wait for their children finish 25 levels deep on one slot', async ({ api: { remote, get } }) => {
    type Down = RemoteFunction<[Down: unknown, depth: number], number>
    const down = remote({}, async ({ get }, self: unknown, depth: number): Promise<number> => {
      if (depth === 0) return 0
      return (await get((self as Down).remote(self, depth - 1))) + 1
    })
    equals(await get(down.remote(down, 25)), 25)
    equals(
      await get(Array.from({ length: 10 }, () => down.remote(down, 10))),
      Array.from({ length: 10 }, () => 10),
    )
  })

  it('[SB2] a child may wait for a ref that its parent was given (Ray 23)', async ({ api: { remote, get, put } }) => {
    const leaf = remote({}, async ({ get }, [ref]: readonly [ObjectRef<number>]) => (await get(ref)) + 1)
    const parent = remote({}, async ({ get }, child: unknown, box: readonly [ObjectRef<number>]) => {
      const run = child as typeof leaf
      return (await get([run.remote(box), run.remote(box)])).reduce((a, b) => a + b, 0)
    })
    equals(await get(parent.remote(leaf, [put(1)])), 4)
  })
}

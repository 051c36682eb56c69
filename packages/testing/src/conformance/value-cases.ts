import type { DefineCase } from './case.ts'
import { equals, isTrue } from './expectations.ts'

/** Values on their way, by each of the three ways; Ray's case 11. */
export function valueCases(it: DefineCase): void {
  it('[SV1] values that contain themselves, and parts that are shared (Ray 11)', async ({
    api: { put, get, remote },
  }) => {
    interface Knot {
      readonly self: Knot[]
      readonly map: Map<string, Knot>
      left: object
      right: object
    }
    const shared = { n: 1 }
    const knot: Knot = { self: [], map: new Map(), left: shared, right: shared }
    knot.self.push(knot)
    knot.map.set('it', knot)
    const isTied = (it: Knot): boolean => it.self[0] === it && it.map.get('it') === it && it.left === it.right
    const checks = remote((it: Knot) => it.self[0] === it && it.map.get('it') === it && it.left === it.right)
    const same = remote((it: Knot) => it)
    isTrue(await get(checks.remote(knot)), 'as an argument')
    isTrue(await get(checks.remote(put(knot))), 'as an argument that was put')
    isTrue(isTied(await get(same.remote(knot))), 'as a result')
  })

  it('[SV1] what is put away for good is moved, and arrives the same', async ({ api: { put, get, remote } }) => {
    const sum = remote((parts: Float64Array[]) => parts.flatMap((part) => [...part]).reduce((a, b) => a + b, 0))
    const parts = [Float64Array.of(1, 2, 3), new Float64Array(30_000).fill(1)]
    const kept = put(parts)
    equals(
      parts.map(({ length }) => length),
      [3, 30_000],
    )
    const moved = put(parts, { transfer: true })
    equals(
      parts.map(({ length }) => length),
      [0, 0],
    )
    equals(await get([sum.remote(kept), sum.remote(moved)]), [30_006, 30_006])
    equals(await get(put(7, { transfer: false })), 7)
  })

  it('[SV1] what structured clone copies arrives as it was', async ({ api: { put, get, remote } }) => {
    const same = remote((value: unknown) => value)
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
    const values: unknown[] = [
      undefined,
      null,
      true,
      -0,
      Number.NaN,
      -Infinity,
      2n ** 70n,
      'text \u{1f600} \0',
      new Date(5),
      new Set([1, 'a']),
      new Map<unknown, unknown>([[{ k: 1 }, [undefined]]]),
      { a: { b: [1, { c: 2 }] } },
      new Float64Array([0.1, -0]),
      new BigInt64Array([-1n]),
      bytes,
    ]
    equals(await get(values.map((value) => same.remote(value))), values)
    equals(await get(values.map((value) => put(value))), values)
    const pattern = await get(put(/a(b)/giu))
    equals([pattern.source, pattern.flags], ['a(b)', 'giu'])
    const views = { all: bytes, part: new Uint16Array(bytes.buffer, 2, 2) }
    const arrived = (await get(same.remote(views))) as typeof views
    isTrue(arrived.all.buffer === arrived.part.buffer, 'views onto one buffer stay so')
    equals([arrived.part.byteOffset, [...arrived.part]], [2, [...views.part]])
  })

  it('[SV1] what the sender changes later changes nothing', async ({ api: { put, get, remote } }) => {
    const list = [1, 2]
    const bytes = new Uint8Array([1, 2])
    const sum = remote((list: number[], bytes: Uint8Array) => [...list, ...bytes].reduce((a, b) => a + b, 0))
    const [refs, result] = [[put(list), put(bytes)] as const, sum.remote(list, bytes)]
    list.push(100)
    bytes[0] = 100
    equals(await get(result), 6)
    equals(
      [await get(refs[0]), [...(await get(refs[1]))]],
      [
        [1, 2],
        [1, 2],
      ],
    )
  })
}

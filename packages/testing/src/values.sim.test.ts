import { RemoteFunction } from '@shoal/core-worker'
import type { Code, ObjectRef } from '@shoal/core-worker'
import { ObjectLostError, SerializationError, TaskError } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

/** What a version of a remote module is: its class, registered there, and tasks that use it. */
const moduleText = (version: number): string => `
  const { remote, registerSerializer, registerError, get } = require('@shoal/sdk')
  class Pair {
    constructor(a, b) { this.a = a; this.b = b }
    sum() { return this.a + this.b + ${version} }
  }
  class Bad extends RangeError {}
  registerSerializer(Pair, { name: 'Pair' })
  registerError(Bad, 'Bad')
  exports.sumOf = remote((pair) => pair.sum())
  exports.swap = remote((pair) => new Pair(pair.b, pair.a))
  exports.fails = remote((pair) => { throw Object.assign(new Bad('v${version}'), { pair }) })
`

class Pair {
  a: number
  b: number
  constructor(a: number, b: number) {
    this.a = a
    this.b = b
  }
  product(): number {
    return this.a * this.b
  }
}
class Bad extends RangeError {}

describe('values between a page and its workers', () => {
  let world: SimWorld
  let tab: SimNode

  beforeEach(async () => {
    world = new SimWorld({ seed: 1 })
    tab = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true, slots: 1 })
    tab.serializers.registerSerializer(Pair, { name: 'Pair' })
    tab.serializers.registerError(Bad, 'Bad')
  })

  async function settle<T>(promise: Promise<T>): Promise<T> {
    let isOpen = true
    const end = (): void => {
      isOpen = false
    }
    promise.then(end, end)
    if (!(await world.clock.runUntil(() => !isOpen, 60_000))) throw new Error('nothing settled')
    return promise
  }

  function module(version: number): (name: string) => RemoteFunction<[Pair], unknown> {
    const name = `m${version}.remote.ts`
    const code: Code = {
      kind: 'later',
      name,
      load: () => Promise.resolve({ type: 'module', name, source: moduleText(version) }),
    }
    return (exportName) =>
      new RemoteFunction({ code, exportName, name: exportName, arity: undefined }, {}, () => tab.core)
  }

  it('[V6] each version of a module has classes of its own under one name, in one worker', async () => {
    const { get, put } = tab.api
    const [one, two] = [module(1), module(2)]
    const pair = put(new Pair(3, 4))
    const sums = [one, two, one, two].map((of) => of('sumOf').remote(pair))
    expect(await settle(get(sums))).toEqual([8, 9, 8, 9])
    expect(tab.workers.workers.size).toBe(1)
    const swapped = (await settle(get(one('swap').remote(new Pair(3, 4))))) as Pair
    expect(swapped).toBeInstanceOf(Pair)
    expect([swapped.a, swapped.b, swapped.product()]).toEqual([4, 3, 12])
    // A ref to what one version made, given to the other.
    expect(await settle(get(two('sumOf').remote(one('swap').remote(pair) as ObjectRef<Pair>)))).toBe(9)
    const error = await settle(get(two('fails').remote(pair))).catch((thrown: unknown) => thrown)
    for (const Class of [TaskError, Bad, RangeError]) expect(error).toBeInstanceOf(Class)
    expect((error as { pair: Pair }).pair.product()).toBe(12)
  })

  it('[V6] an inline function, which registers nothing, is given none, and says so', async () => {
    const { get, remote } = tab.api
    const inline = remote((pair: Pair) => pair.a)
    const error = await settle(get(inline.remote(new Pair(1, 2)))).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SerializationError)
    expect((error as Error).message).toContain('no class is registered')
  })

  it('[V7] transfer() moves an argument, a stored value and a result', async () => {
    const { get, put, remote, transfer } = tab.api
    const doubled = remote({}, ({ transfer: move }, numbers: Float64Array) => {
      const result = numbers.map((n) => 2 * n)
      const sent = move(result)
      return { result: sent, length: sent.length }
    })
    const [argument, stored] = [new Float64Array(10).fill(1), new Float64Array(5_000).fill(2)]
    const refs = [doubled.remote(transfer(argument)), doubled.remote(put(transfer(stored)))]
    expect([argument.length, stored.length]).toEqual([0, 0])
    const [first, second] = await settle(get(refs))
    expect([first?.result.length, first?.result[9], first?.length]).toEqual([10, 2, 10])
    expect([second?.result.length, second?.result[4_999]]).toEqual([5_000, 4])
  })

  it('[E5] f(a(b)) with b failing tells of each level; a released ref that is used is an ObjectLostError', async () => {
    const { get, put, remote } = tab.api
    const b = remote(
      (): number => {
        throw new RangeError('no')
      },
      { name: 'b' },
    )
    const pass = remote((_first: number, n: number) => n)
    const chain = pass.options({ name: 'f' }).remote(1, pass.options({ name: 'a' }).remote(b.remote(), 2))
    const error = await settle(get(chain)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RangeError)
    expect((error as Error).message).toBe(
      'argument 1 of f could not be computed: argument 0 of a could not be computed: b failed: RangeError: no',
    )
    const ref = put(1)
    ref.release()
    await expect(get(ref)).rejects.toBeInstanceOf(ObjectLostError)
    await expect(get(ref)).rejects.toMatchObject({ name: 'ObjectFreedError', code: 'object-freed' })
  })
})

import { get, GetTimeoutError, kill } from '@shoal/sdk'
import type { ActorHandle, ObjectRef } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { seeded } from '../fixtures/seeded.ts'
import { Gate } from '../fixtures/workers.remote.ts'
import { ActorPool } from './actor-pool.ts'

type GateHandle = ReturnType<typeof Gate.remote>

const double = (gate: GateHandle, n: number): ObjectRef<number> => gate.double.remote(n)
const pass = (gate: GateHandle, n: number): ObjectRef<number> => gate.pass.remote(n)

async function listOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const value of values) list.push(value)
  return list
}

describe.each([1, 3])('a pool of actors over %i tabs', (tabs) => {
  let room: TestRoom
  let gates: GateHandle[]
  let pool: ActorPool<GateHandle, number>

  beforeEach(async () => {
    room = await createTestRoom({ tabs, workers: 2, console: false })
    gates = [Gate.remote(), Gate.remote(), Gate.remote()]
    pool = new ActorPool<GateHandle, number>(gates)
  })

  afterEach(() => room.close())

  const open = async (...numbers: number[]): Promise<void> => {
    await get(gates.flatMap((gate) => numbers.map((n) => gate.open.remote(n))))
  }

  it('[U1] gives results in the order of submission, more of them than actors', async () => {
    for (let n = 0; n < 10; n += 1) pool.submit(double, n)
    const results: number[] = []
    while (pool.hasNext()) results.push(await pool.getNext())
    expect(results).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    await expect(pool.getNext()).rejects.toThrow(/nothing was submitted/)
  })

  it('[U2] gives what ends first, and after it in order what was left', async () => {
    for (let n = 0; n < 4; n += 1) pool.submit(pass, n)
    await open(2)
    expect(await pool.getNextUnordered()).toBe(2)
    await open(0, 1, 3)
    expect([await pool.getNext(), await pool.getNext(), await pool.getNext()]).toEqual([0, 1, 3])
    expect(pool.hasNext()).toBe(false)
  })

  it('[U3] an actor is free once the result of its call was taken', async () => {
    expect(pool.hasFree()).toBe(true)
    for (let n = 0; n < 3; n += 1) pool.submit(double, n)
    expect(pool.hasFree()).toBe(false)
    expect(pool.popIdle()).toBeUndefined()
    await pool.getNext()
    expect(pool.hasFree()).toBe(true)
    const free = pool.popIdle()
    expect(gates).toContain(free)
    expect(pool.hasFree()).toBe(false)
    pool.submit(double, 7)
    pool.push(free as GateHandle)
    expect(() => pool.push(free as GateHandle)).toThrow(RangeError)
    expect([await pool.getNext(), await pool.getNext(), await pool.getNext()]).toEqual([2, 4, 14])
  })

  it('[U3] without an actor results fail by name instead of never coming', async () => {
    const none = new ActorPool<GateHandle, number>([])
    none.submit(double, 1)
    await expect(none.getNext()).rejects.toThrow(/push one/)
    none.push(gates[0] as GateHandle)
    expect(await none.getNextUnordered()).toBe(2)
    expect(() => new ActorPool([gates[0], gates[0]] as GateHandle[])).toThrow(RangeError)
  })

  it('[U4] what a call throws comes out, and its actor takes the next', async () => {
    const one = new ActorPool<GateHandle, number>(gates.slice(0, 1))
    for (const n of [-1, 1]) one.submit(double, n)
    one.submit((): never => {
      throw new TypeError('not even submitted')
    }, 0)
    one.submit(double, 2)
    await expect(one.getNext()).rejects.toBeInstanceOf(RangeError)
    expect(await one.getNext()).toBe(2)
    await expect(one.getNextUnordered()).rejects.toThrow('not even submitted')
    expect(await one.getNext()).toBe(4)
    expect(one.hasFree()).toBe(true)
  })

  it('[U5] a result that is not there in time can be taken later', async () => {
    pool.submit(pass, 5)
    await expect(pool.getNext({ timeoutMs: 20 })).rejects.toBeInstanceOf(GetTimeoutError)
    await expect(pool.getNextUnordered({ timeoutMs: 0 })).rejects.toBeInstanceOf(GetTimeoutError)
    await expect(pool.getNext({ timeoutMs: -1 })).rejects.toBeInstanceOf(RangeError)
    await expect(pool.getNext({ timeoutMs: NaN })).rejects.toBeInstanceOf(RangeError)
    await open(5)
    expect(await pool.getNext({ timeoutMs: 60_000 })).toBe(5)
  })

  it('[U6] of many who wait at once each gets another result', async () => {
    const one = new ActorPool<GateHandle, number>(gates.slice(0, 1))
    for (let n = 0; n < 6; n += 1) one.submit(double, n)
    const results = await Promise.all([
      one.getNext(),
      one.getNextUnordered(),
      one.getNext(),
      one.getNextUnordered(),
      one.getNext(),
      one.getNext(),
    ])
    expect(results.sort((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10])
    expect(one.hasNext()).toBe(false)
  })

  it('[U7] map asks for a value when an actor is free for it, and keeps the order', async () => {
    let asked = 0
    function* values(): Generator<number> {
      for (; asked < 8; asked += 1) yield asked
    }
    const results = pool.map(pass, values())
    expect(asked).toBe(0)
    const first = results.next()
    await vi.waitFor(async () =>
      expect((await get(gates.map((gate) => gate.waiting.remote()))).flat().sort()).toEqual([0, 1, 2]),
    )
    expect(asked).toBe(3)
    await open(2, 1, 0, 3, 4, 5, 6, 7)
    expect((await first).value).toBe(0)
    expect(await listOf(results)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(pool.hasNext()).toBe(false)
  })

  it('[U7] map ends with the first error, or when it is left, and the pool is free', async () => {
    await expect(listOf(pool.map(double, [1, 2, -3, 4, 5]))).rejects.toBeInstanceOf(RangeError)
    expect(pool.hasNext()).toBe(false)
    for await (const result of pool.mapUnordered(double, [1, 2, 3, 4, 5])) {
      expect([2, 4, 6]).toContain(result)
      break
    }
    expect(await listOf(pool.map(double, [6, 7]))).toEqual([12, 14])
    pool.submit(double, 1)
    await expect(listOf(pool.map(double, [1]))).rejects.toThrow(/submitted before/)
    expect(await pool.getNext()).toBe(2)
  })

  it('[U8] an actor that was killed while its call ran is out of the pool; the last one stays', async () => {
    for (let n = 0; n < 3; n += 1) pool.submit(pass, n)
    for (let n = 3; n < 6; n += 1) pool.submit(double, n)
    const running = await vi.waitFor(async () => {
      const waiting = await get(gates.map((gate) => gate.waiting.remote()))
      expect(waiting.flat()).toHaveLength(3)
      return waiting
    })
    kill(gates[running.findIndex(([n]) => n === 1)] as GateHandle)
    await expect(pool.getNextUnordered()).rejects.toMatchObject({ code: 'actor-died' })
    for (const [index, [n]] of running.entries()) if (n !== 1) await get(gates[index]!.open.remote(n as number))
    const results: number[] = []
    while (pool.hasNext()) results.push(await pool.getNext())
    expect(results).toEqual([0, 2, 6, 8, 10])

    const last = new ActorPool<GateHandle, number>([Gate.remote()])
    const only = last.popIdle() as GateHandle
    kill(only)
    last.push(only)
    for (let n = 0; n < 2; n += 1) last.submit(double, n)
    for (let n = 0; n < 2; n += 1) await expect(last.getNext()).rejects.toMatchObject({ code: 'actor-died' })
  })

  it.each([1, 2, 3])('[U1, U2, U4] any interleaving gives each result once, in its order: seed %i', async (seed) => {
    const below = seeded(seed)
    const left: number[] = []
    let next = 0
    for (let step = 0; step < 120; step += 1) {
      if (left.length === 0 || below(2) === 0) {
        const n = below(5) === 0 ? -1 - next : next
        left.push(n)
        pool.submit(double, n)
        next += 1
        continue
      }
      const isOrdered = below(2) === 0
      const outcome = await (isOrdered ? pool.getNext() : pool.getNextUnordered()).catch((error: unknown) => error)
      const n = outcome instanceof RangeError ? Number(outcome.message.split(' ').at(-1)) : (outcome as number) / 2
      if (isOrdered) expect(n).toBe(left[0])
      expect(left).toContain(n)
      left.splice(left.indexOf(n), 1)
      expect(pool.hasNext()).toBe(left.length > 0)
    }
  })
})

it('takes any handle', () => {
  const pool = new ActorPool<ActorHandle<{ a(): number }>, number>([])
  expect(pool.hasFree()).toBe(false)
})

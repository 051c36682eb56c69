import { remote } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pool } from './pool.ts'

const square = remote((n: number) => {
  if (n < 0) throw new RangeError(`no ${n}`)
  return n * n
})
const power = remote((n: number, k: number) => n ** k)
/** Given 0 it waits until it is cancelled. */
const patient = remote({}, async ({ context }, n: number) => {
  const { signal } = context()
  if (n < 0) throw new RangeError(`no ${n}`)
  signal.throwIfAborted()
  if (n === 0) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  return n
})

async function listOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const value of values) list.push(value)
  return list
}

/** Looks again and again: what is cancelled may end without the room hearing of it. */
async function untilNothingRuns(room: TestRoom): Promise<void> {
  await vi.waitFor(() => {
    for (const { running, queued } of room.report().tabs) expect(running + queued).toBe(0)
    expect(room.session.status().hasUnfinishedTasks).toBe(false)
  })
}

describe.each([1, 3])('a pool of processes over %i tabs', (tabs) => {
  let room: TestRoom

  beforeEach(async () => {
    room = await createTestRoom({ tabs, workers: 2, console: false })
  })

  afterEach(() => room.close())

  it('[U20] map gives the results in the order of the values, whatever the chunks', async () => {
    const values = Array.from({ length: 23 }, (_, n) => n)
    const squares = values.map((n) => n * n)
    for (const options of [{}, { chunkSize: 1 }, { chunkSize: 5 }, { chunkSize: 100 }])
      expect(await new Pool(3).map(square, values, options)).toEqual(squares)
    expect(await new Pool().map(square, new Set(values))).toEqual(squares)
    expect(await new Pool().map(square, [])).toEqual([])
    expect(new Pool().processes).toBe(2 * tabs)
    for (const processes of [0, -1, 1.5]) expect(() => new Pool(processes)).toThrow(RangeError)
    await expect(new Pool().map(square, values, { chunkSize: 0 })).rejects.toBeInstanceOf(RangeError)
  })

  it('[U20] starmap spreads a value over the parameters', async () => {
    const pairs: [number, number][] = [
      [2, 3],
      [3, 2],
      [5, 1],
    ]
    expect(await new Pool(2).starmap(power, pairs)).toEqual([8, 9, 5])
  })

  it('[U21] imap asks for values as they are needed: so many chunks and one', async () => {
    let asked = 0
    function* values(): Generator<number> {
      for (; ; asked += 1) yield asked
    }
    const results: number[] = []
    for await (const result of new Pool(2).imap(square, values(), { chunkSize: 3 })) {
      results.push(result)
      expect(asked).toBeLessThanOrEqual(results.length + 2 * 3 + 3)
      if (results.length === 20) break
    }
    expect(results).toEqual(Array.from({ length: 20 }, (_, n) => n * n))
    await untilNothingRuns(room)
  })

  it('[U22] imapUnordered gives what ends first, and what is left behind is cancelled', async () => {
    const results: number[] = []
    for await (const result of new Pool(2).imapUnordered(patient, [0, 1, 2])) {
      results.push(result)
      if (results.length === 2) break
    }
    expect(results).toEqual([1, 2])
    await untilNothingRuns(room)
  })

  it('[U23] the first error ends it', async () => {
    await expect(new Pool(2).map(square, [1, -2, 3])).rejects.toBeInstanceOf(RangeError)
    await expect(listOf(new Pool(2).imap(square, [1, 2, -3, 4]))).rejects.toBeInstanceOf(RangeError)
    await expect(listOf(new Pool(2).imapUnordered(square, [-1, 2]))).rejects.toBeInstanceOf(RangeError)
    // Of map it is the first to come: what stands before it never ends by itself.
    await expect(new Pool(2).map(patient, [0, -1])).rejects.toBeInstanceOf(RangeError)
    await untilNothingRuns(room)
  })
})

import { afterEach, describe, expect, it, vi } from 'vitest'
import { actor, context, get, init, put, remote, SerializationError, ShutdownError, TaskError, wait } from '../index.ts'
import { createTestRoom, TestRoomLeakError } from './index.ts'
import type { TestRoom, TestRoomOptions } from './index.ts'

let room: TestRoom

async function open(options: TestRoomOptions = {}): Promise<TestRoom> {
  room = await createTestRoom({ console: false, ...options })
  return room
}

afterEach(async () => {
  vi.useRealTimers()
  await room.close()
})

const add = remote((a: number, b: number) => a + b)
const whereAmI = remote({}, async ({ context: where }, ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return where().nodeId
})

describe('a test room', () => {
  it("takes the calls of '@shoal/sdk', also of functions made before it was open", async () => {
    await open()
    expect(await get(add.remote(1, add.remote(2, 3)))).toBe(6)
    expect(context().nodeId).toBe(room.tabs[0]?.nodeId)
    expect((await init({ workers: 7 })).status().nodeId).toBe(room.tabs[0]?.nodeId)
    await expect(createTestRoom()).rejects.toThrow(/running/)
    await room.close()
    await open()
    expect(await get(add.remote(4, 5))).toBe(9)
  })

  it('spreads work over its tabs, as a room does', async () => {
    await open({ tabs: 3 })
    const nodes = await get(Array.from({ length: 12 }, () => whereAmI.remote(20)))
    expect(new Set(nodes)).toEqual(new Set(room.tabs.map(({ nodeId }) => nodeId)))
    expect(room.session.status().members).toHaveLength(3)
  })

  it('has tabs with resources, which its status tells of', async () => {
    await open({ tabs: [{ workers: 0 }, { numGpus: 1 }, { resources: { camera: 1 }, memoryBytes: 1000 }] })
    const places = (nodes: readonly string[]): number[] =>
      nodes.map((node) => room.tabs.findIndex(({ nodeId }) => nodeId === node))
    const tasks = [{ numGpus: 0.5 }, { resources: { camera: 0.3 } }, { memoryBytes: 1001, numCpus: 0.5 }].map(
      (options) => whereAmI.options(options).remote(10),
    )
    expect(places(await get(tasks))).toEqual([1, 2, 1])
    const nowhere = whereAmI.options({ resources: { microphone: 1 } }).remote(1)
    expect(await wait([nowhere], { timeoutMs: 50 })).toEqual([[], [nowhere]])
    const { members, infeasible, resources, availableResources } = room.session.status()
    expect(members.map((member) => member.resources)).toEqual([
      { memory: 2 ** 31 },
      { CPU: 1, GPU: 1, memory: 2 ** 31 },
      { CPU: 1, camera: 1, memory: 1000 },
    ])
    expect(infeasible).toEqual([{ shape: '1 CPU, 1 microphone', tasks: 1 }])
    expect(availableResources).toEqual(resources)
  })

  it('ships functions as text and values as bytes: what fails in a browser fails here', async () => {
    await open()
    const factor = 3
    const captures = remote((n: number) => n * factor)
    await expect(get(captures.remote(1))).rejects.toMatchObject({ code: 'capture', details: { identifier: 'factor' } })
    expect(() => put({ onDone: () => 1 })).toThrow(SerializationError)
    const stored = { list: [1] }
    const ref = put(stored)
    stored.list.push(2)
    expect(await get(ref)).toEqual({ list: [1] })
    const grow = remote((numbers: number[]) => numbers.push(9))
    const mine = [1]
    expect(await get(grow.remote(mine))).toBe(2)
    expect(mine).toEqual([1])
    const noProcess = remote(() => [typeof (globalThis as { nothing?: unknown }).nothing, typeof fetch] as const)
    await expect(get(noProcess.remote())).rejects.toMatchObject({ code: 'capture' })
  })

  it("errors keep class, message and the user's own frames", async () => {
    await open({ tabs: 2 })
    const fails = remote((): number => {
      throw new RangeError('too far')
    })
    const error = await get(fails.remote()).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TaskError)
    expect((error as TaskError).cause).toBeInstanceOf(RangeError)
  })

  it('hosts actors, and tells what tasks write to their console', async () => {
    await open({ tabs: 2 })
    const Counter = actor(
      class {
        n = 0
        add(k: number) {
          console.log('now', (this.n += k))
          return this.n
        }
      },
    )
    const counter = Counter.remote()
    expect(await get([counter.add.remote(1), counter.add.remote(2)])).toEqual([1, 3])
    expect(room.lines.map(({ text }) => text)).toEqual(['now 1', 'now 3'])
  })

  it('gives each driver its own session', async () => {
    await open({ tabs: 3, drivers: 2 })
    const [first, second] = room.drivers
    if (first === undefined || second === undefined) throw new Error('two drivers were asked for')
    const twice = second.remote((n: number) => 2 * n)
    expect(await second.get(twice.remote(4))).toBe(8)
    expect(first.nodeId).not.toBe(second.nodeId)
    const foreign = second.put(1)
    await expect(first.get(foreign)).rejects.toThrow(/another session/)
  })

  it('runs the tasks of a killed tab again elsewhere', async () => {
    await open({ tabs: 3 })
    const refs = Array.from({ length: 6 }, () => whereAmI.remote(300))
    await wait(refs, { numReturns: 1 })
    room.killTab(2)
    const nodes = await get(refs)
    expect(nodes).toHaveLength(6)
    await room.untilGone()
    expect(room.tabs.map(({ isOpen }) => isOpen)).toEqual([true, true, false])
    expect(room.session.status().members).toHaveLength(2)
  })

  it('retries a task whose worker crashed, as often as it may', async () => {
    await open()
    const once = whereAmI.options({ maxRetries: 0 }).remote(2_000)
    await vi.waitFor(() => expect(room.tabs[0]?.report().taskTimers).toBe(1))
    room.tabs[0]?.crashWorkers()
    await expect(get(once)).rejects.toMatchObject({ code: 'worker-crashed' })
    const twice = whereAmI.remote(100)
    await vi.waitFor(() => expect(room.tabs[0]?.report().taskTimers).toBe(1))
    room.tabs[0]?.crashWorkers()
    expect(await get(twice)).toBe(room.tabs[0]?.nodeId)
  })

  it('goes on in real time while the test fakes its own', async () => {
    await open()
    vi.useFakeTimers()
    expect(await get(whereAmI.remote(5))).toBe(room.session.nodeId)
  })

  it('with a manual clock stands still until it is told', async () => {
    await open({ tabs: 2, clock: 'manual' })
    let isDone = false
    const slow = get(whereAmI.remote(60_000)).finally(() => (isDone = true))
    await room.advance(59_000)
    expect(isDone).toBe(false)
    await room.advance(1_000)
    await slow
    const limited = get(whereAmI.remote(10_000), { timeoutMs: 500 })
    limited.catch(() => undefined)
    await room.advance(500)
    await expect(limited).rejects.toMatchObject({ code: 'get-timeout' })
    room.killTab(1)
    await room.advance(10_000)
    await room.untilGone()
    await room.untilIdle()
  })

  it('gives tasks the same random numbers for the same seed', async () => {
    const draw = remote((n: number) => Array.from({ length: n }, () => Math.random()))
    await open({ seed: 7 })
    const before = await get(draw.remote(3))
    await room.close()
    await open({ seed: 7 })
    expect(await get(draw.remote(3))).toEqual(before)
  })

  it('lets a library put a Math.random of its own in its place, as in a browser', async () => {
    const replace = remote(() => {
      Math.random = () => 0.5
      return Math.random()
    })
    await open()
    expect(await get(replace.remote())).toBe(0.5)
    expect(Math.random()).not.toBe(0.5)
  })

  it('ends open waits with ShutdownError when it is closed', async () => {
    await open()
    const open1 = get(whereAmI.remote(60_000))
    open1.catch(() => undefined)
    await room.close()
    await expect(open1).rejects.toBeInstanceOf(ShutdownError)
  })

  it('leaves nothing behind: objects, bytes, workers, timers, links', async () => {
    await open({ tabs: 3, workers: 2, drivers: 2 })
    const large = put(new Uint8Array(300_000))
    const size = remote((bytes: Uint8Array) => bytes.length)
    expect(await get(Array.from({ length: 8 }, () => size.remote(large)))).toEqual(Array(8).fill(300_000))
    void whereAmI.remote(60_000)
    expect(room.report().tabs.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(300_000)
    const report = await room.close()
    expect(report.links).toBe(0)
    for (const { name, refs: _, ...figures } of report.tabs)
      expect({ name, sum: Object.values(figures).reduce((sum, n) => sum + n, 0) }).toEqual({ name, sum: 0 })
  })

  it('with mustReleaseRefs says which tab still held refs', async () => {
    const strict = await createTestRoom({ mustReleaseRefs: true, tabs: 2 })
    {
      using ref = add.remote(1, 2)
      expect(await get(ref)).toBe(3)
    }
    const kept = put('kept')
    const error = await strict.close().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TestRoomLeakError)
    expect(String(error)).toMatch(/tab 0: 1 refs/)
    expect(() => kept.release()).not.toThrow()
    const clean = await createTestRoom({ mustReleaseRefs: true })
    put('gone').release()
    await clean.close()
    await open()
  })

  it('refuses what it does not know, by name', async () => {
    await open()
    await expect(createTestRoom({ tab: 3 } as never)).rejects.toThrow(/unknown option tab/)
    await expect(createTestRoom({ tabs: 0 })).rejects.toThrow(/tabs must be a whole number/)
    await expect(createTestRoom({ tabs: [{ worker: 1 } as never] })).rejects.toThrow(/unknown option worker/)
    await expect(createTestRoom({ tabs: [{ resources: { CPU: 1 } }] })).rejects.toThrow(/must not name CPU/)
    await expect(createTestRoom({ tabs: 2, drivers: 3 })).rejects.toThrow(/drivers/)
    await expect(createTestRoom({ clock: 'fast' as never })).rejects.toThrow(/clock/)
    await expect(room.advance(5)).rejects.toThrow(/manual/)
    expect(() => room.killTab(4)).toThrow(/no tab 4/)
  })
})

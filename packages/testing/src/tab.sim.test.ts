import { GetTimeoutError, SerializationError, ShoalError, ShutdownError, TaskError } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ObjectRef } from '@shoal/core-worker'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

declare const simSleep: (ms: number) => Promise<void>

/** One whole simulated tab: what its page sees of `get`, `wait`, refs and runs. */
describe('a tab as its page sees it', () => {
  let world: SimWorld
  let tab: SimNode

  beforeEach(async () => {
    world = new SimWorld({ seed: 1 })
    tab = await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true, slots: 2 })
  })

  /** Runs simulated time until the promise settles. */
  async function settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isOpen = true
    const end = (): void => {
      isOpen = false
    }
    promise.then(end, end)
    if (!(await world.clock.runUntil(() => !isOpen, limitMs))) throw new Error(`open after ${limitMs} simulated ms`)
    return promise
  }

  function nap(ms: number, value = ms): ObjectRef<number> {
    const task = tab.api.remote({}, async (_, forMs: number, result: number) => {
      await simSleep(forMs)
      return result
    })
    return task.remote(ms, value)
  }

  describe('get', () => {
    it('[CW1] gives values in the order asked, duplicates too, whichever came first', async () => {
      const { get } = tab.api
      const [slow, fast] = [nap(50), nap(5)]
      expect(await settle(get([slow, fast, slow]))).toEqual([50, 5, 50])
      expect(await settle(get([]))).toEqual([])
      expect(await settle(Promise.all([get(fast), get(fast)]))).toEqual([5, 5])
    })

    it('[CW1] [T7] fails as soon as one fails, with what the code threw as cause', async () => {
      const { get, remote } = tab.api
      const fails = remote((): number => {
        throw new RangeError('too far')
      })
      const startedAt = world.clock.now()
      const error = await settle(get([nap(5_000), fails.remote()])).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(TaskError)
      expect((error as TaskError).cause).toBeInstanceOf(RangeError)
      expect((error as TaskError).stack).toContain('too far')
      expect(world.clock.now() - startedAt).toBeLessThan(1_000)
    })

    it('[CW2] ends by its timeout or its signal, and the task goes on', async () => {
      const { get } = tab.api
      const ref = nap(100)
      await expect(settle(get(ref, { timeoutMs: 20 }))).rejects.toBeInstanceOf(GetTimeoutError)
      const controller = new AbortController()
      const waiting = get([ref], { signal: controller.signal })
      controller.abort(new Error('enough'))
      await expect(settle(waiting)).rejects.toThrow('enough')
      await expect(settle(get(ref, { signal: AbortSignal.abort(new Error('before')) }))).rejects.toThrow('before')
      expect(await settle(get(ref))).toBe(100)
      expect(await settle(get(ref, { timeoutMs: Infinity }))).toBe(100)
    })

    it('[CW2] with a timeout of 0 sees what exists already and nothing else', async () => {
      const { get, put } = tab.api
      expect(await settle(get(put('here'), { timeoutMs: 0 }))).toBe('here')
      await expect(settle(get(nap(50), { timeoutMs: 0 }))).rejects.toBeInstanceOf(GetTimeoutError)
    })

    it('[CW3] refuses what is no ref and what is no option, by name', async () => {
      const { get, put } = tab.api
      await expect(get(5 as never)).rejects.toThrow(/takes an ObjectRef/)
      await expect(get([put(1), 5] as never)).rejects.toThrow(/element 1/)
      await expect(get(put(1), { timeout: 5 } as never)).rejects.toThrow(/timeout/)
      await expect(get(put(1), { timeoutMs: -1 })).rejects.toBeInstanceOf(RangeError)
      await expect(get(put(1), { timeoutMs: 'x' as never })).rejects.toBeInstanceOf(TypeError)
    })

    it('[CW4] asks for more refs than one record may name, and lets go of them', async () => {
      const { get, put } = tab.api
      const refs = Array.from({ length: 100_001 }, (_, n) => put(n))
      expect((await settle(get(refs))).at(-1)).toBe(100_000)
      for (const ref of refs) ref.release()
      await world.clock.run(world.clock.now() + 10)
      expect(tab.node.status().objects).toBe(0)
    }, 60_000)

    it('[CW4] takes as many refs as arguments as a message holds, and says so past it', async () => {
      const { get, put, remote } = tab.api
      const count = remote((...all: number[]) => all.length)
      const ref = put(1)
      const refs = Array.from({ length: 1_024 }, () => ref)
      expect(await settle(get(count.remote(...refs)))).toBe(1_024)
      expect(() => count.remote(...refs, ref)).toThrow(RangeError)
    })
  })

  describe('wait', () => {
    it('[CW5] [T7] gives exactly numReturns ready refs, both lists in the order given, errors being ready', async () => {
      const { remote, wait, put } = tab.api
      const fails = remote((): number => {
        throw new Error('no')
      })
      const [slow, bad, here, quick] = [nap(1_000), fails.remote(), put(1), nap(1)]
      await world.clock.run(world.clock.now() + 50)
      expect(await settle(wait([slow, bad, here, quick], { numReturns: 2 }))).toEqual([
        [bad, here],
        [slow, quick],
      ])
      expect(await settle(wait([slow, quick]))).toEqual([[quick], [slow]])
      expect(await settle(wait([quick, slow], { numReturns: 2 }))).toEqual([[quick, slow], []])
    })

    it('[CW5] gives fewer when the time is up, and with 0 what is ready now', async () => {
      const { wait, put } = tab.api
      const [slow, here] = [nap(1_000), put(1)]
      expect(await settle(wait([slow, here], { numReturns: 2, timeoutMs: 20 }))).toEqual([[here], [slow]])
      expect(await settle(wait([slow, here], { numReturns: 2, timeoutMs: 0 }))).toEqual([[here], [slow]])
      expect(await settle(wait([slow], { timeoutMs: 0 }))).toEqual([[], [slow]])
      expect(await settle(wait([]))).toEqual([[], []])
    })

    it('[CW5] refuses duplicates and numReturns out of range', async () => {
      const { wait, put } = tab.api
      const ref = put(1)
      await expect(wait([ref, ref])).rejects.toThrow(/once/)
      for (const numReturns of [0, 2, 1.5, -1]) await expect(wait([ref], { numReturns })).rejects.toThrow(/numReturns/)
      await expect(wait(ref as never)).rejects.toThrow(/array/)
      await expect(settle(wait([nap(1_000)], { signal: AbortSignal.abort(new Error('off')) }))).rejects.toThrow('off')
    })
  })

  describe('an ObjectRef', () => {
    it('[CW6] is no value and no promise', async () => {
      const { put } = tab.api
      const ref = put(1)
      expect('then' in ref).toBe(false)
      expect(() => `${ref as unknown as string}`).toThrow(/await get/)
      expect(() => (ref as unknown as number) + 1).toThrow(/await get/)
      expect(() => JSON.stringify({ ref })).toThrow(/await get/)
      expect(() => put(ref)).toThrow(/wrap it/)
      expect(Object.prototype.toString.call(ref)).toBe('[object ObjectRef]')
    })

    it('[CW6] ends once: twice is harmless, use after it throws, an argument keeps the object', async () => {
      const { get, put, remote } = tab.api
      const double = remote({}, async (_, n: number) => {
        await simSleep(50)
        return 2 * n
      })
      const ref = put(21)
      const result = double.remote(ref)
      ref.release()
      ref[Symbol.dispose]()
      await expect(get(ref)).rejects.toBeInstanceOf(ShoalError)
      expect(() => double.remote(ref)).toThrow(/released/)
      expect(await settle(get(result))).toBe(42)
      result.release()
      await world.clock.run(world.clock.now() + 10)
      expect(tab.node.status().objects).toBe(0)
    })
  })

  describe('a run', () => {
    it('[CW7] with numReturns gives that many refs, and an error in each when the function does not', async () => {
      const { get, remote } = tab.api
      const pair = remote((n: number) => [n, n + 1], { numReturns: 2 })
      const refs = pair.remote(1)
      expect(await settle(get(refs))).toEqual([1, 2])
      const wrong = remote(() => [1], { numReturns: 2 }).remote()
      for (const ref of wrong) await expect(settle(get(ref))).rejects.toThrow(/numReturns 2/)
      expect(remote(() => 1, { numReturns: 0 }).remote()).toBeUndefined()
    })

    it('[CW7] whose result cannot be cloned says where in it', async () => {
      const { get, remote } = tab.api
      const bad = remote(() => ({ model: { onDone: () => 1 } }))
      const error = await settle(get(bad.remote())).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(SerializationError)
      expect((error as SerializationError).details.path).toBe('result.model.onDone')
    })

    it('[CW7] past its timeoutMs is ended with its worker, and others behind it go on', async () => {
      const { get, remote } = tab.api
      const slow = remote(
        {},
        async () => {
          await simSleep(10_000)
          return 1
        },
        { timeoutMs: 100 },
      )
      const ref = slow.remote()
      const after = Array.from({ length: 5 }, (_, n) => nap(1, n))
      await expect(settle(get(ref))).rejects.toMatchObject({ code: 'task-timeout' })
      expect(await settle(get(after))).toEqual([0, 1, 2, 3, 4])
    })

    it('[CW7] that waits gives back what is queued behind it: parents of short children on one slot do not stand still', async () => {
      const { get, remote } = tab.api
      const leaf = remote((n: number) => n + 1)
      const parent = remote({ leaf }, async ({ leaf: child, get: fetch }, n: number) => fetch(child.remote(n)))
      await settle(get(Array.from({ length: 50 }, (_, n) => leaf.remote(n))))
      const refs = Array.from({ length: 50 }, (_, n) => parent.remote(n))
      expect(await settle(get(refs))).toEqual(refs.map((_, n) => n + 1))
      expect(tab.node.status().running).toBe(0)
    })

    it('[CW7] with maxRetries 0 is not run again when its worker crashes', async () => {
      const { get, remote } = tab.api
      const task = remote({}, async () => simSleep(500), { maxRetries: 0 })
      const ref = task.remote()
      await world.clock.run(world.clock.now() + 100)
      for (const worker of tab.workers.workers) worker.crash('test')
      await expect(settle(get(ref))).rejects.toMatchObject({ code: 'worker-crashed' })
    })
  })

  it('[CW8] every open wait settles when the session ends, and later calls throw', async () => {
    const { get, put, wait } = tab.api
    const ref = nap(5_000)
    const open = [get(ref), get([ref], { timeoutMs: 10_000 }), wait([ref])]
    const settled = Promise.allSettled(open)
    tab.close('closed')
    for (const outcome of await settle(settled)) {
      expect(outcome.status).toBe('rejected')
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ShutdownError)
    }
    expect(() => put(1)).toThrow(ShutdownError)
    await world.clock.run(world.clock.now() + 1_000)
    expect(world.leaks()).toEqual([])
  })
})

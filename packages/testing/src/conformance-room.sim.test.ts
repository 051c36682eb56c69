import { ShutdownError } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { newGate } from './conformance/case.ts'
import { runSimulated } from './conformance/sim-page.ts'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

async function oneTab(slots: number): Promise<{ world: SimWorld; tab: SimNode }> {
  const world = new SimWorld({ seed: 5 })
  return { world, tab: await createSimNode(world.ports(await world.identity('a'), 1), { isAlone: true, slots }) }
}

async function settle<T>(world: SimWorld, promise: Promise<T>): Promise<T> {
  let isOpen = true
  const end = (): void => {
    isOpen = false
  }
  promise.then(end, end)
  if (!(await world.clock.runUntil(() => !isOpen, 120_000))) throw new Error('open after two simulated minutes')
  return promise
}

describe('what a session leaves', () => {
  it('[SR7] holds nothing once every ref is released, without a collector', async () => {
    const { world, tab } = await oneTab(2)
    const { remote, get, put, wait } = tab.api
    const add = remote((a: number, b: number) => a + b)
    const one = put(1)
    const sums = Array.from({ length: 20 }, (_, n) => add.remote(one, n))
    const boxed = put({ sums })
    await settle(world, get(sums))
    await settle(world, wait(sums, { numReturns: 20 }))
    expect(tab.node.holdings().ownObjects).toBe(22)
    for (const ref of [one, boxed, ...sums]) ref.release()
    await world.clock.run(world.clock.now() + 100)
    const { workers, ...left } = { ...tab.node.holdings(), ...tab.core.holdings }
    expect(workers).toBeGreaterThan(0)
    expect(Object.entries(left).filter(([, count]) => count > 0)).toEqual([])
  })

  it('[SR7] holds nothing of a wait that was given up and whose ref was released', async () => {
    const { world, tab } = await oneTab(1)
    const { wait, get, put } = tab.api
    const gate = newGate({ api: tab.api, tabs: 1, now: () => 0, pause: () => Promise.resolve() })
    const slow = gate.behind(1)
    await settle(world, wait([slow, put(2)], { numReturns: 2, timeoutMs: 10 }))
    await settle(
      world,
      get([slow], { timeoutMs: 10 }).catch(() => undefined),
    )
    slow.release()
    await settle(world, gate.open())
    await world.clock.run(world.clock.now() + 1_000)
    tab.collector.collect()
    await world.clock.run(world.clock.now() + 100)
    expect(tab.core.holdings).toEqual({ open: 0, watched: 0, ready: 0 })
    expect(tab.node.holdings()).toMatchObject({ questions: 0, waiters: 0 })
  })

  it('[SR7] a case of the suite that leaves something fails', async () => {
    const leaves = runSimulated(
      ({ api: { remote } }) => {
        remote({}, () => new Promise<void>((resolve) => setTimeout(resolve, 600_000))).remote()
        return Promise.resolve()
      },
      { tabs: 1, driverSlots: 1 },
    )
    await expect(leaves).rejects.toThrow(/left: .*1 runs of driver/)
  })

  it('[SB3] keeps no more suspended workers than slots x depth, and a spare each', async () => {
    for (const slots of [1, 2]) {
      const { world, tab } = await oneTab(slots)
      const { remote, get } = tab.api
      const h = remote((n: number) => n + 1)
      const g = remote({ h }, async ({ h, get }, n: number) => (await get(h.remote(n))) + 1)
      const f = remote({ g }, async ({ g, get }, n: number) => (await get(g.remote(n))) + 1)
      const results = get(Array.from({ length: 300 }, (_, n) => f.remote(n)))
      let most = 0
      const isOpen = new Promise<void>((resolve) => void results.finally(resolve))
      const look = (): void => {
        most = Math.max(most, tab.workers.workers.size)
        timer = world.clock.after(0.5, look)
      }
      let timer = world.clock.after(0, look)
      await settle(world, isOpen)
      timer.cancel()
      expect((await results).at(-1)).toBe(302)
      expect(most).toBeLessThanOrEqual(slots * 4)
    }
  })

  it('[SS1] shutdown rejects what is open with ShutdownError, and later calls throw it', async () => {
    const { world, tab } = await oneTab(1)
    const { remote, get, put, wait } = tab.api
    const never = remote({}, () => new Promise<void>((resolve) => setTimeout(resolve, 600_000))).remote()
    const open = Promise.allSettled([get(never), get([put(1), never], { timeoutMs: 60_000 }), wait([never])])
    tab.close('closed')
    for (const outcome of await settle(world, open))
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(ShutdownError) as unknown })
    expect(() => put(1)).toThrow(ShutdownError)
    await expect(get(never)).rejects.toBeInstanceOf(ShutdownError)
    expect(() => remote(() => 1).remote()).toThrow(ShutdownError)
  })

  it('[SS2] a ref of another session is refused wherever it is used', async () => {
    const [{ tab }, other] = [await oneTab(1), await oneTab(1)]
    const { get, wait, put, remote } = tab.api
    const foreign = other.tab.api.put(1)
    const same = remote((value: unknown) => value)
    await expect(get(foreign)).rejects.toBeInstanceOf(TypeError)
    await expect(wait([foreign])).rejects.toBeInstanceOf(TypeError)
    for (const use of [() => same.remote(foreign), () => same.remote({ foreign }), () => put([foreign])])
      expect(use).toThrow(/another session/)
  })
})

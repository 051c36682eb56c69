import { every, sleep } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { SimClock } from './sim-clock.ts'

describe('the simulated clock', () => {
  it('[R2] fires by time, then by when timers were set, and drains microtasks in between', async () => {
    const clock = new SimClock()
    const fired: string[] = []
    clock.after(10, () => fired.push('b'))
    clock.after(5, () => {
      fired.push('a')
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => fired.push('a, much later in microtasks'))
    })
    clock.after(10, () => fired.push('c'))
    await clock.run(9)
    expect(clock.now()).toBe(9)
    await clock.run(10)
    expect(fired).toEqual(['a', 'a, much later in microtasks', 'b', 'c'])
  })

  it('[R2] keeps a thousand random timers in order', async () => {
    const clock = new SimClock()
    const fired: number[] = []
    for (let i = 0; i < 1000; i++) {
      const at = (i * 7919) % 503
      const timer = clock.after(at, () => fired.push(at))
      if (i % 3 === 0) timer.cancel()
    }
    await clock.run(1000)
    expect(fired).toEqual([...fired].sort((a, b) => a - b))
    expect(fired.length).toBe(666)
    expect(clock.pending).toBe(0)
  })

  it('[R1] counts the timers of a node, and sees one that was forgotten', async () => {
    const clock = new SimClock()
    const node = clock.forNode('n')
    const beat = every(node, 10, () => {})
    const nap = sleep(node, 5)
    await clock.run(100)
    await nap
    expect(node.pending).toBe(1)
    beat.cancel()
    beat.cancel()
    expect(node.pending).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('[X4] a slow node takes longer for what it waits for already, and no longer once it is as fast as before', async () => {
    const clock = new SimClock()
    const node = clock.forNode('n')
    const fired: string[] = []
    node.after(100, () => fired.push(`first at ${clock.now()}`))
    await clock.run(50)
    node.slow(10)
    node.after(100, () => fired.push(`second at ${clock.now()}`))
    await clock.run(450)
    node.slow(1)
    const cancelled = node.after(20, () => fired.push('never'))
    await clock.run(460)
    cancelled.cancel()
    await clock.run(2_000)
    expect(fired).toEqual(['first at 460', 'second at 510'])
    expect(node.pending).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('[X4] a node with a clock of its own waits by that clock', async () => {
    const clock = new SimClock()
    const node = clock.forNode('n', { offsetMs: 5_000, rate: 1.25 })
    let firedAt: number | undefined
    node.after(100, () => (firedAt = node.now()))
    await clock.run(79)
    expect(firedAt).toBeUndefined()
    await clock.run(80)
    expect(firedAt).toBe(5_100)
  })

  it('[X4] a frozen node fires late, in order, once; a dead one never', async () => {
    const clock = new SimClock()
    const [frozen, dead] = [clock.forNode('frozen'), clock.forNode('dead')]
    const fired: string[] = []
    frozen.after(10, () => fired.push(`first at ${clock.now()}`))
    frozen.after(20, () => fired.push(`second at ${clock.now()}`))
    const cancelled = frozen.after(30, () => fired.push('never'))
    dead.after(10, () => fired.push('never'))
    frozen.freeze(true)
    dead.kill()
    await clock.run(50)
    expect(fired).toEqual([])
    cancelled.cancel()
    frozen.freeze(false)
    await clock.run(60)
    expect(fired).toEqual(['first at 50', 'second at 50'])
    expect(frozen.pending).toBe(0)
  })
})

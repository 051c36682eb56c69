import { describe, expect, it } from 'vitest'
import { allSeeing, atRandom, roundRobin } from './compared-schedulers.ts'
import { creditRoom } from './credit-room.ts'
import { ScheduleWorld } from './schedule-world.ts'
import type { WorldOptions } from './schedule-world.ts'

function compare(options: WorldOptions): { ours: number; seeing: number; random: number; round: number } {
  const of = (schedule: (world: ScheduleWorld) => number): number => schedule(new ScheduleWorld(options))
  return { ours: of(creditRoom), seeing: of(allSeeing), random: of(atRandom), round: of(roundRobin) }
}

/** How much longer it takes than a scheduler that sees everything, over all seeds together: long tasks are luck. */
describe('the makespan of heavy-tailed tasks', () => {
  for (const [title, seeds, options] of [
    ['10 tabs', 5, { nodes: 10, drivers: 1, tasks: 1_000, meanMs: 100 }],
    ['100 tabs', 3, { nodes: 100, drivers: 3, tasks: 10_000, meanMs: 100 }],
    // One long task is most of it.
    ['1,000 tabs', 1, { nodes: 1_000, drivers: 3, tasks: 60_000, meanMs: 200 }],
    ['20 tabs, each second 5 times slower', 8, { nodes: 20, drivers: 2, tasks: 4_000, meanMs: 100, otherSpeed: 0.2 }],
    ['20 tabs, an input of 1 MB each', 8, { nodes: 20, drivers: 2, tasks: 2_000, meanMs: 200, inputBytes: 1e6 }],
  ] as const)
    it(`[SC21] is at most 1.25 x that of a scheduler that sees everything: ${title}`, { timeout: 120_000 }, () => {
      const sum = { ours: 0, seeing: 0, random: 0, round: 0 }
      for (let seed = 1; seed <= seeds; seed++) {
        const each = compare({ seed, ...options })
        for (const name of ['ours', 'seeing', 'random', 'round'] as const) sum[name] += each[name]
      }
      const ratio = (other: number): string => (other / sum.seeing).toFixed(2)
      console.log(
        `${title}: credits ${ratio(sum.ours)} x, random ${ratio(sum.random)} x, round robin ${ratio(sum.round)} x`,
      )
      expect(sum.ours).toBeLessThanOrEqual(1.25 * sum.seeing)
      expect(sum.ours).toBeLessThan(sum.random)
    })

  it('[SC22] of tabs of one size, every second 5 times slower, the last ones end within 15 % of each other', () => {
    const options = { nodes: 8, drivers: 1, tasks: 4_000, meanMs: 20, otherSpeed: 0.2, sigma: 0.2 }
    const world = new ScheduleWorld({ seed: 1, ...options })
    const makespan = creditRoom(world)
    const first = Math.min(...world.lastEnd.values())
    expect(world.lastEnd.size).toBe(8)
    expect(first).toBeGreaterThanOrEqual(0.85 * makespan)
  })

  it('[SC23] as many tasks as slots run one in each, whoever promised first', () => {
    for (let seed = 1; seed <= 20; seed++) {
      // One to four slots each, of which there are 20.
      const world = new ScheduleWorld({ seed, nodes: 8, drivers: 1, tasks: 20, meanMs: 300, sigma: 0.01 })
      expect(creditRoom(world), `seed ${seed}`).toBeLessThan(450)
    }
  })
})

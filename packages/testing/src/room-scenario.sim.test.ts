import { describe, expect, it } from 'vitest'
import { ROOM_PROFILES, runRoomScenario } from './room-scenario.ts'
import type { RoomProfile } from './room-scenario.ts'

const SEEDS_A_PROFILE = 8

/** Seeds that once found something, each with what it was. */
const REGRESSIONS: readonly (readonly [RoomProfile, number, string])[] = [
  ['kills', 8, 'serving to a peer whose link just went recursed without end'],
  ['kills', 13, 'a want of an object whose owner had died before waited for ever'],
  ['kills', 40, 'a call to an actor on a tab that had died before waited for ever'],
  ['harsh', 24, 'the same, under verdicts about the living'],
  ['harsh', 50, 'a task was sent without an argument that was being made again'],
  ['harsh', 96, 'the same, once'],
  ['harsh', 2447, 'a copy of an earlier attempt stayed when its owner came back and ran the task again'],
]

describe('a room of three whole nodes', () => {
  it(
    '[T1][T2][T3][R1][R2] keeps its promises under random work and faults, each seed twice',
    { timeout: 120_000 },
    async () => {
      const broken: string[] = []
      const totals: Record<string, number> = {}
      for (const profile of ROOM_PROFILES)
        for (let seed = 1; seed <= SEEDS_A_PROFILE; seed++) {
          const [one, again] = [await runRoomScenario({ seed, profile }), await runRoomScenario({ seed, profile })]
          for (const violation of one.violations) broken.push(`${profile} ${seed}: ${violation}`)
          if (one.hash !== again.hash) broken.push(`${profile} ${seed}: R2: the second run differs`)
          for (const [name, count] of Object.entries(one.counters)) totals[name] = (totals[name] ?? 0) + count
        }
      expect(broken).toEqual([])
      // A run in which nothing went wrong would prove nothing.
      for (const fault of ['cut', 'failed link', 'freeze', 'signaling restart', 'crash', 'kill', 'goodbye'])
        expect(totals[fault], fault).toBeGreaterThan(5)
      expect(totals['values']).toBeGreaterThan(5_000)
      expect(totals['errors: actor-died']).toBeGreaterThan(0)
    },
  )

  it.each(REGRESSIONS)('[T1] %s %i: %s', { timeout: 60_000 }, async (profile, seed) => {
    expect((await runRoomScenario({ seed, profile })).violations).toEqual([])
  })
})

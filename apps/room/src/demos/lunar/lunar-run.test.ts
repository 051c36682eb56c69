/** The demo's training over a test room, actors and environment as in the page. */
import type { PpoSettings } from '@shoal/rl'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunReport } from '../../model/run-report.ts'
import type { Flight } from './flight.ts'
import { LunarRun, lunarSettings } from './lunar-run.ts'

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 3, workers: 1, seed: 1, mustReleaseRefs: true, console: false })
})

afterEach(() => room.close())

/** Small iterations; more runners than there are slots, as in the page. */
const SMALL: PpoSettings = { ...lunarSettings(3), runners: 6, envsPerRunner: 2, stepsPerIteration: 512, epochs: 1 }

function createRun(onReport: (report: RunReport) => void, flights: Flight[] = []): LunarRun {
  return new LunarRun({
    seed: 3,
    settings: SMALL,
    totals: () => ({ tabs: 3, slots: 3, bytes: 0 }),
    onFlight: (flight) => flights.push(flight),
    onReport,
    nowMs: () => performance.now(),
  })
}

it('learns over all tabs, shows who flew, and goes on when one is lost', async () => {
  const flights: Flight[] = []
  let report: RunReport | undefined
  let lostAt: number | undefined
  const run = createRun((next) => {
    report = next
    if (next.state !== 'running') return
    if (lostAt === undefined && new Set(flights.map(({ nodeId }) => nodeId)).size === 3) {
      lostAt = next.iteration
      room.killTab(2)
    } else if (lostAt !== undefined && next.iteration === lostAt + 4) run.stop()
  }, flights)
  await run.start()
  expect(report?.error).toBeUndefined()
  expect(report).toMatchObject({ state: 'stopped', iteration: lostAt! + 4 })
  expect(report?.meanReturn).toBeLessThan(0)
  expect(Object.keys(report?.byNode ?? {}).sort()).toEqual(room.tabs.map(({ nodeId }) => nodeId).sort())
  expect(run.policy.peek()?.updates).toBeGreaterThanOrEqual(lostAt! + 3)
  expect(flights.some(({ outcome }) => outcome === 'crashed')).toBe(true)
})

it('goes on from a policy, and says when it stops', async () => {
  const reports: RunReport[] = []
  const run = createRun((report) => {
    reports.push(report)
    if (report.iteration === 2) run.stop()
  })
  await run.start()
  const policy = run.policy.peek()!
  expect(policy.updates).toBeGreaterThanOrEqual(1)
  const seen: number[] = []
  const next = createRun(({ iteration, state }) => {
    if (state === 'running') seen.push(iteration)
    if (seen.length === 3) next.stop()
  })
  await next.start(policy)
  expect(seen).toEqual([0, policy.updates + 1, policy.updates + 2])
  expect(reports.map(({ state }) => state).filter((state) => state !== 'running')).toEqual(['stopped'])
})

/** The demo's training over a test room, actors and environment as in the page. */
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunReport } from '../../model/run-report.ts'
import type { Flight } from './flight.ts'
import { LunarRun } from './lunar-run.ts'

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 3, workers: 1, seed: 1, mustReleaseRefs: true, console: false })
})

afterEach(() => room.close())

it('learns over all tabs, goes on when one is lost, and shows who flew', async () => {
  const flights: Flight[] = []
  const reports: RunReport[] = []
  const run = new LunarRun({
    seed: 3,
    totals: () => ({ tabs: 3, slots: 3, bytes: 0 }),
    onFlight: (flight) => flights.push(flight),
    onReport: (report) => {
      reports.push(report)
      const { iteration, byNode, state } = report
      if (state !== 'running') return
      if (iteration === 2) {
        expect(Object.keys(byNode)).toHaveLength(3)
        room.killTab(2)
      }
      if (iteration === 6) run.stop()
    },
    nowMs: () => performance.now(),
  })
  await run.start()
  const last = reports.at(-1)
  expect(last?.error).toBeUndefined()
  expect(last).toMatchObject({ state: 'stopped', iteration: 6 })
  expect(last?.meanReturn).toBeLessThan(0)
  expect(run.policy.peek()?.updates).toBeGreaterThanOrEqual(5)
  expect(new Set(flights.map(({ nodeId }) => nodeId)).size).toBe(3)
  expect(flights.some(({ outcome }) => outcome === 'crashed')).toBe(true)
})

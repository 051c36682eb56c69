/** Learning, serving and playing in a room of several tabs, of which the ones with the actors are closed. */
import { listActors } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { effect } from '@preact/signals'
import type { RunReport } from '../../model/run-report.ts'
import type { PlayedGames } from './connect-four.remote.ts'
import { FourRun } from './four-run.ts'
import { FOUR_SETTINGS } from './four-settings.ts'
import type { FourSettings } from './four-settings.ts'

const settings: FourSettings = {
  ...FOUR_SETTINGS,
  network: { ...FOUR_SETTINGS.network, hidden: [8] },
  selfPlay: { ...FOUR_SETTINGS.selfPlay, games: 2, simulations: 6 },
  gamesPerIteration: 6,
  gamesPerTest: 12,
  updatesPerIteration: 3,
  test: { randomGames: 4, searchGames: 2, simulations: 4, rollouts: 4, gamesPerTask: 2 },
  maxIterations: 1_000_000,
}

let room: TestRoom
let games: PlayedGames[] = []
let reports: RunReport[] = []

beforeEach(async () => {
  games = []
  reports = []
  room = await createTestRoom({ tabs: 3, workers: 2, seed: 1, mustReleaseRefs: true })
})

afterEach(() => room.close())

function newRun(some: Partial<FourSettings> = {}): FourRun {
  return new FourRun({
    settings: { ...settings, ...some },
    totals: () => ({ tabs: 3, slots: 6, bytes: 0 }),
    onGames: (played) => games.push(played),
    onReport: (report) => reports.push(report),
    nowMs: () => performance.now(),
  })
}

/** Resolves when the run's progress is as wanted; a run that failed is no progress. */
function until(run: FourRun, isSo: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = effect(() => {
      const report = run.report.value
      const isThere = run.progress.value.iteration >= 0 && isSo()
      if (!isThere && report?.state !== 'failed') return
      queueMicrotask(() => stop())
      if (isThere) resolve()
      else reject(new Error(report?.error))
    })
  })
}

const answer = (run: FourRun, moves: readonly number[] = []) => run.answer(moves, 20, new AbortController().signal)

async function tabOf(className: string): Promise<number> {
  const { rows } = await listActors({ filters: [['className', '=', className]] })
  const nodeId = rows.find(({ state }) => state === 'ALIVE')?.nodeId
  return room.tabs.findIndex((tab) => tab.nodeId === nodeId)
}

it('learns, measures and answers, and goes on with both when the tabs of its actors are closed', async () => {
  const run = newRun()
  const ended = run.start({ seed: 1 })
  await until(run, () => run.progress.value.iteration >= 2 && run.progress.value.strength !== undefined)
  const first = await answer(run, [3, 3])
  expect(first.visits.reduce((sum, n) => sum + n, 0)).toBe(19)

  // The server's tab is closed, and in the driver's own all workers die, the learner's among them.
  const [server, learner] = [await tabOf('LiveServerActor'), await tabOf('LiveLearnerActor')]
  expect([server > 0, learner]).toEqual([true, 0])
  room.closeTab(server)
  room.tabs[0]?.crashWorkers()
  const { iteration } = run.progress.peek()
  const second = await answer(run, [3, 3])
  expect(second.visits.reduce((sum, n) => sum + n, 0)).toBe(19)
  expect(room.tabs.filter(({ isOpen }) => isOpen).map(({ nodeId }) => nodeId)).toContain(second.nodeId)
  await until(run, () => run.progress.value.iteration >= iteration + 3)

  run.stop()
  await ended
  expect(run.report.peek()?.state).toBe('stopped')
  // What it learned is still there to play with, and to keep.
  expect((await answer(run)).iteration).toBeGreaterThanOrEqual(iteration)
  const bytes = await run.save(new AbortController().signal)
  expect(run.read(bytes).iteration).toBeGreaterThanOrEqual(iteration)
  run.close()
})

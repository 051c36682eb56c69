/** Learning, serving and playing in a room of several tabs, of which the ones with the actors are closed. */
import { listActors } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { effect } from '@preact/signals'
import type { RunReport } from '../../model/run-report.ts'
import { winningCells } from './board.ts'
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

it('begins anew with a file, is over at its goal for a program, and answers without any training', async () => {
  const run = newRun({ goal: 0 })
  expect((await answer(run, [0])).iteration).toBe(0)
  await run.start({ seed: 3, isUntilGoal: true })
  expect(run.report.peek()).toMatchObject({ state: 'done', solved: true })
  const { games, againstRandom, againstSearch, policyLoss } = run.curve
  expect(games[0]).toBe(0)
  expect(againstRandom[0]).toBeGreaterThanOrEqual(0)
  for (const column of [againstRandom, againstSearch, policyLoss]) expect(column).toHaveLength(games.length)

  const later = newRun()
  const bytes = await run.save(new AbortController().signal)
  const state = { ...run.read(bytes), iteration: 40 }
  const ended = later.start({ seed: 3, resumeFrom: state })
  await until(later, () => later.progress.value.iteration >= 1)
  expect((await answer(later)).iteration).toBeGreaterThanOrEqual(40)
  later.close()
  await ended
  expect(later.report.peek()?.state).toBe('stopped')
  run.close()
})

it('reads no file of another network', async () => {
  const run = newRun()
  await answer(run)
  const bytes = await run.save(new AbortController().signal)
  expect(() => newRun({ network: { ...settings.network, hidden: [9] } }).read(bytes)).toThrow('another network')
  expect(() => run.read(bytes.slice(0, 99))).toThrow(RangeError)
  run.close()
})

it('has games of every tab to show, each ended', async () => {
  const run = newRun()
  const ended = run.start({ seed: 2 })
  const seen = () => new Set(games.map(({ nodeId }) => nodeId)).size
  await until(run, () => seen() === 3 && run.progress.value.iteration >= 1)
  run.stop()
  await ended
  for (const { boards } of games) {
    expect(boards).toHaveLength(2)
    for (const board of boards) expect(winningCells(board).length >= 4 || board.every((disc) => disc > 0)).toBe(true)
  }
  const tasks = Object.values(run.report.peek()?.byNode ?? {}).reduce((sum, work) => sum + work.tasks, 0)
  expect(tasks).toBeGreaterThanOrEqual(games.length)
  expect(reports.at(-1)?.state).toBe('stopped')
  run.close()
})

import { cancel, get, kill } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import type { TestRoom } from '@shoal/sdk/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countTo, forgets, sums, sumsLater, Trainer, triesAgain, Valve } from '../fixtures/counters.remote.ts'
import type { ValveHandle } from '../fixtures/counters.remote.ts'
import { progress, ProgressBar } from './progress-bar.ts'
import type { Progress } from './progress-list.ts'
import { onProgress, ProgressWatch } from './progress-watch.ts'

type Shown = readonly [description: string, count: number, total: number | undefined, state: Progress['state']]

const shown = ({ description, count, total, state }: Progress): Shown => [description, count, total, state]

describe.each([1, 3])('progress over %i tabs', (tabs) => {
  let room: TestRoom
  let watch: ProgressWatch
  let valve: ValveHandle
  const told: (readonly Progress[])[] = []

  const untilShown = (...bars: readonly Shown[]): Promise<void> =>
    vi.waitFor(() => expect(watch.bars.map(shown)).toEqual(bars), { timeout: 10_000 })

  beforeEach(async () => {
    room = await createTestRoom({ tabs, workers: 2, console: false })
    watch = new ProgressWatch(room.session, () => undefined, 50)
    told.length = 0
    watch.subscribe((bars) => told.push(bars))
    valve = Valve.remote()
  })

  afterEach(() => room.close())

  it('[U30] tells of the bars of tasks, wherever they run, while they count and when they are done', async () => {
    const refs = ['a', 'b', 'c'].map((name, n) => countTo.remote(valve, 10 * (n + 1), name))
    await vi.waitFor(() =>
      expect(watch.bars.map(shown).sort()).toEqual([
        ['a', 5, 10, 'running'],
        ['b', 10, 20, 'running'],
        ['c', 15, 30, 'running'],
      ]),
    )
    expect(told.at(-1)).toEqual(watch.bars)
    valve.open.remote()
    expect(await get(refs)).toEqual([10, 20, 30])
    await vi.waitFor(() =>
      expect(watch.bars.map(shown).sort()).toEqual([
        ['a', 10, 10, 'closed'],
        ['b', 20, 20, 'closed'],
        ['c', 30, 30, 'closed'],
      ]),
    )
    for (const { taskId = '', taskName, attempt, nodeId } of watch.bars) {
      expect(taskId).toMatch(/^[0-9a-f]{32}\/\d+$/)
      expect([taskName, attempt]).toEqual(['countTo', 0])
      expect(room.tabs.map((tab) => tab.nodeId)).toContain(nodeId)
    }
  })

  it('[U30] tells though every slot is taken', async () => {
    const valves = Array.from({ length: 2 * tabs }, () => countTo.remote(valve, 2, 'busy'))
    await vi.waitFor(() => expect(watch.bars).toHaveLength(2 * tabs))
    valve.open.remote()
    await get(valves)
  })

  it('[U31] sends a hundred thousand steps in a few reports', async () => {
    const refs = [countTo.remote(valve, 200_000, 'many')]
    await untilShown(['many', 100_000, 200_000, 'running'])
    valve.open.remote()
    await get(refs)
    await untilShown(['many', 200_000, 200_000, 'closed'])
    expect(told.length).toBeLessThanOrEqual(5)
  })

  it('[U32] a loop over values counts them, and closes its bar however it ends', async () => {
    expect(await get(sums.remote([1, 2, 3]))).toBe(6)
    await untilShown(['sums', 3, 3, 'closed'])
    expect(await get(sumsLater.remote([1, 2, 3, 4], 3))).toBe(3)
    await untilShown(['sums', 3, 3, 'closed'], ['later', 2, 4, 'closed'])
  })

  it('[U33] a bar that its task left open is lost', async () => {
    await get(forgets.remote())
    await untilShown(['forgotten', 3, 10, 'lost'])
  })

  it('[U33] a bar whose task is cancelled does not stay', async () => {
    const ref = countTo.remote(valve, 10, 'cancelled')
    await untilShown(['cancelled', 5, 10, 'running'])
    cancel(ref)
    await expect(get(ref)).rejects.toMatchObject({ code: 'task-cancelled' })
    await vi.waitFor(() => expect(watch.bars.map(({ state }) => state)).not.toContain('running'))
  })

  it('[U33] a bar that is silent stays as long as its task runs', async () => {
    const ref = countTo.remote(valve, 10, 'silent')
    await untilShown(['silent', 5, 10, 'running'])
    const asked = vi.spyOn(room.session, 'getTaskState')
    await vi.waitFor(() => expect(asked.mock.results.length).toBeGreaterThan(1), { timeout: 5_000 })
    expect(watch.bars.map(shown)).toEqual([['silent', 5, 10, 'running']])
    valve.open.remote()
    await get(ref)
    await untilShown(['silent', 10, 10, 'closed'])
  })

  it('[U34] a task that runs again goes on in its own bar, from its start', async () => {
    const ref = triesAgain.remote()
    await untilShown(['tries', 3, 4, 'running'])
    const [{ nodeId } = { nodeId: '' }] = watch.bars
    room.tabs.find((tab) => tab.nodeId === nodeId)?.crashWorkers()
    await untilShown(['tries', 1, 4, 'running'])
    expect(watch.bars.map(({ attempt }) => attempt)).toEqual([1])
    cancel(ref)
    await get(ref).catch(() => undefined)
  })

  it('[U34] a bar of an actor counts all its calls, and is lost with it', async () => {
    const trainer = Trainer.remote()
    expect(await get([trainer.step.remote(), trainer.step.remote()])).toEqual([1, 2])
    await untilShown(['steps', 2, undefined, 'running'])
    kill(trainer, { noRestart: false })
    await untilShown(['steps', 2, undefined, 'lost'], ['steps', 0, undefined, 'running'])
    expect(await get(trainer.step.remote())).toBe(1)
    await untilShown(['steps', 2, undefined, 'lost'], ['steps', 1, undefined, 'running'])
    kill(trainer)
    await untilShown(['steps', 2, undefined, 'lost'], ['steps', 1, undefined, 'lost'])
  })

  it('[U35] the board is made again with its worker, and bars report anew', async () => {
    const board = async (): Promise<string> => {
      const { rows } = await room.session.listActors({ filters: [['className', '=', 'BoardActor']] })
      return rows.map(({ state, nodeId, workerId }) => `${state} in ${nodeId}, ${workerId}`).join()
    }
    const ref = triesAgain.remote()
    await untilShown(['tries', 3, 4, 'running'])
    const before = await board()
    expect(before).toMatch(/^ALIVE in /)
    room.tabs.find(({ nodeId }) => before.includes(nodeId))?.crashWorkers()
    await vi.waitFor(async () => {
      const after = await board()
      expect(after).toMatch(/^ALIVE in /)
      expect(after).not.toBe(before)
    })
    expect(await get(sums.remote([1, 2]))).toBe(3)
    await vi.waitFor(() => expect(watch.bars.map(shown)).toContainEqual(['sums', 2, 2, 'closed']))
    cancel(ref)
    await get(ref).catch(() => undefined)
  })
})

describe('progress of a page', () => {
  let room: TestRoom
  beforeEach(async () => {
    room = await createTestRoom({ tabs: [{ workers: 0 }], console: false })
  })
  afterEach(() => room.close())

  it('[U30] a page has bars too, in a tab that runs nothing', async () => {
    const seen: Shown[] = []
    const stop = onProgress((bars) => seen.splice(0, seen.length, ...bars.map(shown)))
    await vi.waitFor(async () =>
      expect((await room.session.listActors()).rows.map(({ state }) => state)).toEqual(['ALIVE']),
    )
    const values: number[] = []
    for (const value of progress([1, 2, 3], { description: 'here' })) values.push(value)
    expect(values).toEqual([1, 2, 3])
    await vi.waitFor(() => expect(seen).toEqual([['here', 3, 3, 'closed']]))
    stop()
  })

  it('[U36] with the last listener the board ends, and nobody is told of what is sent after it', async () => {
    const [first, second] = [vi.fn(), vi.fn()]
    const [stopFirst, stopSecond] = [onProgress(first), onProgress(second)]
    await vi.waitFor(async () => expect((await room.session.listActors()).rows[0]?.state).toBe('ALIVE'))
    using bar = new ProgressBar({ description: 'long', total: 3 })
    bar.update()
    await vi.waitFor(() => expect(second).toHaveBeenCalled())
    stopFirst()
    stopFirst()
    expect((await room.session.listActors()).rows[0]?.state).toBe('ALIVE')
    stopSecond()
    await vi.waitFor(async () =>
      expect((await room.session.listActors()).rows.filter(({ state }) => state === 'ALIVE')).toEqual([]),
    )
    bar.update()
    bar.close()
    expect(room.lines).toEqual([])
  })

  it('[U36] who looks again sees what begins from then on, though its worker knew another board', async () => {
    await using other = await createTestRoom({ tabs: 1, workers: 1, console: false, install: false })
    const [valve, count, sum] = [other.session.actor(Valve), other.session.remote(countTo), other.session.remote(sums)]
    const first = new ProgressWatch(other.session, () => undefined)
    await other.session.get(sum.remote([1]))
    await vi.waitFor(() => expect(first.bars.map(shown)).toEqual([['sums', 1, 1, 'closed']]))
    first.close()
    const again = new ProgressWatch(other.session, () => undefined)
    await vi.waitFor(async () =>
      expect((await other.session.listActors()).rows.map(({ state }) => state).sort()).toEqual(['ALIVE', 'DEAD']),
    )
    count.remote(valve.remote(), 10, 'again')
    await vi.waitFor(() => expect(again.bars.map(shown)).toEqual([['again', 5, 10, 'running']]))
    again.close()
  })

  it('[U36] where nobody looks nothing is sent', async () => {
    for await (const _ of progress([1, 2, 3]));
    expect((await room.session.listActors()).rows).toEqual([])
    expect((await room.session.listTasks()).rows).toEqual([])
  })

  it('[U37] bad options and steps are refused by name', () => {
    expect(() => new ProgressBar({ total: -1 })).toThrow(new RangeError('total must be a number from 0 on, got -1'))
    expect(() => new ProgressBar({ total: '3' as never })).toThrow(TypeError)
    expect(() => new ProgressBar({ description: 3 as never })).toThrow(/description must be a string/)
    using bar = new ProgressBar()
    expect(() => bar.update(NaN)).toThrow(RangeError)
    expect(() => bar.update(-1)).toThrow(RangeError)
    bar.close()
    bar.update(3)
    expect(bar.count).toBe(0)
  })
})

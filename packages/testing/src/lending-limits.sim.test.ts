import type { LendingTerms } from '@shoal/node'
import { describe, expect, it } from 'vitest'
import { StoryRoom } from './story-room.ts'

declare const simSleep: (ms: number) => Promise<void>
declare const simBegan: (name: string) => void
declare const simEnded: (name: string) => void

/** Who is at work at each moment, and for how long altogether, in each tab. */
class Watched {
  readonly room: StoryRoom
  readonly now = new Map<string, number>()
  readonly most = new Map<string, number>()
  readonly busyMs = new Map<string, number>()
  readonly ends: string[] = []
  readonly #since = new Map<string, number>()

  constructor(seed: number) {
    this.room = new StoryRoom(seed, {}, (tab) => ({
      workerGlobals: () => ({ simBegan: () => this.#change(tab, 1), simEnded: () => this.#change(tab, -1) }),
    }))
  }

  /** Worker milliseconds in that tab until now. */
  busy(tab: string): number {
    this.#change(tab, 0)
    return this.busyMs.get(tab) ?? 0
  }

  #change(tab: string, change: number): void {
    const { clock } = this.room.world
    const running = this.now.get(tab) ?? 0
    const sinceMs = clock.now() - (this.#since.get(tab) ?? clock.now())
    this.busyMs.set(tab, (this.busyMs.get(tab) ?? 0) + running * sinceMs)
    this.#since.set(tab, clock.now())
    this.now.set(tab, running + change)
    this.most.set(tab, Math.max(this.most.get(tab) ?? 0, running + change))
    if (change < 0) this.ends.push(tab)
  }
}

async function roomOf(seed: number, helpers: readonly string[], terms: Omit<LendingTerms, 'isOn'>): Promise<Watched> {
  const watched = new Watched(seed)
  await watched.room.open(helpers)
  watched.room.tab('a').node.lend({ isOn: true, ...terms })
  await watched.room.pass(100)
  return watched
}

/** A task that runs in helpers alone. */
const work = ({ room }: Watched) =>
  room.tab('driver').api.remote(
    async (ms: number) => {
      simBegan('')
      await simSleep(ms)
      simEnded('')
    },
    { resources: { helper: 1 }, name: 'work' },
  )

describe('limits of what a tab lends', () => {
  it.each([
    [0.5, 100],
    [0.25, 100],
    [0.5, 3_000],
  ])('[NL1] a duty cycle of %f is that share of the time of all workers, with tasks of %i ms', async (share, ms) => {
    const watched = await roomOf(1, ['a'], { dutyCycle: share })
    const { room } = watched
    const task = work(watched)
    const refs = Array.from({ length: 700 }, () => task.remote(ms))
    await room.pass(5_000)
    const before = watched.busy('a')
    const spanMs = ms * 200
    await room.pass(spanMs)
    const measured = (watched.busy('a') - before) / (4 * spanMs)
    expect(measured).toBeGreaterThan(share * 0.9)
    expect(measured).toBeLessThan(share * 1.1)
    // None is lost: those that had to wait ran later.
    expect(
      await room.settle(room.tab('driver').api.wait(refs, { numReturns: refs.length }), 24 * 3_600_000),
    ).toMatchObject([refs, []])
    room.close()
  })

  it('[NL2] so many workers and no more are at work for others, children of their tasks among them', async () => {
    const watched = await roomOf(2, ['a'], { workers: 2 })
    const { room } = watched
    const { api } = room.tab('driver')
    const child = api.remote(
      async (ms: number) => {
        simBegan('')
        await simSleep(ms)
        simEnded('')
      },
      { name: 'child' },
    )
    const parent = api.remote(
      { child },
      async ({ child: each, get }) => {
        await get([each.remote(200), each.remote(200), each.remote(200)])
      },
      { resources: { a: 1 } },
    )
    const task = work(watched)
    await room.settle(api.get([...Array.from({ length: 12 }, () => task.remote(100)), parent.remote()]))
    expect(watched.most.get('a')).toBe(2)
    // Its card says so.
    const [member] = room.tab('driver').node.status().members
    expect(member?.card?.resources.find(({ name }) => name === 'CPU')?.units).toBe(20_000)
    room.tab('a').node.lend({ isOn: true })
    await room.settle(api.get(Array.from({ length: 12 }, () => task.remote(100))))
    expect(watched.most.get('a')).toBe(4)
    room.close()
  })

  it('[NL3] a tab that has to pause ends what runs, gives back what waits, and says why on its card', async () => {
    const watched = await roomOf(3, ['a', 'b'], {})
    const { room } = watched
    const { api, node } = room.tab('driver')
    const task = work(watched)
    const refs = Array.from({ length: 16 }, () => task.remote(2_000))
    await room.pass(500)
    expect([watched.now.get('a'), watched.now.get('b')]).toEqual([4, 4])
    room.tab('a').node.lend({ isOn: true, pause: 'battery' })
    await room.pass(4_000)
    // Those that ran there ended there, and nothing has begun since.
    expect([watched.now.get('a'), watched.ends.filter((tab) => tab === 'a').length]).toEqual([0, 4])
    expect(room.tab('a').node.status()).toMatchObject({ isLending: true, lendingPause: 'battery' })
    const seen = node.status().members.find(({ card }) => card?.labels.some(({ key }) => key === 'shoal/paused'))
    expect(seen?.card).toMatchObject({ resources: [], labels: [{ key: 'shoal/paused', value: 'battery' }] })
    await room.settle(api.get(refs))
    expect(watched.ends.filter((tab) => tab === 'a')).toHaveLength(4)
    room.tab('a').node.lend({ isOn: true })
    await room.pass(500)
    await room.settle(api.get(Array.from({ length: 16 }, () => task.remote(2_000))))
    expect(watched.ends.filter((tab) => tab === 'a').length).toBeGreaterThan(4)
    room.close()
  })

  it('[NL4] bytes past the hour’s share pause it, and the hour’s end lets it go on', async () => {
    const watched = await roomOf(4, ['a', 'b'], { bytesPerHour: 3_000_000 })
    const { room } = watched
    const { api } = room.tab('driver')
    const make = api.remote((n: number) => new Uint8Array(400_000).fill(n), { resources: { a: 1 }, numCpus: 0 })
    const waits = Array.from({ length: 40 }, (_, n) => api.get(make.remote(n)))
    await room.pass(20_000)
    const status = room.tab('a').node.status()
    expect(status.lendingPause).toBe('data')
    expect(status.bytesLastHour).toBeGreaterThan(3_000_000)
    // What was on its way when it was seen came all the same.
    expect(status.bytesLastHour).toBeLessThan(20_000_000)
    const before = status.tasksRun
    await room.pass(60_000)
    expect(room.tab('a').node.status().tasksRun).toBe(before)
    await room.settle(Promise.all(waits), 24 * 3_600_000)
    room.close()
  })

  it('[NL5] memory: what others may reserve, and what objects may take before they go to disk', async () => {
    const watched = await roomOf(5, ['a'], { memoryBytes: 2_000_000 })
    const { room } = watched
    expect(room.tab('a').node.status().objectStoreBytes).toBe(2_000_000)
    room.tab('a').node.lend({ isOn: false, memoryBytes: 2_000_000 })
    expect(room.tab('a').node.status().objectStoreBytes).toBeGreaterThan(2_000_000)
    room.close()
  })

  it('[NL1] calls of an actor that takes one at a time count: what comes when they were too long waits', async () => {
    const watched = await roomOf(6, ['a'], { dutyCycle: 0.5, workers: 1 })
    const { room } = watched
    const { api } = room.tab('driver')
    const Busy = api.actor(
      class {
        async work(ms: number): Promise<void> {
          simBegan('')
          await simSleep(ms)
          simEnded('')
        }
      },
      { resources: { a: 1 } },
    )
    const busy = Busy.remote()
    const { clock } = room.world
    const startMs = clock.now()
    await room.settle(api.get(Array.from({ length: 60 }, () => busy.work.remote(300))))
    const workedMs = watched.busy('a')
    expect(workedMs).toBeGreaterThan(17_900)
    await room.settle(api.get(busy.work.remote(0)), 60_000)
    const passedMs = clock.now() - startMs
    expect(workedMs / passedMs).toBeLessThan(0.55)
    expect(workedMs / passedMs).toBeGreaterThan(0.45)
    room.close()
  })
})

// The page that the bench opens: the SDK and the raw limits beside it, each measured by the same clock in the same run.
import { createRoom, currentSession, get, init, remote, shutdown, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { actorCallsPerSecond, actorCallTimes, endActors, makeActors } from './actors.ts'
import { Chains } from './chains.ts'
import { esRate, firstIterationMs, gatherTimes, paddedIterationMs, rawEsStepsPerSecond } from './learning.ts'
import { lendMany, runMany } from './many-tasks.ts'
import {
  localityTimes,
  putBytesPerSecond,
  rawTurnsPerSecond,
  sleepsPerSecond,
  spillBytesPerSecond,
  turnsPerSecond,
} from './objects.ts'
import { rawChannelBytesPerSecond, rawChannelRoundTripMs } from './raw-channel.ts'
import { openRawHops, rawHopBatchRate, rawHopsMs } from './raw-hops.ts'
import { streamItemsPerSecond } from './streams.ts'
import { median } from './statistics.ts'

const nothing = remote((n: number) => n)
const hold = remote(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
})
const where = remote({}, ({ context }) => context().nodeId)
const makeRefs = remote({}, ({ put }, count: number) => Array.from({ length: count }, (_, i) => put(i)))
const make = remote((bytes: number) => new Uint8Array(bytes).fill(7))

/** Median of the milliseconds from `.remote()` to the value, one task at a time. */
async function syncTaskMs(count: number): Promise<number> {
  return median(await syncTaskTimes(count))
}

/** Milliseconds of a local task and of its limit. */
interface RoundTrips {
  readonly taskMs: number
  readonly limitMs: number
}

/**
 * Local tasks and their limit, in turns of a few each: other programs take the cores in bursts, and a system may run the
 * threads of one of two long runs on one core and those of the other on two, which alone makes them differ by a factor of
 * two (docs/decisions/022). `all`: medians of all; `quietest`: of each the turn whose median was least.
 */
async function localRoundTrips(
  turns: number,
  each: number,
  timesOf: (count: number) => Promise<number[]> = syncTaskTimes,
): Promise<{ all: RoundTrips; quietest: RoundTrips }> {
  const hops = await openRawHops(true)
  const tasks: number[][] = []
  const limits: number[][] = []
  for (let turn = 0; turn < turns; turn++) {
    // The first of each turn meets threads that have slept.
    limits.push((await hops.times(each)).slice(1))
    tasks.push((await timesOf(each)).slice(1))
  }
  hops.close()
  const least = (of: number[][]): number => Math.min(...of.map(median))
  return {
    all: { taskMs: median(tasks.flat()), limitMs: median(limits.flat()) },
    quietest: { taskMs: least(tasks), limitMs: least(limits) },
  }
}

async function syncTaskTimes(count: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    using ref = nothing.remote(i)
    await get(ref)
    times.push(performance.now() - start)
  }
  return times
}

/** Tasks a second, all submitted at once and all fetched. */
async function bulkTasksPerSecond(count: number): Promise<number> {
  const start = performance.now()
  const refs = Array.from({ length: count }, (_, i) => nothing.remote(i))
  const values = await get(refs)
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  if (values.some((value, i) => value !== i)) throw new Error('a task returned another task’s value')
  return count / seconds
}

/** Drains a second: as many tasks submitted at once as `count`, then one `wait` after the other, each for the next one ready. */
async function drainsPerSecond(count: number): Promise<number> {
  const start = performance.now()
  const refs = Array.from({ length: count }, (_, i) => nothing.remote(i))
  let rest = refs
  while (rest.length > 0) rest = (await wait(rest))[1]
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  return 1 / seconds
}

/** Median of the milliseconds that `get` takes for an object with `count` refs in it, made by a task. */
async function getRefsMs(count: number, times: number): Promise<number> {
  using ref = makeRefs.remote(count)
  await wait([ref])
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    const inner = await get(ref)
    took.push(performance.now() - start)
    if (inner.length !== count) throw new Error('refs are missing')
    for (const one of inner) one.release()
  }
  return median(took)
}

/** Bytes a second of one large result that was made in another tab. */
async function remoteObjectBytesPerSecond(bytes: number): Promise<number> {
  using ref = make.remote(bytes)
  await wait([ref])
  const start = performance.now()
  const value = await get(ref)
  if (value.length !== bytes || value[bytes - 1] !== 7) throw new Error('the object arrived damaged')
  return bytes / ((performance.now() - start) / 1000)
}

interface OfOwner {
  readonly values: readonly ObjectRef<number>[]
  readonly bytes: ObjectRef<Uint8Array>
  readonly sums: readonly ObjectRef<number>[]
}
let ofOwner: OfOwner | undefined

/** Values that a task put in the tab with the resource `owner`, and children that it ran elsewhere. */
async function makeInOwner(): Promise<void> {
  const child = remote((n: number) => n + 1, { resources: { other: 1 }, numCpus: 0 })
  // Before, since a task sends on only what its tab was given leave to run.
  await get(child.options({ resources: { owner: 1 } }).remote(1))
  const task = remote(
    { child },
    async ({ put, get: settle, child: add }) => {
      const sums = [1, 2, 3, 4, 5].map((n) => add.remote(n))
      await settle(sums)
      return {
        values: Array.from({ length: 20 }, (_, n) => put(n)),
        bytes: put(new Uint8Array(300_000).fill(7)),
        sums,
      }
    },
    { resources: { owner: 1 }, numCpus: 0 },
  )
  ofOwner = (await get(task.remote())) as OfOwner
  // Until the bytes that no task makes again are in a second tab: within a second or two.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
}

/** When all of them were answered. */
async function getAllOfOwner(): Promise<number> {
  if (ofOwner === undefined) throw new Error('nothing was made')
  const { values, bytes, sums } = ofOwner
  const [numbers, content, added] = await Promise.all([get(values), get(bytes), get(sums)])
  const answeredAt = Date.now()
  if (numbers.some((n, i) => n !== i) || content.length !== 300_000 || added.some((n, i) => n !== i + 2))
    throw new Error('a value is not what was put')
  return answeredAt
}

function traffic(): { sent: number; received: number } {
  const status = currentSession()?.status()
  return { sent: status?.bytesSent ?? 0, received: status?.bytesReceived ?? 0 }
}

const bench = {
  init: async (room?: string) => {
    await init(room === undefined ? { workers: 1 } : { room, workers: 1, lend: true })
  },
  createRoom: async (workers = 1) => (await createRoom({ server: location.origin, workers })).helperLink,
  /** A tab that lends so many slots, or with none only keeps records. */
  initHelper: async (room: string, workers: number, lend = workers > 0) => {
    await init({ room, workers, lend, warnBeforeClose: false })
  },
  lend: (isOn: boolean) => currentSession()?.lend(isOn),
  chains: new Chains(),
  runMany,
  lendMany,
  members: () =>
    currentSession()
      ?.status()
      .members.filter((member) => member.state === 'connected').length ?? 0,
  others: () =>
    currentSession()
      ?.status()
      .members.filter((member) => !member.isSelf && member.state === 'connected').length ?? 0,
  /** Keeps this tab's one slot, so that tasks have to go to the other. */
  holdSlot: (ms: number) => void get(hold.remote(ms)).catch(() => undefined),
  whereTasksRun: () => get(where.remote()),
  self: () => currentSession()?.status().nodeId,
  shutdown,
  syncTaskMs,
  actorRoundTrips: (turns: number, each: number) => localRoundTrips(turns, each, actorCallTimes),
  actorCallsPerSecond,
  makeActors,
  endActors,
  localRoundTrips,
  bulkTasksPerSecond,
  drainsPerSecond,
  streamItemsPerSecond,
  getRefsMs,
  remoteObjectBytesPerSecond,
  traffic,
  initSpilling: async (objectStoreBytes: number) => {
    await init({ workers: 1, objectStoreBytes })
  },
  putBytesPerSecond,
  spillBytesPerSecond,
  localityTimes,
  sleepsPerSecond,
  turnsPerSecond,
  rawTurnsPerSecond,
  firstIterationMs,
  paddedIterationMs,
  esRate,
  rawEsStepsPerSecond,
  gatherTimes,
  initNamed: async (room: string, name: string) => {
    await init({ room, name, workers: 1, lend: true, warnBeforeClose: false, resources: { [name]: 100 } })
  },
  makeInOwner,
  getAllOfOwner,
  status: () => currentSession()?.status(),
  rawHopsMs,
  rawHopBatchRate,
  rawChannelRoundTripMs,
  rawChannelBytesPerSecond,
}
export type Bench = typeof bench
;(window as unknown as { bench: Bench }).bench = bench

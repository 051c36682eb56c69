// Objects beside their raw limits: put beside a copy, the disk beside IndexedDB itself, tasks where their inputs are beside
// tasks where they are not.
import { currentSession, get, put, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { askAll } from './ask-all.ts'
import { MEMORY_BYTES } from './memory.ts'
import { median } from './statistics.ts'

export interface Pair {
  readonly ours: number
  readonly limit: number
}

const MB = 1_000_000
const make = remote((seed: number, bytes: number) => new Uint8Array(bytes).fill(seed))
const first = remote((bytes: Uint8Array) => bytes[0])
const nothing = remote((n: number) => n)

/** Bytes a second of `put`, and of allocating as much and copying it, in turns; medians. */
export async function putBytesPerSecond(bytes: number, turns: number): Promise<Pair> {
  const source = new Uint8Array(bytes).fill(7)
  const ours: number[] = []
  const limit: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now()
    const copy = new Uint8Array(bytes)
    copy.set(source)
    limit.push(performance.now() - start)
    if (copy[bytes - 1] !== 7) throw new Error('nothing was copied')
    const from = performance.now()
    const ref = put(source)
    ours.push(performance.now() - from)
    // Until it has arrived, and is gone.
    await wait([ref])
    ref.release()
  }
  return { ours: bytes / (median(ours) / 1000), limit: bytes / (median(limit) / 1000) }
}

/**
 * Bytes a second, written to disk by this tab whose memory has room for far less, and by IndexedDB itself: batches of the same
 * size in one transaction each.
 */
export async function spillBytesPerSecond(objects: number, bytes: number): Promise<Pair> {
  const values = Array.from({ length: objects }, (_, n) => new Uint8Array(bytes).fill(n))
  const limit = await rawWriteBytesPerSecond(values)
  const start = performance.now()
  const refs = values.map((value) => put(value, { transfer: true }))
  const total = objects * bytes
  // All but what memory keeps.
  const { spilledBytes, ms } = await untilSpilled(
    (spilled, inMemory) => inMemory <= 0.9 * MEMORY_BYTES && spilled > 0,
    start,
  )
  for (const ref of refs) ref.release()
  await untilSpilled((spilled) => spilled === 0, start)
  if (spilledBytes < total / 2) throw new Error('most of it should be on disk')
  return { ours: spilledBytes / (ms / 1000), limit }
}

function untilSpilled(
  isEnough: (spilled: number, inMemory: number) => boolean,
  start: number,
): Promise<{ spilledBytes: number; ms: number }> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { objectBytes = 0, spilledBytes = 0 } = currentSession()?.status() ?? {}
      const ms = performance.now() - start
      if (isEnough(spilledBytes, objectBytes - spilledBytes) && ms > 0) resolve({ spilledBytes, ms })
      else setTimeout(look, 10)
    }
    look()
  })
}

async function rawWriteBytesPerSecond(values: readonly Uint8Array[]): Promise<number> {
  const database = await done(
    Object.assign(indexedDB.open('bench', 1), {
      onupgradeneeded: (event: Event) => (event.target as IDBOpenDBRequest).result.createObjectStore('raw'),
    }),
  )
  const bytes = values.reduce((sum, { length }) => sum + length, 0)
  const each = Math.max(1, Math.floor((32 * MB) / (values[0]?.length ?? 1)))
  const start = performance.now()
  for (let at = 0; at < values.length; at += each) {
    const transaction = database.transaction('raw', 'readwrite', { durability: 'relaxed' })
    const store = transaction.objectStore('raw')
    values.slice(at, at + each).forEach((value, index) => store.put(value, at + index))
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
    })
  }
  const ms = performance.now() - start
  database.close()
  await done(indexedDB.deleteDatabase('bench'))
  return bytes / (ms / 1000)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'))
  })
}

export interface LocalityTimes {
  /** Milliseconds of a task without input, of one that is placed by us, and of one in a tab chosen by chance. */
  readonly none: number
  readonly aware: number
  readonly random: number
}

/** Means over `count` tasks, one after another, whose inputs lie in one of two other tabs each. */
export async function localityTimes(count: number, bytes: number): Promise<LocalityTimes> {
  const helpers = (currentSession()?.status().members ?? []).flatMap(({ isSelf, nodeId }) => (isSelf ? [] : [nodeId]))
  const [a = '', b = ''] = helpers
  const at = (nodeId: string): { schedulingStrategy: { nodeId: string; soft: boolean } } => ({
    schedulingStrategy: { nodeId, soft: false },
  })
  const inputs = async (): Promise<ObjectRef<Uint8Array>[]> => {
    const refs = Array.from({ length: count }, (_, n) => make.options(at(n % 2 === 0 ? a : b)).remote(n % 250, bytes))
    await wait(refs, { numReturns: count })
    return refs
  }
  const timesOf = async (run: (index: number) => ObjectRef<unknown>): Promise<number> => {
    let total = 0
    for (let n = 0; n < count; n++) {
      const start = performance.now()
      const ref = run(n)
      await get(ref)
      total += performance.now() - start
      ref.release()
    }
    return total / count
  }
  const near = await inputs()
  await timesOf((n) => nothing.options(at(n % 2 === 0 ? a : b)).remote(n))
  const none = await timesOf((n) => nothing.options(at(n % 2 === 0 ? a : b)).remote(n))
  const aware = await timesOf((n) => first.remote(near[n] as ObjectRef<Uint8Array>))
  for (const ref of near) ref.release()
  const far = await inputs()
  // Half of them meet their input by chance.
  const random = await timesOf((n) => first.options(at(n % 4 < 2 ? a : b)).remote(far[n] as ObjectRef<Uint8Array>))
  for (const ref of far) ref.release()
  return { none, aware, random }
}

const sleepy = remote(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
})
const busy = remote((ms: number) => {
  const end = performance.now() + ms
  let turns = 0
  while (performance.now() < end) turns++
  return turns
})

/** Tasks a second of `count` that sleep so long, all submitted at once. */
export async function sleepsPerSecond(count: number, ms: number): Promise<number> {
  const start = performance.now()
  const refs = Array.from({ length: count }, () => sleepy.remote(ms))
  await get(refs)
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  return count / seconds
}

/** Turns of a loop a second, all tabs together, in tasks of so many milliseconds. */
export async function turnsPerSecond(count: number, ms: number): Promise<number> {
  const start = performance.now()
  const refs = Array.from({ length: count }, () => busy.remote(ms))
  const turns = await get(refs)
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  return turns.reduce((sum, each) => sum + each, 0) / seconds
}

/** The same loop in bare workers, as many at once as `workers`. */
export async function rawTurnsPerSecond(workers: number, ms: number): Promise<number> {
  const text = `onmessage = ({ data }) => {
    const end = performance.now() + data
    let turns = 0
    while (performance.now() < end) turns++
    postMessage(turns)
  }`
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const all = Array.from({ length: workers }, () => new Worker(url))
  await askAll(all, 200)
  const start = performance.now()
  const turns = await askAll(all, ms)
  const seconds = (performance.now() - start) / 1000
  for (const worker of all) worker.terminate()
  URL.revokeObjectURL(url)
  return turns / seconds
}

// The tasks and actors of the end-to-end tests.
import { actor, context, get, put, remote } from '@shoal/sdk'
import type { ActorHandle, ObjectRef } from '@shoal/sdk'
import { contentHash, madeBytes } from './content.ts'

export interface Place {
  readonly nodeId: string
  readonly attempt: number
}

function place(): Place {
  const { nodeId, attempt } = context()
  return { nodeId, attempt }
}

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** Keeps its worker busy for a while and says where. */
export const busy = remote((index: number, ms: number) => {
  spin(ms)
  return { index, ...place() }
})

/** Says where it is; its first attempt never ends if that is at `nodeId`. */
export const staysAt = remote(async (index: number, nodeId: string) => {
  const at = place()
  if (at.nodeId === nodeId && at.attempt === 0) await new Promise(() => undefined)
  spin(20)
  return { index, ...at }
})

export const add = remote((a: number, b: number) => a + b)

export const fib = remote(async (n: number): Promise<number> => {
  if (n < 2) return n
  const [a, b] = await get([fib.remote(n - 1), fib.remote(n - 2)])
  return a + b
})

/** Every node that a tree of tasks ran on; `width` children at each of `depth` levels. */
export const tree = remote(async (depth: number, width: number, ms: number): Promise<string[]> => {
  spin(ms)
  const children = depth === 0 ? [] : Array.from({ length: width }, () => tree.remote(depth - 1, width, ms))
  return [place().nodeId, ...(await get(children)).flat()]
})

export const hashOf = remote((bytes: Uint8Array) => ({
  hash: contentHash(bytes),
  length: bytes.length,
  nodeId: place().nodeId,
}))

/** What its argument was, which it then overwrites: tasks have arguments of their own. */
export const spoiled = remote((bytes: Uint8Array) => {
  const hash = contentHash(bytes)
  bytes.fill(0)
  return { hash, isOwn: bytes.buffer instanceof ArrayBuffer }
})

export const makeBytes = remote((seed: number, length: number) => madeBytes(seed, length))

/** A ref that travels inside a value is not resolved: the task gets it and asks for it itself. */
export const readInside = remote(async (box: { readonly ref: ObjectRef<Uint8Array> }) => ({
  hash: contentHash(await get(box.ref)),
  nodeId: place().nodeId,
}))

/** A result with a ref to an object that the task's own tab made. */
export const putThere = remote((seed: number, length: number) => ({
  ref: put(madeBytes(seed, length)),
  nodeId: place().nodeId,
}))

export const fail = remote((text: string) => {
  throw new RangeError(text, { cause: place().nodeId })
})

export const chat = remote((text: string) => {
  console.log(`log ${text}`)
  console.warn(`warn ${text}`, { n: 1 })
  console.error(`error ${text}`)
  return place().nodeId
})

export const loop = remote(() => {
  for (;;);
})

/** Ends when it is cancelled. */
export const listens = remote(async () => {
  const { signal } = context()
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
})

/** These three never await: each would go on for half a minute. */
export const pollsContext = remote(() => {
  for (const end = performance.now() + 30_000; performance.now() < end;) if (context().isCancelled) throw new Error()
})

export const pollsSignal = remote(() => {
  const { signal } = context()
  for (const end = performance.now() + 30_000; performance.now() < end && !signal.aborted;);
  signal.throwIfAborted()
})

export const submits = remote(() => {
  for (const end = performance.now() + 30_000; performance.now() < end; spin(5)) put(1).release()
})

export const notClonable = remote(() => ({ model: { layers: [1, { onDone: () => 1 }] } }))

export interface CounterEntry {
  readonly caller: string
  readonly call: number
}

class CounterState {
  readonly #entries: CounterEntry[] = []
  #sum: number

  constructor(start: number) {
    this.#sum = start
  }

  add(caller: string, call: number, value: number): number {
    this.#entries.push({ caller, call })
    this.#sum += value
    return this.#sum
  }

  read(): { readonly sum: number; readonly entries: readonly CounterEntry[]; readonly nodeId: string } {
    return { sum: this.#sum, entries: this.#entries, nodeId: place().nodeId }
  }

  fail(): never {
    throw new TypeError('the counter was asked to fail')
  }
}

export const Counter = actor(CounterState)

/** Calls the actor from where the task runs. */
export const callCounter = remote(
  async (counter: ActorHandle<CounterState>, caller: string, calls: number): Promise<Place & { sums: number[] }> => {
    const refs = Array.from({ length: calls }, (_, call) => counter.add.remote(caller, call, 1))
    return { ...place(), sums: await get(refs) }
  },
)

/** Yields 0 to n - 1, one every so many milliseconds, each with the tab that made it. */
export const count = remote(async function* (
  n: number,
  everyMs: number,
): AsyncGenerator<Place & { readonly index: number }, void, undefined> {
  for (let index = 0; index < n; index++) {
    await new Promise((resolve) => setTimeout(resolve, everyMs))
    yield { ...place(), index }
  }
})

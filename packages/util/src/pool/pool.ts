import { cancel, currentSession, get, wait } from '@shoal/sdk'
import type { ObjectRef, RemoteFunction } from '@shoal/sdk'
import { checkWhole } from '../checks.ts'

/** How values are dealt out. */
export interface ChunkOptions {
  /** Values that are handed out at once to a process. Default: 1; of `map` and `starmap` a quarter of its share. */
  readonly chunkSize?: number
}

type Values<V> = Iterable<V> | AsyncIterable<V>

/** Chunks that a process gets of a whole list, as in Python: with few, who is done early has nothing left to do. */
const CHUNKS_EACH = 4

/**
 * As multiprocessing.Pool, over the tabs of the room: at most `processes` chunks of tasks are under way. Each value is a task
 * of its own, run again by itself when its tab goes. Nothing is held between calls, so there is nothing to close.
 *
 * @throws RangeError for what is no number of processes.
 * @example
 * const square = remote((n: number) => n * n)
 * await new Pool(4).map(square, [1, 2, 3]) // [1, 4, 9]
 */
export class Pool {
  readonly #processes: number | undefined

  /** Default: as many tasks as the tabs of the room run at a time when a call begins; in a task 1. */
  constructor(processes?: number) {
    if (processes !== undefined) checkWhole('processes', processes, 1)
    this.#processes = processes
  }

  get processes(): number {
    return this.#processes ?? slotsOfRoom()
  }

  /**
   * The results in the order of the values, once all are there. Fails with the first error, and cancels the rest.
   *
   * @example
   * const square = remote((n: number) => n * n)
   * await new Pool().map(square, [1, 2, 3], { chunkSize: 2 }) // [1, 4, 9]
   */
  map<V, R>(fn: RemoteFunction<[V], R>, values: Values<V>, options: ChunkOptions = {}): Promise<R[]> {
    return this.#all((value) => submit(fn, [value]), values, options)
  }

  /**
   * As `map`, each value being the list of a call's arguments.
   *
   * @example
   * const power = remote((n: number, k: number) => n ** k)
   * await new Pool().starmap(power, [[2, 3], [3, 2]]) // [8, 9]
   */
  starmap<P extends readonly unknown[], R>(
    fn: RemoteFunction<P, R>,
    values: Values<P>,
    options: ChunkOptions = {},
  ): Promise<R[]> {
    return this.#all((value) => submit(fn, value), values, options)
  }

  /**
   * The results one by one, in the order of the values, which are asked for as they are needed. Ends with the first error; what
   * is under way then, or when the loop is left, is cancelled.
   *
   * @example
   * const square = remote((n: number) => n * n)
   * for await (const result of new Pool().imap(square, [1, 2, 3])) console.log(result) // 1, 4, 9
   */
  async *imap<V, R>(fn: RemoteFunction<[V], R>, values: Values<V>, options: ChunkOptions = {}): AsyncGenerator<R> {
    for await (const { value } of this.#run((one: V) => submit(fn, [one]), values, options, true)) yield value
  }

  /** As `imap`, in the order in which the tasks end. */
  async *imapUnordered<V, R>(
    fn: RemoteFunction<[V], R>,
    values: Values<V>,
    options: ChunkOptions = {},
  ): AsyncGenerator<R> {
    for await (const { value } of this.#run((one: V) => submit(fn, [one]), values, options, false)) yield value
  }

  async #all<V, R>(start: (value: V) => ObjectRef<R>, values: Values<V>, options: ChunkOptions): Promise<R[]> {
    const list: V[] = []
    for await (const value of values) list.push(value)
    const chunkSize = options.chunkSize ?? Math.max(1, Math.ceil(list.length / (CHUNKS_EACH * this.processes)))
    const results = new Array<R>(list.length)
    // Unordered, so that an error counts when it comes and not when its turn is.
    for await (const { place, value } of this.#run(start, list, { chunkSize }, false)) results[place] = value
    return results
  }

  async *#run<V, R>(
    start: (value: V) => ObjectRef<R>,
    values: Values<V>,
    { chunkSize = 1 }: ChunkOptions,
    isOrdered: boolean,
  ): AsyncGenerator<Result<R>> {
    checkWhole('chunkSize', chunkSize, 1)
    const most = this.processes * chunkSize
    /** Place of the value by ref, in the order of places. */
    const running = new Map<ObjectRef<R>, number>()
    let started = 0
    const next = async (): Promise<Result<R>> => {
      const [ref] = isOrdered ? running.keys() : (await wait([...running.keys()]))[0]
      const place = ref && running.get(ref)
      if (ref === undefined || place === undefined) throw new Error('nothing is under way')
      const value = await get(ref)
      running.delete(ref)
      return { place, value }
    }
    try {
      for await (const chunk of chunksOf(values, chunkSize)) {
        while (running.size + chunk.length > most) yield await next()
        for (const value of chunk) running.set(start(value), started++)
      }
      while (running.size > 0) yield await next()
    } finally {
      for (const ref of running.keys()) cancel(ref)
    }
  }
}

interface Result<R> {
  readonly place: number
  readonly value: R
}

function submit<P extends readonly unknown[], R>(fn: RemoteFunction<P, R>, args: P): ObjectRef<R> {
  // What a function returns is not known here, so that the compiler cannot see that it is no generator.
  return (fn as unknown as RemoteFunction<unknown[], R>).remote(...args) as ObjectRef<R>
}

/** Slots of all tabs that lend, this one's included. */
function slotsOfRoom(): number {
  // Inside of a task the SDK has no session: what others lend is not known there.
  const session = typeof currentSession === 'function' ? currentSession() : undefined
  if (session === undefined) return 1
  const { slots, members } = session.status()
  const others = members.filter(({ isSelf, state }) => !isSelf && state === 'connected')
  return Math.max(
    1,
    others.reduce((sum, member) => sum + member.slots, slots),
  )
}

async function* chunksOf<V>(values: Values<V>, size: number): AsyncGenerator<V[]> {
  let chunk: V[] = []
  for await (const value of values) {
    chunk.push(value)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

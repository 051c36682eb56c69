import { ActorDiedError, get, GetTimeoutError, TaskError, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { checkTimeout } from '../checks.ts'

/** How long a result is waited for. */
export interface NextOptions {
  /** Default: as long as it takes. */
  readonly timeoutMs?: number
}

/** A call whose result nobody has taken. */
interface Call<A, R> {
  readonly start: (actor: A) => ObjectRef<R>
  /** Once an actor has it. */
  under?: { readonly actor: A; readonly ref: ObjectRef<R> }
  /** `start` threw. */
  refused?: { readonly error: unknown }
}

type Outcome<R> = { readonly value: R } | { readonly error: unknown }

/**
 * Deals values out to a fixed set of actors, one call an actor at a time. As in Ray an actor is free again once the result of
 * its call was taken, by `getNext` or `getNextUnordered`, as a value or as an error; until then what was submitted past the
 * number of actors waits here. An actor that died is taken out while there are others: the last one stays, so that what waits for
 * it fails instead of waiting for good.
 *
 * @example
 * const Square = actor(class { of(n: number) { return n * n } })
 * const pool = new ActorPool([Square.remote(), Square.remote()])
 * for await (const square of pool.map((worker, n: number) => worker.of.remote(n), [1, 2, 3])) console.log(square)
 */
export class ActorPool<A extends object, R = unknown> {
  readonly #idle: A[]
  /** In the order of submission. Those that no actor has yet are the last. */
  readonly #calls: Call<A, R>[] = []
  /** Idle and busy ones. */
  #actors: number

  constructor(actors: readonly A[]) {
    this.#idle = [...actors]
    this.#actors = actors.length
    if (new Set(actors).size < actors.length) throw new RangeError('an actor stands twice in the pool')
  }

  /**
   * Calls `fn` with a free actor, now or once there is one. `fn` makes the call and gives its ref.
   *
   * @example
   * pool.submit((worker, n: number) => worker.of.remote(n), 3)
   * await pool.getNext() // 9
   */
  submit<V>(fn: (actor: A, value: V) => ObjectRef<R>, value: V): void {
    this.#calls.push({ start: (actor) => fn(actor, value) })
    this.#startWaiting()
  }

  /** Whether there is a result that nobody has taken, finished or not. */
  hasNext(): boolean {
    return this.#calls.length > 0
  }

  /**
   * The result of what was submitted first, of those that nobody has taken.
   *
   * @throws what the call throws; GetTimeoutError when it takes longer than `timeoutMs`, and then it can be taken later; Error
   * when there is nothing to take; RangeError for a negative `timeoutMs`.
   */
  getNext(options: NextOptions = {}): Promise<R> {
    return this.#next((calls) => calls.slice(0, 1), options)
  }

  /** The result of what ends first. Throws as `getNext` does. */
  getNextUnordered(options: NextOptions = {}): Promise<R> {
    return this.#next((calls) => calls, options)
  }

  /**
   * The results in the order of the values. A value is asked for when an actor is free to take it. Ends with the first error;
   * what runs then, or when the loop is left, is awaited and dropped, so that the pool is free afterwards.
   *
   * @throws Error when results of `submit` are still to be taken.
   */
  map<V>(fn: (actor: A, value: V) => ObjectRef<R>, values: Iterable<V> | AsyncIterable<V>): AsyncGenerator<R> {
    return this.#map(fn, values, () => this.getNext())
  }

  /** As `map`, in the order in which the calls end. */
  mapUnordered<V>(fn: (actor: A, value: V) => ObjectRef<R>, values: Iterable<V> | AsyncIterable<V>): AsyncGenerator<R> {
    return this.#map(fn, values, () => this.getNextUnordered())
  }

  /** Whether an actor is free, and nothing waits for one. */
  hasFree(): boolean {
    return this.#idle.length > 0
  }

  /** Takes a free actor out of the pool; undefined when none is free. */
  popIdle(): A | undefined {
    const actor = this.#idle.pop()
    if (actor !== undefined) this.#actors -= 1
    return actor
  }

  /** Adds an actor. @throws RangeError when it is in the pool. */
  push(actor: A): void {
    if (this.#idle.includes(actor) || this.#calls.some(({ under }) => under?.actor === actor))
      throw new RangeError('this actor is in the pool already')
    this.#actors += 1
    this.#idle.push(actor)
    this.#startWaiting()
  }

  #startWaiting(): void {
    for (const call of this.#calls) {
      if (call.under !== undefined || call.refused !== undefined) continue
      const actor = this.#idle.pop()
      if (actor === undefined) return
      try {
        call.under = { actor, ref: call.start(actor) }
      } catch (error) {
        call.refused = { error }
        this.#idle.push(actor)
      }
    }
  }

  async #next(among: (calls: Call<A, R>[]) => Call<A, R>[], { timeoutMs }: NextOptions): Promise<R> {
    checkTimeout(timeoutMs)
    const start = performance.now()
    for (;;) {
      if (this.#calls.length === 0) throw new Error('there is no result to take: nothing was submitted')
      const calls = among(this.#calls)
      const left = timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (performance.now() - start))
      const call = calls.find(({ refused }) => refused !== undefined) ?? (await firstReady(calls, left))
      if (call === undefined) throw new GetTimeoutError('get-timeout', `the pool has no result within ${timeoutMs} ms`)
      const outcome = call.refused ?? (await outcomeOf(call))
      // Somebody else who waited may have been faster.
      if (!this.#calls.includes(call)) continue
      this.#take(call, outcome)
      if ('error' in outcome) throw outcome.error
      return outcome.value
    }
  }

  #take(call: Call<A, R>, outcome: Outcome<R>): void {
    this.#calls.splice(this.#calls.indexOf(call), 1)
    if (call.under === undefined) return
    if ('error' in outcome && isDeath(outcome.error) && this.#actors > 1) this.#actors -= 1
    else this.#idle.push(call.under.actor)
    this.#startWaiting()
  }

  async *#map<V>(
    fn: (actor: A, value: V) => ObjectRef<R>,
    values: Iterable<V> | AsyncIterable<V>,
    next: () => Promise<R>,
  ): AsyncGenerator<R> {
    if (this.hasNext()) throw new Error('take the results of what was submitted before: map() gives its own alone')
    try {
      for await (const value of values) {
        if (!this.hasFree()) yield await next()
        this.submit(fn, value)
      }
      while (this.hasNext()) yield await next()
    } finally {
      while (this.hasNext()) await this.getNextUnordered().catch(() => undefined)
    }
  }
}

/** Undefined when none is within that time. */
async function firstReady<A, R>(
  calls: readonly Call<A, R>[],
  timeoutMs: number | undefined,
): Promise<Call<A, R> | undefined> {
  const refs = calls.flatMap(({ under }) => under?.ref ?? [])
  if (refs.length === 0) throw new Error('the pool has no actor that could do what was submitted: push one')
  const [ready] = await wait(refs, timeoutMs === undefined ? {} : { timeoutMs })
  return calls.find(({ under }) => under !== undefined && under.ref === ready[0])
}

async function outcomeOf<A, R>({ under }: Call<A, R>): Promise<Outcome<R>> {
  if (under === undefined) throw new Error('a call that no actor has cannot be ready')
  try {
    return { value: await get(under.ref) }
  } catch (error) {
    return { error }
  }
}

/** A TaskError is also what was thrown in the method: that another actor died, say. */
function isDeath(error: unknown): boolean {
  return error instanceof ActorDiedError && !(error instanceof TaskError)
}

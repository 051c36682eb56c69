// Long because get and wait share one table of what was asked for, and every way in which either ends.
import { toError } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'
import { GetTimeoutError, showId } from '@shoal/protocol'
import type { ObjectId, ShoalError } from '@shoal/protocol'

/** How long `get` waits. */
export interface GetOptions {
  /** Rejects with GetTimeoutError after this many milliseconds; 0 polls. Default: for ever. */
  readonly timeoutMs?: number
  /** Rejects with the signal's reason. The tasks go on. */
  readonly signal?: AbortSignal
}

/** How long `wait` waits, and for how many. */
export interface WaitOptions extends GetOptions {
  /** How many refs to wait for. Default 1. */
  readonly numReturns?: number
}

export interface WaitsOptions {
  readonly clock: Clock
  ask(kind: 'want' | 'watch' | 'unwant', ids: readonly ObjectId[]): void
  /** The first wait begins, or the last one ends: only in between does anybody wait for what is watched. */
  waiting?(isWaiting: boolean): void
  /** Calls back once the node has looked at everything asked before. */
  poll(callback: () => void): void
  currentRun?(): number | undefined
  onBlocked?(run: number, isBlocked: boolean): void
}

interface Listener {
  value(value: unknown): void
  error(error: ShoalError): void
}

/** One open `wait`. */
interface WaitCall {
  /** How many more objects have to be there. */
  missing: number
  isOver: boolean
  finish(): void
}

type Key = string | number

/**
 * The gets and waits of one core worker that are still open. Ids are asked for once however many wait for them. What
 * exists is remembered until its ref is released, and what was watched stays so: `wait` in a loop over many refs asks for
 * each of them once. Every promise settles: by an answer, its timeout, its signal, or `close`.
 */
export class Waits {
  readonly #options: WaitsOptions
  readonly #wanted = new Map<Key, Set<Listener>>()
  /** What the node was asked to tell of, with the waits that need it; those that are over are dropped at the next. */
  readonly #watched = new Map<Key, WaitCall[]>()
  readonly #ready = new Set<Key>()
  /** Known to exist, and no longer to be remembered once no wait is open. */
  #forgotten: Key[] = []
  #openWaits = 0
  /** What ends each open call, and the run that made it. */
  readonly #open = new Map<(reason: Error) => void, number | undefined>()
  readonly #blockedCalls = new Map<number, number>()

  constructor(options: WaitsOptions) {
    this.#options = options
  }

  /** Open calls, and what is remembered for those to come. */
  get holdings(): { readonly open: number; readonly watched: number; readonly ready: number } {
    return { open: this.#open.size, watched: this.#watched.size, ready: this.#ready.size }
  }

  /** Values in the order of `ids`; the first error rejects at once. */
  get(ids: readonly ObjectId[], options: GetOptions): Promise<unknown[]> {
    if (ids.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const values = new Array<unknown>(ids.length)
      let missing = ids.length
      const places = group(ids)
      const listeners = new Map<Key, Listener>()
      const end = this.#begin(
        options,
        reject,
        () => {
          const left: ObjectId[] = []
          for (const [key, listener] of listeners)
            if (this.#drop(this.#wanted, key, listener)) left.push(idAt(places, key))
          if (left.length > 0) this.#options.ask('unwant', left)
        },
        () =>
          new GetTimeoutError(
            'get-timeout',
            `${missing} of ${ids.length} objects did not exist within ${options.timeoutMs} ms`,
          ),
      )
      const asked: ObjectId[] = []
      for (const [key, { id, indexes }] of places) {
        const listener: Listener = {
          value: (value) => {
            listeners.delete(key)
            for (const index of indexes) values[index] = value
            missing -= indexes.length
            if (missing === 0) {
              end()
              resolve(values)
            }
          },
          error: (error) => {
            listeners.delete(key)
            end()
            reject(error)
          },
        }
        listeners.set(key, listener)
        if (this.#add(this.#wanted, key, listener)) asked.push(id)
      }
      if (asked.length > 0) this.#options.ask('want', asked)
    })
  }

  /**
   * The places of the first `numReturns` ids that exist (as values or errors), once so many do; of fewer when the time is
   * up. Each id is given once.
   */
  wait(ids: readonly ObjectId[], options: WaitOptions): Promise<number[]> {
    const numReturns = options.numReturns ?? 1
    const known = this.#firstReady(ids, numReturns)
    if (known.length === numReturns) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        if (call.isOver) return
        const ready = this.#firstReady(ids, numReturns)
        end()
        resolve(ready)
      }
      const call: WaitCall = { missing: numReturns - known.length, isOver: false, finish }
      const end = this.#begin({ ...(options.signal && { signal: options.signal }) }, reject, () => {
        timer?.cancel()
        call.isOver = true
        if (--this.#openWaits > 0) return
        for (const key of this.#forgotten.splice(0)) this.#forgetKey(key)
        this.#options.waiting?.(false)
      })
      if (++this.#openWaits === 1) this.#options.waiting?.(true)
      const asked = ids.filter((id) => {
        const key = keyOf(id)
        return !this.#ready.has(key) && this.#watch(key, call)
      })
      const limit = options.timeoutMs
      if (asked.length > 0) this.#options.ask('watch', asked)
      const timer = limit === undefined || limit === Infinity ? undefined : this.#timeout(limit, finish)
    })
  }

  #firstReady(ids: readonly ObjectId[], count: number): number[] {
    const places: number[] = []
    if (this.#ready.size === 0) return places
    for (let i = 0; i < ids.length && places.length < count; i++)
      if (this.#ready.has(keyOf(ids[i] as ObjectId))) places.push(i)
    return places
  }

  /** `decode` is called once however many wait. False, and no call, when nobody does any more. */
  onValue(id: ObjectId, decode: () => unknown): boolean {
    const listeners = this.#take(this.#wanted, keyOf(id))
    if (listeners.length === 0) return false
    let value: unknown
    try {
      value = decode()
    } catch (error) {
      for (const listener of listeners) listener.error(error as ShoalError)
      return true
    }
    for (const listener of listeners) listener.value(value)
    return true
  }

  onError(id: ObjectId, error: ShoalError): void {
    for (const listener of this.#take(this.#wanted, keyOf(id))) listener.error(error)
  }

  onReady(ids: readonly ObjectId[]): void {
    for (const id of ids) {
      const key = keyOf(id)
      const calls = this.#watched.get(key)
      // Its ref was released meanwhile: nobody would ever forget it again.
      if (calls === undefined) continue
      this.#ready.add(key)
      this.#watched.delete(key)
      // Answers of one frame all count before the promise settles, so that a poll sees everything that exists.
      for (const call of calls) if (!call.isOver && --call.missing === 0) queueMicrotask(call.finish)
    }
  }

  /** A ref to it is gone: what was known of it need not be kept. */
  forget(id: ObjectId): void {
    if (this.#ready.size === 0 && this.#watched.size === 0) return
    if (this.#openWaits === 0) this.#forgetKey(keyOf(id))
    else this.#forgotten.push(keyOf(id))
  }

  /** What was there is not any more: of a stream whose items were all taken. */
  notReady(id: ObjectId): void {
    this.#ready.delete(keyOf(id))
  }

  #forgetKey(key: Key): void {
    this.#ready.delete(key)
    this.#watched.delete(key)
  }

  /** What the run waits for it does not wait for any more. */
  cancel(run: number, reason: Error): void {
    for (const [stop, from] of [...this.#open]) if (from === run) stop(reason)
  }

  close(reason: Error): void {
    for (const stop of [...this.#open.keys()]) stop(reason)
    this.#watched.clear()
    this.#ready.clear()
  }

  /** Registers an open call with its timeout and signal; gives back what ends it. `cleanup` runs exactly once. */
  #begin(
    options: GetOptions,
    reject: (reason: Error) => void,
    cleanup: () => void,
    timeoutError?: () => Error,
  ): () => void {
    const run = this.#options.currentRun?.()
    let isOpen = true
    const end = (): void => {
      if (!isOpen) return
      isOpen = false
      timer?.cancel()
      options.signal?.removeEventListener('abort', onAbort)
      this.#open.delete(stop)
      this.#unblock(run)
      cleanup()
    }
    const stop = (reason: Error): void => {
      if (!isOpen) return
      end()
      reject(reason)
    }
    const onAbort = (): void => stop(toError(options.signal?.reason))
    const limit = timeoutError === undefined ? undefined : options.timeoutMs
    const timer =
      limit === undefined || limit === Infinity || timeoutError === undefined
        ? undefined
        : this.#timeout(limit, () => stop(timeoutError()))
    this.#open.set(stop, run)
    this.#block(run)
    if (options.signal?.aborted) queueMicrotask(onAbort)
    else options.signal?.addEventListener('abort', onAbort, { once: true })
    return end
  }

  /** A limit of 0 polls: however short it is, what exists already is seen. */
  #timeout(limitMs: number, fire: () => void): Timer {
    let isDue = false
    let isLookedAt = false
    queueMicrotask(() =>
      this.#options.poll(() => {
        isLookedAt = true
        if (isDue) fire()
      }),
    )
    return this.#options.clock.after(limitMs, () => {
      isDue = true
      if (isLookedAt) fire()
    })
  }

  #block(run: number | undefined): void {
    if (run === undefined) return
    const calls = this.#blockedCalls.get(run) ?? 0
    this.#blockedCalls.set(run, calls + 1)
    // After the question itself, so that the node knows whether the answer is there already.
    if (calls === 0) queueMicrotask(() => this.#blockedCalls.has(run) && this.#options.onBlocked?.(run, true))
  }

  #unblock(run: number | undefined): void {
    if (run === undefined) return
    const calls = this.#blockedCalls.get(run) ?? 1
    if (calls > 1) this.#blockedCalls.set(run, calls - 1)
    else {
      this.#blockedCalls.delete(run)
      this.#options.onBlocked?.(run, false)
    }
  }

  /** True when nobody has asked for it yet. */
  #watch(key: Key, call: WaitCall): boolean {
    const calls = this.#watched.get(key)
    if (calls === undefined) {
      this.#watched.set(key, [call])
      return true
    }
    let kept = 0
    for (const other of calls) if (!other.isOver) calls[kept++] = other
    calls.length = kept
    calls.push(call)
    return false
  }

  #add<L>(table: Map<Key, Set<L>>, key: Key, listener: L): boolean {
    const listeners = table.get(key)
    if (listeners === undefined) {
      table.set(key, new Set([listener]))
      return true
    }
    listeners.add(listener)
    return false
  }

  /** True when nobody else waits for the id. */
  #drop<L>(table: Map<Key, Set<L>>, key: Key, listener: L): boolean {
    const listeners = table.get(key)
    if (listeners === undefined) return false
    listeners.delete(listener)
    if (listeners.size > 0) return false
    table.delete(key)
    return true
  }

  #take<L>(table: Map<Key, Set<L>>, key: Key): readonly L[] {
    const listeners = table.get(key)
    table.delete(key)
    return listeners === undefined ? [] : [...listeners]
  }
}

type Places = Map<Key, { readonly id: ObjectId; readonly indexes: number[] }>

function group(ids: readonly ObjectId[]): Places {
  const places: Places = new Map()
  ids.forEach((id, index) => {
    const key = keyOf(id)
    const place = places.get(key)
    if (place === undefined) places.set(key, { id, indexes: [index] })
    else place.indexes.push(index)
  })
  return places
}

function idAt(places: Places, key: Key): ObjectId {
  const place = places.get(key)
  if (place === undefined) throw new RangeError(`no object ${showId({ owner: '' as never, number: 0 })}`)
  return place.id
}

// Almost every id is of this tab's node: its number alone is the key, other ids are text.
const THIS_TAB = '0'.repeat(32)
function keyOf(id: ObjectId): Key {
  return id.owner === THIS_TAB ? id.number : `${id.owner}/${id.number}`
}

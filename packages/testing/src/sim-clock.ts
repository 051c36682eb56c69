import { assert, toError } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'

/** How a machine's clock differs from the world's, and from all others'. */
export interface Skew {
  /** What it shows when the world begins. */
  readonly offsetMs: number
  /** Its milliseconds in one of the world's. */
  readonly rate: number
}

/** A node's view of the one clock, by a clock that goes wrong, with timers of its own. */
export interface NodeClock extends Clock {
  readonly name: string
  /** Timers that are set and have neither fired nor been cancelled. */
  readonly pending: number
  readonly isFrozen: boolean
  /** A frozen node runs nothing; what came due meanwhile fires when it thaws, as in a tab that was put to sleep. */
  freeze(isFrozen: boolean): void
  /** Its timers take so many times as long, those that are set included, as on a machine that does too much. */
  slow(factor: number): void
  /** The node's process is gone: its timers never fire. */
  kill(): void
}

/**
 * Virtual time for a whole room: a heap of events, ordered by time and then by when they were set. After each event all
 * microtasks and everything else that is ready run before the next one, so a run depends on nothing but its seed.
 */
export class SimClock implements Clock {
  #now = 0
  #order = 0
  readonly #heap: SimTimer[] = []
  readonly #counts: Counts = { live: 0 }
  #firedCount = 0

  now(): number {
    return this.#now
  }

  /** Events that fired so far. */
  get firedCount(): number {
    return this.#firedCount
  }

  /** Timers that are set, of all nodes and of the network. */
  get pending(): number {
    return this.#counts.live
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#set(delayMs, callback, undefined)
  }

  forNode(name: string, { offsetMs, rate }: Skew = NO_SKEW): NodeClock {
    const owner: Owner = { pending: 0, isFrozen: false, isDead: false, held: [] }
    let slowness = 1
    return {
      name,
      now: () => offsetMs + this.#now * rate,
      after: (delayMs, callback) => {
        if (owner.isDead) return { cancel() {} }
        owner.pending++
        return this.#set((delayMs * slowness) / rate, callback, owner)
      },
      get pending() {
        return owner.isDead ? 0 : owner.pending
      },
      get isFrozen() {
        return owner.isFrozen
      },
      freeze: (isFrozen) => {
        owner.isFrozen = isFrozen
        if (isFrozen) return
        for (const timer of owner.held.splice(0)) {
          if (timer.callback === undefined) continue
          timer.isHeld = false
          this.#counts.live++
          this.#put(timer, 0)
        }
      },
      slow: (factor) => {
        const ratio = factor / slowness
        slowness = factor
        if (ratio !== 1) this.#stretch(owner, ratio)
      },
      kill: () => {
        owner.isDead = true
        owner.held.length = 0
      },
    }
  }

  /** Runs all events up to `untilMs`, and ends there. */
  async run(untilMs: number): Promise<void> {
    await this.#turns(untilMs, () => false)
    this.#now = Math.max(this.#now, untilMs)
  }

  /** Runs until `holds`, looked at after each event; false when it did not by `limitMs` from now. */
  async runUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
    const until = this.#now + limitMs
    await this.#turns(until, holds)
    if (holds()) return true
    this.#now = Math.max(this.#now, until)
    return false
  }

  /** Runs until the promise is settled. @throws when it is not by `limitMs` from now */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isOpen = true
    const end = (): boolean => (isOpen = false)
    promise.then(end, end)
    if (!(await this.runUntil(() => !isOpen, limitMs)))
      throw new Error(`nothing settled within ${limitMs} simulated ms`)
    return promise
  }

  /**
   * Fires events until none is left up to `untilMs`, or `isDone`: each in an immediate of its own, for Node runs all
   * microtasks between two immediates. They are asked for many at a time, since one a turn of Node's loop costs a system
   * call an event.
   */
  #turns(untilMs: number, isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false
      let batch = 1
      let left = 0
      const ask = (): void => {
        batch = Math.min(MOST_IMMEDIATES, 2 * batch)
        left = batch
        for (let i = 0; i < batch; i++) setImmediate(turn)
      }
      const turn = (): void => {
        if (isOver) return
        try {
          if (isDone() || !this.#fireNext(untilMs)) {
            isOver = true
            resolve()
          } else if (--left === 0) ask()
        } catch (error) {
          isOver = true
          reject(toError(error))
        }
      }
      ask()
    })
  }

  /** False when there is none up to that time. */
  #fireNext(untilMs: number): boolean {
    for (let next = this.#heap[0]; next && next.at <= untilMs; next = this.#heap[0]) {
      this.#pop()
      const { callback, owner } = next
      if (callback === undefined) continue
      this.#counts.live--
      this.#firedCount++
      this.#now = Math.max(this.#now, next.at)
      if (owner?.isFrozen === true && !owner.isDead) {
        next.isHeld = true
        owner.held.push(next)
        return true
      }
      next.callback = undefined
      if (owner === undefined) callback()
      else if (!owner.isDead) {
        owner.pending--
        callback()
      }
      return true
    }
    return false
  }

  #set(delayMs: number, callback: () => void, owner: Owner | undefined): Timer {
    assert(delayMs >= 0 && Number.isFinite(delayMs), `a timer of ${delayMs} ms`)
    const timer = new SimTimer(callback, owner, this.#counts)
    this.#counts.live++
    this.#put(timer, delayMs)
    return timer
  }

  #put(timer: SimTimer, delayMs: number): void {
    timer.at = this.#now + delayMs
    timer.order = this.#order++
    this.#push(timer)
  }

  /** What is left of a node's timers takes so many times as long. */
  #stretch(owner: Owner, ratio: number): void {
    const all = this.#heap.splice(0)
    const isIts = (timer: SimTimer): boolean => timer.owner === owner && timer.callback !== undefined
    for (const timer of all) if (!isIts(timer)) this.#push(timer)
    const its = all.filter(isIts).sort((a, b) => a.order - b.order)
    for (const timer of its) this.#put(timer, (timer.at - this.#now) * ratio)
  }

  #push(event: SimTimer): void {
    const heap = this.#heap
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(event, heap[parent] as SimTimer)) break
      heap[place] = heap[parent] as SimTimer
      place = parent
    }
    heap[place] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as SimTimer, heap[child] as SimTimer)) child++
      if (!isBefore(heap[child] as SimTimer, last)) break
      heap[place] = heap[child] as SimTimer
      place = child
    }
    heap[place] = last
  }
}

/** One that finds its run over does nothing: many would be wasted on short runs, so the first are few. */
const MOST_IMMEDIATES = 256
interface Counts {
  live: number
}

/** One node, to its timers. */
interface Owner {
  pending: number
  isFrozen: boolean
  isDead: boolean
  /** What came due while it was frozen. */
  readonly held: SimTimer[]
}

/** A class, as a room of 50 sets ten thousand a second. */
class SimTimer implements Timer {
  at = 0
  /** Ties are broken by the order in which the timers were set. */
  order = 0
  isHeld = false
  /** Undefined once it fired or was cancelled. */
  callback: (() => void) | undefined
  readonly owner: Owner | undefined
  readonly #counts: Counts

  constructor(callback: () => void, owner: Owner | undefined, counts: Counts) {
    this.callback = callback
    this.owner = owner
    this.#counts = counts
  }

  cancel(): void {
    if (this.callback === undefined) return
    this.callback = undefined
    if (!this.isHeld) this.#counts.live--
    if (this.owner) this.owner.pending--
  }
}

const NO_SKEW: Skew = { offsetMs: 0, rate: 1 }

function isBefore(a: SimTimer, b: SimTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

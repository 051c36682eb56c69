import { assert, toError } from '@shoal/base'
import type { Clock, Timer } from '@shoal/base'

interface Event {
  readonly at: number
  /** Ties are broken by the order in which the timers were set. */
  readonly order: number
  /** Undefined once it fired or was cancelled. */
  callback: (() => void) | undefined
  readonly owner: NodeClock | undefined
}

/** How a machine's clock differs from the world's, and from all others'. */
export interface Skew {
  /** What it shows when the world begins. */
  readonly offsetMs: number
  /** Its milliseconds in one of the world's. */
  readonly rate: number
}

/** A node's timer that is set: how long it takes yet changes with the node's speed. */
interface Wait {
  dueAt: number
  timer: Timer
  readonly fire: () => void
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
  #heap: Event[] = []
  #live = 0
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
    return this.#live
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#set(delayMs, callback, undefined)
  }

  forNode(name: string, { offsetMs, rate }: Skew = NO_SKEW): NodeClock {
    const held: Event[] = []
    const waits = new Set<Wait>()
    let isFrozen = false
    let isDead = false
    let slowness = 1
    let pending = 0
    const clock: NodeClock = {
      name,
      now: () => offsetMs + this.#now * rate,
      after: (delayMs, callback) => {
        if (isDead) return { cancel() {} }
        pending++
        let isDone = false
        const fire = (): void => {
          waits.delete(wait)
          if (isDone || isDead) return
          if (isFrozen) {
            held.push({ at: this.#now, order: 0, callback: fire, owner: clock })
            return
          }
          isDone = true
          pending--
          callback()
        }
        const worldMs = (delayMs * slowness) / rate
        const wait: Wait = { dueAt: this.#now + worldMs, timer: this.#set(worldMs, fire, clock), fire }
        waits.add(wait)
        return {
          cancel() {
            if (isDone) return
            isDone = true
            pending--
            waits.delete(wait)
            wait.timer.cancel()
          },
        }
      },
      get pending() {
        return isDead ? 0 : pending
      },
      get isFrozen() {
        return isFrozen
      },
      freeze: (freezing) => {
        isFrozen = freezing
        if (freezing) return
        for (const event of held.splice(0)) this.#set(0, event.callback ?? ((): void => {}), clock)
      },
      slow: (factor) => {
        const ratio = factor / slowness
        slowness = factor
        if (ratio === 1) return
        for (const wait of waits) {
          const leftMs = (wait.dueAt - this.#now) * ratio
          wait.timer.cancel()
          wait.dueAt = this.#now + leftMs
          wait.timer = this.#set(leftMs, wait.fire, clock)
        }
      },
      kill: () => {
        isDead = true
        held.length = 0
        waits.clear()
      },
    }
    return clock
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
      const { callback } = next
      if (callback === undefined) continue
      next.callback = undefined
      this.#live--
      this.#firedCount++
      this.#now = Math.max(this.#now, next.at)
      callback()
      return true
    }
    return false
  }

  #set(delayMs: number, callback: () => void, owner: NodeClock | undefined): Timer {
    assert(delayMs >= 0 && Number.isFinite(delayMs), `a timer of ${delayMs} ms`)
    const event: Event = { at: this.#now + delayMs, order: this.#order++, callback, owner }
    this.#push(event)
    this.#live++
    return {
      cancel: () => {
        if (event.callback === undefined) return
        event.callback = undefined
        this.#live--
      },
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(event, heap[parent] as Event)) break
      heap[place] = heap[parent] as Event
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
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!isBefore(heap[child] as Event, last)) break
      heap[place] = heap[child] as Event
      place = child
    }
    heap[place] = last
  }
}

/** One that finds its run over does nothing: many would be wasted on short runs, so the first are few. */
const MOST_IMMEDIATES = 256
const NO_SKEW: Skew = { offsetMs: 0, rate: 1 }

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

import type { Clock, Timer } from '@shoal/base'

// Taken when this module is loaded: a test that fakes timers stops its own time, not the room's.
const { setTimeout: nativeSetTimeout, clearTimeout: nativeClearTimeout, setImmediate: nativeSetImmediate } = globalThis
const nativeNow = globalThis.performance.now.bind(globalThis.performance)

/** The process's own time. */
export const realClock: Clock = {
  now: nativeNow,
  after(delayMs, callback) {
    const timer = nativeSetTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    return { cancel: () => nativeClearTimeout(timer) }
  },
}

/** Calls back in the next turn of the event loop, behind the messages that wait. */
export function nextTurn(callback: () => void): void {
  nativeSetImmediate(callback)
}

/** Resolves after everything that is ready now has run: microtasks, messages between ports, and what they lead to. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise<void>(nextTurn)
}

/** One tab's time: the room's, with the timers counted, so that those that are left at the end have a number. */
export class TabClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Timers that are set and have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#clock.now()
  }

  after(delayMs: number, callback: () => void): Timer {
    if (this.#isStopped) return { cancel() {} }
    const inner = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      callback()
    })
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer)
        inner.cancel()
      },
    }
    this.#timers.add(timer)
    return timer
  }

  /** The tab's process, or a worker of it, is gone: its timers never fire. */
  stop(): void {
    this.#isStopped = true
    for (const timer of [...this.#timers]) timer.cancel()
  }
}

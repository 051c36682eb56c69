import type { Clock, Timer } from '@shoal/base'

/** A clock that moves only when told; timers fire in order of their time, then of their making. */
export class FakeClock implements Clock {
  #now = 1_000
  #next = 0
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>()

  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, callback: () => void): Timer {
    const id = this.#next++
    this.#timers.set(id, { atMs: this.#now + Math.max(0, delayMs), callback })
    return { cancel: () => void this.#timers.delete(id) }
  }

  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      let due: { readonly id: number; readonly atMs: number; readonly callback: () => void } | undefined
      for (const [id, timer] of this.#timers) {
        if (timer.atMs <= end && (due === undefined || timer.atMs < due.atMs)) due = { id, ...timer }
      }
      if (due === undefined) break
      this.#timers.delete(due.id)
      this.#now = Math.max(this.#now, due.atMs)
      due.callback()
    }
    this.#now = end
  }

  /** The tab was frozen: time passes, and only then all timers that came due fire, late. */
  freeze(ms: number): void {
    this.#now += ms
    this.advance(0)
  }
}

import type { Clock, Timer } from '@shoal/base'
import { turns } from './tab-clock.ts'

interface Alarm {
  readonly atMs: number
  readonly callback: () => void
}

/** Turns of the event loop after which a room at rest has nothing left to do until a timer fires. */
const QUIET_TURNS = 12

/**
 * Time that stands still until it is told to go on. Messages between threads and tabs still travel by themselves; what
 * waits for time waits for `advance`: timeouts, heartbeats, verdicts about tabs that are gone, and timers of tasks.
 */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #alarms = new Set<Alarm>()

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#alarms.add(alarm)
    return { cancel: () => void this.#alarms.delete(alarm) }
  }

  /** Lets `ms` pass: each timer fires at its time, and what it leads to is done before the next one. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await turns(QUIET_TURNS)
    for (let next = this.#first(); next !== undefined && next.atMs <= untilMs; next = this.#first()) {
      this.#alarms.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
      await turns(2)
    }
    this.#nowMs = untilMs
    await turns(QUIET_TURNS)
  }

  /** The earliest; of several the one that was set first. */
  #first(): Alarm | undefined {
    let first: Alarm | undefined
    for (const alarm of this.#alarms) if (first === undefined || alarm.atMs < first.atMs) first = alarm
    return first
  }
}

/**
 * The newest report of whatever demo runs, for programs that watch the page (`window.__shoal__`), and the wish of such a
 * program to have a demo driven. Demos write reports and take the wish; it does not know them.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { newReport } from './run-report.ts'
import type { RunReport } from './run-report.ts'
import type { RunName } from './page-url.ts'

export class RunBoard {
  readonly #wish = signal<RunName | undefined>(undefined)
  readonly #stopped = new Set<RunName>()
  readonly #listeners = new Set<(report: RunReport) => void>()
  readonly #report = signal<RunReport | undefined>(undefined)

  /** Set when a program asked for a run and may have it now. */
  readonly wish: ReadonlySignal<RunName | undefined> = this.#wish

  get report(): RunReport | undefined {
    return this.#report.peek()
  }

  /** Says that a run was asked for and waits for tabs. */
  announce(name: RunName): void {
    this.publish(newReport(name, 'waiting'))
  }

  ask(name: RunName): void {
    this.#wish.value = name
  }

  /** True once for a demo that was asked for. */
  take(name: RunName): boolean {
    if (this.#wish.peek() !== name) return false
    this.#wish.value = undefined
    return true
  }

  /** A person stopped it, or started it again: whether it may start by itself. */
  setStopped(name: RunName, isStopped: boolean): void {
    if (isStopped) this.#stopped.add(name)
    else this.#stopped.delete(name)
  }

  isStopped(name: RunName): boolean {
    return this.#stopped.has(name)
  }

  publish(report: RunReport): void {
    if (report === this.#report.peek()) return
    this.#report.value = report
    for (const listener of this.#listeners) {
      try {
        listener(report)
      } catch (error) {
        // A watcher's fault is not the run's; the browser reports it.
        reportError(error)
      }
    }
  }

  onRun(listener: (report: RunReport) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

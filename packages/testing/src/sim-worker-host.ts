import type { Clock, Timer } from '@shoal/base'
import { ObjectRef } from '@shoal/core-worker'
import { Runner } from '@shoal/executor'
import type { Evaluate, HostedWorker, WorkerHost, WorkerInit } from '@shoal/executor'
import { ShoalError, TaskError } from '@shoal/protocol'
import { simFramePorts } from './sim-frame-port.ts'

/** A worker of a simulated tab, as faults are done to it. */
export interface SimWorker {
  readonly init: WorkerInit
  /** The worker dies in the middle of whatever it does, and its host hears of it. */
  crash(reason: string): void
}

export interface SimWorkerHost extends WorkerHost {
  readonly workers: ReadonlySet<SimWorker>
}

/** What simulated tasks find as `globalThis.simSleep`: time passes on their tab's clock. */
export type SimSleep = (ms: number) => Promise<void>

/**
 * Real runners in this process, on the simulated clock: user code runs as it would in a sandbox worker. It finds
 * `simSleep` and the `globals` by name.
 */
export function simWorkerHost(clock: Clock, globals: Readonly<Record<string, unknown>> = {}): SimWorkerHost {
  const workers = new Set<SimWorker>()
  return {
    workers,
    start(init): HostedWorker {
      const [here, there] = simFramePorts(clock)
      let onEnded: ((reason: string) => void) | undefined
      // A thread's timers end with it.
      const timers = new Set<Timer>()
      let isOver = false
      const own: Clock = {
        now: () => clock.now(),
        after(delayMs, callback) {
          if (isOver) return { cancel() {} }
          const timer = clock.after(delayMs, () => {
            timers.delete(timer)
            callback()
          })
          timers.add(timer)
          return timer
        },
      }
      const sleep: SimSleep = (ms) => new Promise((resolve) => own.after(ms, resolve))
      const evaluate: Evaluate = (parameters, body) => {
        const names = ['simSleep', ...Object.keys(globals)]
        const make = new Function(...names, ...parameters, body) as (...args: unknown[]) => unknown
        return (...args) => make(sleep, ...Object.values(globals), ...args)
      }
      const end = (): void => {
        isOver = true
        for (const timer of timers) timer.cancel()
        here.close()
        runner.core.close()
        workers.delete(worker)
      }
      const worker: SimWorker = {
        init,
        crash(reason) {
          end()
          onEnded?.(reason)
        },
      }
      const runner = new Runner({
        port: there,
        clock: own,
        ...init,
        evaluate,
        sdkExports: { ObjectRef, ShoalError, TaskError },
        soon: (callback) => void own.after(0, callback),
      })
      workers.add(worker)
      return { port: here, onEnded: (handler) => (onEnded = handler), terminate: end }
    },
    close() {
      for (const worker of [...workers]) worker.crash('its tab closed')
    },
  }
}

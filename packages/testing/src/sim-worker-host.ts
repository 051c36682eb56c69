import type { Clock, Timer } from '@shoal/base'
import { createLocalGpu, createSecondStage, HANGS_AFTER_MS, Runner } from '@shoal/executor'
import type { Evaluate, HostedWorker, WorkerHost, WorkerInit } from '@shoal/executor'
import { SimCollector } from './sim-collector.ts'
import { simFramePorts } from './sim-frame-port.ts'

/** A worker of a simulated tab, as faults are done to it. */
export interface SimWorker {
  readonly init: WorkerInit
  readonly collector: SimCollector
  /** The worker dies in the middle of whatever it does, and its host hears of it. */
  crash(reason: string): void
}

/** Who shares it: what crashes one crashes all. */
interface SimThread {
  readonly members: Set<SimWorker & { end(reason: string, isNeighbours: boolean): void }>
  isHung: boolean
}

export interface SimWorkerHost extends WorkerHost {
  readonly workers: ReadonlySet<SimWorker>
}

/** What the code of one worker finds by name; `isAlive` until the worker has ended. */
export type WorkerGlobals = (isAlive: () => boolean) => Readonly<Record<string, unknown>>

/** What simulated tasks find as `globalThis.simSleep`: time passes on their tab's clock. */
export type SimSleep = (ms: number) => Promise<void>

/**
 * Real runners in this process, on the simulated clock: user code runs as it would in a sandbox worker. It finds
 * `setTimeout` and `clearTimeout` of its own clock, `simSleep`, `simCrash` (which
 * ends the worker), `simHang` (after which nothing runs in its thread any more), the `globals` and what `workerGlobals` makes
 * for it by name.
 */
export function simWorkerHost(
  clock: Clock,
  globals: Readonly<Record<string, unknown>> = {},
  { garbageDelayMs, workerGlobals }: { garbageDelayMs?: () => number; workerGlobals?: WorkerGlobals } = {},
): SimWorkerHost {
  const workers = new Set<SimWorker>()
  const threads = new WeakMap<HostedWorker, SimThread>()
  const gpu = createLocalGpu({ clock, open: () => Promise.resolve(undefined) })
  return {
    workers,
    start(init, beside): HostedWorker {
      const thread: SimThread = (beside && threads.get(beside)) ?? { members: new Set(), isHung: false }
      const [here, there] = simFramePorts(clock)
      let onEnded: ((reason: string, isNeighbours?: boolean) => void) | undefined
      // A thread's timers end with it.
      const timers = new Set<Timer>()
      let isOver = false
      const own: Clock = {
        now: () => clock.now(),
        after(delayMs, callback) {
          if (isOver) return { cancel() {} }
          const timer = clock.after(delayMs, () => {
            timers.delete(timer)
            if (!thread.isHung) callback()
          })
          timers.add(timer)
          return timer
        },
      }
      const sleep: SimSleep = (ms) => new Promise((resolve) => own.after(ms, resolve))
      const crash = (): void => {
        worker.crash('its code ended it')
        throw new Error('this worker has ended')
      }
      const hang = (): Promise<never> => {
        thread.isHung = true
        return new Promise(() => undefined)
      }
      const found = {
        ...timersOf(own),
        ...globals,
        ...workerGlobals?.(() => !isOver),
        simSleep: sleep,
        simCrash: crash,
        simHang: hang,
      }
      const evaluate: Evaluate = (parameters, body) => {
        const make = new Function(...Object.keys(found), ...parameters, body) as (...args: unknown[]) => unknown
        return (...args) => make(...Object.values(found), ...args)
      }
      const end = (): void => {
        isOver = true
        for (const timer of timers) timer.cancel()
        here.close()
        runner.close()
        workers.delete(worker)
        thread.members.delete(worker)
      }
      const worker = {
        init,
        collector: new SimCollector(),
        crash(reason: string) {
          for (const member of [...thread.members]) member.end(reason, false)
        },
        end(reason: string, isNeighbours: boolean) {
          end()
          onEnded?.(reason, isNeighbours)
        },
      }
      const runner = new Runner({
        port: {
          post: (frame) => there.post(frame),
          onFrame: (handler) => there.onFrame((frame) => thread.isHung || handler(frame)),
          close: () => there.close(),
        },
        clock: own,
        ...init,
        evaluate,
        createFinalizer: worker.collector.createFinalizer,
        ...(garbageDelayMs && { onRunStart: () => worker.collector.collectLater(own, garbageDelayMs) }),
        loadGpu: gpu.loader(init.workerId),
        loadSecondStage: (loaded) => void own.after(0, () => loaded(createSecondStage)),
        soon: (callback) => void own.after(0, callback),
      })
      workers.add(worker)
      thread.members.add(worker)
      const terminate = (mayHang = false): void => {
        end()
        if (!mayHang || !thread.isHung) return
        clock.after(HANGS_AFTER_MS, () => {
          for (const member of [...thread.members]) member.end('a neighbour hung', true)
        })
      }
      const hosted: HostedWorker = { port: here, onEnded: (handler) => (onEnded = handler), terminate }
      threads.set(hosted, thread)
      return hosted
    },
    close() {
      for (const worker of [...workers]) worker.crash('its tab closed')
    },
  }
}

/** `setTimeout` and `clearTimeout` as user code knows them, on a simulated clock. */
function timersOf(clock: Clock): Readonly<Record<string, unknown>> {
  const timers = new Map<number, Timer>()
  let last = 0
  return {
    setTimeout: (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): number => {
      const number = ++last
      timers.set(
        number,
        clock.after(Math.max(0, delayMs), () => {
          timers.delete(number)
          callback(...args)
        }),
      )
      return number
    },
    clearTimeout: (number: number | undefined): void => {
      if (number === undefined) return
      timers.get(number)?.cancel()
      timers.delete(number)
    },
  }
}

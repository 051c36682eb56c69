import type { Clock } from '@shoal/base'
import { createLocalGpu, createSecondStage, Runner, SoftwareBackend } from '@shoal/executor'
import type { Evaluate, HostedWorker, LocalGpu, SoftwareGpu, WorkerHost, WorkerInit } from '@shoal/executor'
import { createMessageFramePort, TaskRandom } from '@shoal/executor/web'
import { BlobGate, LOG_LEVELS } from '@shoal/protocol'
import { createCollectedRefs } from '../collected-refs.ts'
import { nextTurn, TabClock } from './tab-clock.ts'

export interface ProcessWorkerHost extends WorkerHost {
  readonly workerCount: number
  /** Timers that the workers' tasks have set and that have not fired. */
  readonly timerCount: number
  /** The workers die in the middle of whatever they do, as when a task took all memory. */
  crash(reason: string): void
}

/** What this process has and a sandbox worker has not: a task that needs one must fail here too. */
const MISSING = [
  'process',
  'global',
  'Buffer',
  'setImmediate',
  'clearImmediate',
  'fetch',
  'XMLHttpRequest',
  'WebSocket',
  'EventSource',
  'BroadcastChannel',
  'Worker',
  'window',
  'document',
]

const nativeConsole = globalThis.console

/**
 * Runners in this process instead of sandbox workers. User code is made from its text as there, with its own timers,
 * console and seeded `Math.random`, but in this thread and this realm: nothing keeps it from the test's own objects, a
 * loop that never ends is never ended, and what runs when a worker is ended is only cut off from its timers and its room.
 */
export function createProcessWorkerHost(clock: Clock, gpu?: SoftwareGpu): ProcessWorkerHost {
  const workers = new Set<ProcessWorker>()
  const localGpu = createLocalGpu({
    clock,
    open: async () => (gpu === undefined ? undefined : new SoftwareBackend(gpu)),
  })
  return {
    get workerCount() {
      return workers.size
    },
    get timerCount() {
      return [...workers].reduce((sum, worker) => sum + worker.clock.pending, 0)
    },
    start(init, beside) {
      const worker = new ProcessWorker(init, { clock, gpu: localGpu }, () => workers.delete(worker), beside)
      workers.add(worker)
      return worker
    },
    crash(reason) {
      for (const worker of [...workers]) worker.crash(reason)
    },
    close() {
      for (const worker of [...workers]) worker.crash('its tab closed')
    },
  }
}

/** States: running -> over (terminated by its node, or crashed). */
class ProcessWorker implements HostedWorker {
  readonly port
  readonly clock: TabClock
  readonly #runner: Runner
  readonly #gone: () => void
  /** Who shares a thread: what crashes one crashes all. */
  readonly #thread: Set<ProcessWorker>
  #onEnded: ((reason: string) => void) | undefined
  #isOver = false

  constructor(
    init: WorkerInit,
    { clock, gpu }: { clock: Clock; gpu: LocalGpu },
    gone: () => void,
    beside: HostedWorker | undefined,
  ) {
    this.#thread = beside instanceof ProcessWorker ? beside.#thread : new Set()
    this.#thread.add(this)
    const { port1, port2 } = new MessageChannel()
    const random = new TaskRandom(init.nodeId)
    this.port = createMessageFramePort(port1, { blobs: BlobGate })
    this.clock = new TabClock(clock)
    this.#gone = () => {
      gpu.broker.close(init.workerId)
      gone()
    }
    this.#runner = new Runner({
      ...init,
      port: createMessageFramePort(port2),
      clock: this.clock,
      evaluate: evaluateWith(this.#globals(random)),
      loadSecondStage: (loaded) => queueMicrotask(() => loaded(createSecondStage)),
      loadGpu: gpu.loader(init.workerId),
      createFinalizer: createCollectedRefs,
      // Not on the clock: a manual one stands still.
      soon: (callback) => nextTurn(() => this.#isOver || callback()),
      onRunStart: (task) => random.begin(task),
    })
  }

  onEnded(handler: (reason: string) => void): void {
    this.#onEnded = handler
  }

  terminate(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.clock.stop()
    this.#runner.close()
    this.port.close()
    this.#thread.delete(this)
    this.#gone()
  }

  crash(reason: string): void {
    for (const worker of [...this.#thread]) {
      worker.terminate()
      worker.#onEnded?.(reason)
    }
  }

  /** What user code finds by these names instead of the process's own. */
  #globals(random: TaskRandom): Readonly<Record<string, unknown>> {
    const guarded = (callback: (...args: unknown[]) => void, args: readonly unknown[]) => (): void => {
      try {
        callback(...args)
      } catch (error) {
        this.#log('error', ['uncaught in a task or after it:', error])
      }
    }
    const lines = LOG_LEVELS.map((level) => [level, (...args: unknown[]) => this.#log(level, args)])
    return {
      ...Object.fromEntries(MISSING.map((name) => [name, undefined])),
      ...createTimers(this.clock, guarded),
      console: { ...nativeConsole, ...Object.fromEntries(lines) },
      // As in a browser: libraries may put another in its place.
      Math: Object.create(Math, {
        random: { value: () => random.float(), writable: true, configurable: true },
      }) as Math,
    }
  }

  #log(level: (typeof LOG_LEVELS)[number], args: readonly unknown[]): void {
    // A task's lines belong to its driver; here are those that no task has.
    if (!this.#runner.log(level, args)) nativeConsole[level](...args)
  }
}

type Guard = (callback: (...args: unknown[]) => void, args: readonly unknown[]) => () => void

/** The timer functions of one worker, on its clock; they end with it. */
function createTimers(clock: Clock, guard: Guard): Readonly<Record<string, unknown>> {
  const timers = new Map<number, { cancel(): void }>()
  let last = 0
  const set = (delayMs: number, callback: () => void, isRepeated: boolean): number => {
    const number = ++last
    const start = (): void => {
      timers.set(
        number,
        clock.after(Math.max(isRepeated ? 1 : 0, delayMs), () => {
          if (isRepeated) start()
          else timers.delete(number)
          callback()
        }),
      )
    }
    start()
    return number
  }
  const clear = (number: unknown): void => {
    timers.get(number as number)?.cancel()
    timers.delete(number as number)
  }
  const delay = (ms: unknown): number => Number(ms) || 0
  type Callback = (...args: unknown[]) => void
  return {
    setTimeout: (callback: Callback, ms?: unknown, ...args: unknown[]) => set(delay(ms), guard(callback, args), false),
    setInterval: (callback: Callback, ms?: unknown, ...args: unknown[]) => set(delay(ms), guard(callback, args), true),
    clearTimeout: clear,
    clearInterval: clear,
  }
}

function evaluateWith(globals: Readonly<Record<string, unknown>>): Evaluate {
  const values = Object.values(globals)
  return (parameters, body) => {
    const make = new Function(...Object.keys(globals), ...parameters, body) as (...args: unknown[]) => unknown
    return (...args) => make(...values, ...args)
  }
}

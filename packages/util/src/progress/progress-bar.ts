import { context } from '@shoal/sdk'
import type { RuntimeContext } from '@shoal/sdk'
import type { BarReport } from './bar-report.ts'
import { Reporter } from './reporter.ts'
import type { ReportedBar } from './reporter.ts'

/** What a bar shows. */
export interface ProgressOptions {
  /** Default: the task's name. */
  readonly description?: string
  /** Steps until it is full. Default: as many as an array, a Set or a Map has; else unknown. */
  readonly total?: number
}

type Identity = Pick<BarReport, 'id' | 'attempt' | 'taskId' | 'taskName' | 'actorId' | 'nodeId' | 'workerId'>

/** How long a `for await` runs without a turn of the event loop, in which reports leave and cancellation arrives. */
const TURN_EVERY_MS = 100
const LONGEST_DESCRIPTION = 200

/** One a worker or page: whose bars go to one driver. */
let reporter: { readonly driver: string; readonly to: Reporter } | undefined
/** Bars that the present owner has made. */
let made = { owner: '', count: 0 }

/**
 * A progress bar of a task, an actor or a page, which the driver's page shows: see `showProgress` and `onProgress`. Where
 * nobody looks it costs next to nothing. Reports go out at most ten times a second, while the task awaits something: what
 * computes without a pause is seen when it ends. Closed by `close()` or `using`; a bar whose task or actor has ended is told
 * apart by whoever looks.
 *
 * Made in a remote module, which imports it. It cannot be handed on.
 *
 * @throws TypeError or RangeError for a bad option or step.
 * @example
 * using bar = new ProgressBar({ description: 'epochs', total: 10 })
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   await train(epoch)
 *   bar.update()
 * }
 */
export class ProgressBar implements Disposable {
  readonly #reporter: Reporter
  readonly #identity: Identity
  readonly #startedAtMs = performance.now()
  readonly #total: number | undefined
  #description: string
  #count = 0
  #order = 0
  /** Undefined while it is open. */
  #endedAtMs: number | undefined
  readonly #self: ReportedBar = { report: () => this.#report() }

  constructor(options: ProgressOptions = {}) {
    const here = context()
    const { description = here.taskName ?? '', total } = options
    if (total !== undefined) checkSteps('total', total)
    this.#description = checkText(description)
    this.#total = total
    this.#identity = identityOf(here)
    this.#reporter = reporterOf(here)
    this.#reporter.opened(this.#self, made.count === 0)
  }

  /** Steps done so far. */
  get count(): number {
    return this.#count
  }

  /** So many steps more. After `close()` nothing changes. @throws TypeError or RangeError for what is no number of steps. */
  update(steps = 1): void {
    checkSteps('steps', steps)
    if (this.#endedAtMs !== undefined) return
    this.#count += steps
    this.#reporter.changed(this.#self)
  }

  /** Says something else from now on. */
  setDescription(description: string): void {
    this.#description = checkText(description)
    if (this.#endedAtMs === undefined) this.#reporter.changed(this.#self)
  }

  /** The bar stays as it is. Idempotent. */
  close(): void {
    if (this.#endedAtMs !== undefined) return
    this.#endedAtMs = performance.now()
    this.#reporter.closed(this.#self)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #report(): BarReport {
    return {
      ...this.#identity,
      order: ++this.#order,
      description: this.#description,
      total: this.#total,
      count: this.#count,
      elapsedMs: (this.#endedAtMs ?? performance.now()) - this.#startedAtMs,
      isClosed: this.#endedAtMs !== undefined,
    }
  }
}

/** Values that are counted as a loop takes them. */
export type Counted<T> = Iterable<T> & AsyncIterable<T>

/**
 * The values, counted by a bar of their own as a loop comes to the next one; the bar is closed with the loop, however that
 * ends. In a task that does not await by itself use `for await`, which lets the reports leave, and a cancellation arrive.
 *
 * @throws TypeError or RangeError for a bad option, when the loop begins.
 * @example
 * for await (const file of progress(files, { description: 'files' })) read(file)
 */
export function progress<T>(values: Iterable<T>, options?: ProgressOptions): Counted<T>
export function progress<T>(values: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T>
export function progress<T>(
  values: Iterable<T> | AsyncIterable<T>,
  options: ProgressOptions = {},
): AsyncIterable<T> & Partial<Iterable<T>> {
  const total = options.total ?? sizeOf(values)
  const shown = total === undefined ? options : { ...options, total }
  const eachLater = { [Symbol.asyncIterator]: () => countLater(values, shown) }
  return Symbol.iterator in values ? { ...eachLater, [Symbol.iterator]: () => count(values, shown) } : eachLater
}

function* count<T>(values: Iterable<T>, options: ProgressOptions): Generator<T, void, undefined> {
  using bar = new ProgressBar(options)
  for (const value of values) {
    yield value
    bar.update()
  }
}

async function* countLater<T>(
  values: Iterable<T> | AsyncIterable<T>,
  options: ProgressOptions,
): AsyncGenerator<T, void, undefined> {
  using bar = new ProgressBar(options)
  let turnedAtMs = performance.now()
  for await (const value of values) {
    yield value
    bar.update()
    if (performance.now() - turnedAtMs < TURN_EVERY_MS) continue
    await turn()
    turnedAtMs = performance.now()
  }
}

/** A turn of the event loop, behind the messages that wait. No timer: a test room's may stand still. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** By what a task runs again as, or an actor lives as: bars are told apart by their order in it. */
function identityOf({ taskId, taskName, attempt, actorId, nodeId, workerId }: RuntimeContext): Identity {
  // A call of an actor is not what its bars belong to: one may be made in the constructor and count all calls.
  const owner = actorId === undefined ? (taskId ?? `page ${nodeId}`) : `${actorId} in ${nodeId}.${workerId}`
  const run = actorId === undefined ? `${owner} ${attempt}` : owner
  made = { owner: run, count: made.owner === run ? made.count + 1 : 0 }
  const ofTask = actorId === undefined ? attempt : 0
  return { id: `${owner} ${made.count}`, attempt: ofTask, taskId, taskName, actorId, nodeId, workerId }
}

function reporterOf({ jobId, nodeId }: RuntimeContext): Reporter {
  const driver = jobId === '' ? nodeId : jobId.slice(0, jobId.indexOf('-'))
  if (reporter?.driver !== driver) reporter = { driver, to: new Reporter(driver) }
  return reporter.to
}

function sizeOf(values: object): number | undefined {
  const { length, size } = values as { readonly length?: unknown; readonly size?: unknown }
  return [length, size].find((count) => typeof count === 'number')
}

function checkSteps(option: string, value: number): void {
  if (typeof value !== 'number') throw new TypeError(`${option} must be a number, got ${typeof value}`)
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`${option} must be a number from 0 on, got ${value}`)
}

function checkText(description: string): string {
  if (typeof description !== 'string') throw new TypeError(`description must be a string, got ${typeof description}`)
  return description.slice(0, LONGEST_DESCRIPTION)
}

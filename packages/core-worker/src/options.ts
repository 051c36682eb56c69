import { LIMITS } from '@shoal/protocol'

/** How a task is run. Names, defaults and meanings are Ray's. */
export interface TaskOptions<N extends number = number> {
  /** CPUs reserved while it runs, to 0.0001. Default 1. */
  readonly numCpus?: number
  /** How many refs `.remote()` gives. Default 1; 0 gives none; an array of n for n others. */
  readonly numReturns?: N
  /** Runs allowed after one that was lost with its worker or tab. -1 or Infinity: for ever. Default 3. */
  readonly maxRetries?: number
  /**
   * Also runs again after what the function threw: anything, or errors of these classes, given as the class or as the
   * error's name; a subclass counts. Bounded by `maxRetries`. Default false.
   */
  readonly retryExceptions?: boolean | readonly (ErrorClass | string)[]
  /** Ends the worker of a run that takes longer, in milliseconds, with TaskTimeoutError. Default: none. */
  readonly timeoutMs?: number
  /** Shown in errors, logs and progress. Default: the function's name. */
  readonly name?: string
}

/** How an actor is created. */
export interface ActorOptions {
  /** CPUs reserved for its life, to 0.0001. Default 0. */
  readonly numCpus?: number
  readonly name?: string
}

export type ErrorClass = abstract new (...args: never[]) => Error

export interface ResolvedOptions {
  readonly numCpus: number
  readonly numReturns: number
  readonly maxRetries: number
  /** Names of error classes; `*` stands for all. */
  readonly retryExceptions: readonly string[]
  readonly timeoutMs: number
  readonly name: string
}

const TASK_KEYS: readonly string[] = ['numCpus', 'numReturns', 'maxRetries', 'retryExceptions', 'timeoutMs', 'name']
const ACTOR_KEYS: readonly string[] = ['numCpus', 'name']

/** Fills in defaults. @throws TypeError or RangeError naming the option. */
export function resolveTaskOptions(options: TaskOptions, defaultName: string): ResolvedOptions {
  refuseUnknown(options, TASK_KEYS)
  return {
    numCpus: cpus(options.numCpus, 1),
    numReturns: wholeNumber('numReturns', options.numReturns ?? 1, 0, 1000),
    maxRetries: retries(options.maxRetries ?? 3),
    retryExceptions: exceptions(options.retryExceptions ?? false),
    timeoutMs: timeout(options.timeoutMs),
    name: text('name', options.name ?? defaultName),
  }
}

/** Fills in defaults. @throws TypeError or RangeError naming the option. */
export function resolveActorOptions(options: ActorOptions, defaultName: string): ResolvedOptions {
  refuseUnknown(options, ACTOR_KEYS)
  return {
    numCpus: cpus(options.numCpus, 0),
    numReturns: 1,
    maxRetries: 0,
    retryExceptions: [],
    timeoutMs: 0,
    name: text('name', options.name ?? defaultName),
  }
}

/** @throws TypeError for what is no object or has a key that is not in `known`. */
export function refuseUnknown(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError('options must be an object')
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new TypeError(`unknown option ${key}; known are ${known.join(', ')}`)
}

function cpus(value: number | undefined, fallback: number): number {
  const count = number('numCpus', value ?? fallback)
  if (count < 0) throw new RangeError(`numCpus must not be negative, got ${count}`)
  if (Math.abs(count * 10_000 - Math.round(count * 10_000)) > 1e-6)
    throw new RangeError(`numCpus is counted to 0.0001, got ${count}`)
  return count
}

function retries(value: number): number {
  if (value === -1 || value === Infinity) return Infinity
  return wholeNumber('maxRetries', value, 0, Number.MAX_SAFE_INTEGER)
}

function exceptions(value: boolean | readonly (ErrorClass | string)[]): readonly string[] {
  if (typeof value === 'boolean') return value ? ['*'] : []
  if (!Array.isArray(value))
    throw new TypeError(`retryExceptions must be true, false or an array of error classes, got ${describe(value)}`)
  if (value.length > LIMITS.errorKinds)
    throw new RangeError(`retryExceptions takes at most ${LIMITS.errorKinds} classes, got ${value.length}`)
  return (value as readonly unknown[]).map((entry, index) => {
    const name = typeof entry === 'string' ? entry : typeof entry === 'function' ? entry.name : ''
    if (name === '')
      throw new TypeError(`retryExceptions[${index}] must be an error class or the name of one, got ${describe(entry)}`)
    return name.slice(0, 80)
  })
}

function timeout(value: number | undefined): number {
  if (value === undefined || value === Infinity) return 0
  if (!(number('timeoutMs', value) > 0)) throw new RangeError(`timeoutMs must be positive, got ${value}`)
  return value
}

function wholeNumber(option: string, value: number, least: number, most: number): number {
  number(option, value)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${option} must be a whole number from ${least} to ${most}, got ${value}`)
  return value
}

function number(option: string, value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new TypeError(`${option} must be a number, got ${describe(value)}`)
  return value
}

function text(option: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${option} must be a string, got ${describe(value)}`)
  return value.slice(0, 80)
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value
}

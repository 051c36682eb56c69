// Long because each option of tasks, actors and calls has its meaning, default and refusal here.
import {
  CPU,
  errorClassName,
  GPU,
  LIMITS,
  MEMORY,
  MOST_CONCURRENCY_GROUPS,
  MOST_ITEMS,
  streamMode,
  toResourceSet,
  UNITS_OF_ONE,
} from '@shoal/protocol'
import type { ActorMethodRecord, ActorOptionsRecord, ConcurrencyGroup, ResourceSet } from '@shoal/protocol'
import { placement } from './label-options.ts'
import type { LabelConditions, Placement, SchedulingStrategy } from './label-options.ts'

/** What a node must have free for work of this kind. Nothing is measured or enforced: it is counted, as in Ray. */
export interface ResourceOptions {
  /** GPUs reserved, to 0.0001; whole from 1 on. Default 0. */
  readonly numGpus?: number
  /** Bytes of memory reserved; fractions are rounded down. Default 0. */
  readonly memoryBytes?: number
  /**
   * What else is reserved, by the names under which tabs offered it to `init`, each to 0.0001, e.g. `{ camera: 1 }`.
   * Work that no tab can take waits until one comes.
   */
  readonly resources?: Readonly<Record<string, number>>
  /**
   * DEFAULT: in this tab while it has room. SPREAD: from tab to tab in turn, as far as they have room. `{ nodeId, soft }`: in
   * that tab. `{ hard, soft }`: in tabs with these labels. `{ placementGroup }`: in its reservations. Default: DEFAULT.
   */
  readonly schedulingStrategy?: SchedulingStrategy
  /** Only in tabs whose `labels` (given to `init`) are these, e.g. `{ region: 'in(eu, us)', gpu: '!none' }`. */
  readonly labelSelector?: LabelConditions
}

/** How a task is run. Names, defaults and meanings are Ray's. */
export interface TaskOptions<N extends number = number> extends ResourceOptions {
  /** CPUs reserved while it runs, to 0.0001; given back while it waits for others. Default 1. */
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
  /** Of generators: see `ActorCallOptions`. */
  readonly generatorBackpressureNumObjects?: number
}

/** How an actor is created. */
export interface ActorOptions extends ResourceOptions {
  /**
   * CPUs reserved for its life, to 0.0001. Default, as in Ray: one is free where it is made and none is reserved, unless
   * it asks for GPUs or resources of its own; then one is.
   */
  readonly numCpus?: number
  /** How often it is made again, constructor and all, after it was lost with its worker or tab. -1 or Infinity: for ever. Default 0. */
  readonly maxRestarts?: number
  /**
   * How often a call is made again that was under way when the actor was lost: it may then run more than once. A method's
   * own `.options()` goes before it. -1 or Infinity: for ever. Default 0: such a call fails with ActorUnavailableError, or
   * with ActorDiedError when nothing restarts the actor.
   */
  readonly maxTaskRetries?: number
  /** Calls that run at a time, each up to its next `await` without the others. Default 1: one after another. */
  readonly maxConcurrency?: number
  /**
   * Groups of calls by name, each with so many that run at a time, whatever runs in the others. `maxConcurrency` is that of all
   * calls that are in none. At most 32.
   */
  readonly concurrencyGroups?: Readonly<Record<string, number>>
  /** The group of a method's calls, by the method's name, unless a call is given another: `{ fetch: 'io' }`. */
  readonly methodGroups?: Readonly<Record<string, string>>
  /** Calls of one handle without an outcome; one more throws PendingCallsLimitExceededError. Default: any number. */
  readonly maxPendingCalls?: number
  /**
   * Keeps its state in two tabs, anew after so many calls: an actor that is made again then goes on from there, the calls
   * since then run again in their order, and callers see each result once; `maxTaskRetries` and `retryExceptions` of its calls
   * have no meaning. The state is what `saveCheckpoint()` of the class gives and `loadCheckpoint(state)` takes, or else its
   * own fields. What it calls itself meanwhile may be called twice. Needs `maxRestarts`. Default: none, the constructor
   * alone runs again. Source: the checkpoints of actors in section 5.1 of the paper "Ray: A Distributed Framework for
   * Emerging AI Applications" (OSDI 2018).
   */
  readonly checkpointEveryCalls?: number
  /** Finds it again by `getActor`. Unique within the namespace: of two, the second one's calls fail with ActorDiedError. */
  readonly name?: string
  /** Where its name counts. Default: the session's. */
  readonly namespace?: string
  /** With a name that is taken, the handle is of the actor that has it. Needs `name`. */
  readonly getIfExists?: boolean
  /** `detached`: it lives until it is killed or the room is empty, whatever becomes of who made it. Needs `name`. */
  readonly lifetime?: 'detached'
}

/** How one call is made; what is not given is the actor's. */
export interface ActorCallOptions<N extends number = number> {
  readonly numReturns?: N
  /** See `maxTaskRetries` of `ActorOptions`. */
  readonly maxTaskRetries?: number
  /** Also made again after what the method threw, as `retryExceptions` of a task. Bounded by `maxTaskRetries`. */
  readonly retryExceptions?: boolean | readonly (ErrorClass | string)[]
  /**
   * Of generators: the most items that exist and were not taken. The generator pauses at its next `yield` past that, and
   * goes on as they are. Default: any number.
   */
  readonly generatorBackpressureNumObjects?: number
  /** Which of the actor's `concurrencyGroups` the call is in. Default: its method's. */
  readonly concurrencyGroup?: string
}

export interface ResolvedCallOptions {
  readonly numReturns: number
  /** See `streamMode`. */
  readonly stream: number
  readonly maxTaskRetries: number
  readonly retryExceptions: readonly string[]
  /** The place of its concurrency group from 1 on; 0: of all others. */
  readonly group: number
}

export type ErrorClass = abstract new (...args: never[]) => Error

export interface ResolvedOptions {
  /** What a task reserves while it runs, or an actor to be placed. */
  readonly resources: ResourceSet
  /** Of those, what an actor keeps for its life; for a task nothing. */
  readonly held: ResourceSet
  readonly strategy: Placement['strategy']
  readonly labels: Placement['labels']
  readonly bundle: Placement['bundle']
  readonly isFree: boolean
  readonly numReturns: number
  /** See `streamMode`. */
  readonly stream: number
  readonly maxRetries: number
  /** Names of error classes; `*` stands for all. */
  readonly retryExceptions: readonly string[]
  readonly timeoutMs: number
  readonly name: string
  /** Of actors. */
  readonly actor: ActorOptionsRecord | undefined
}

const SHARED_KEYS: readonly string[] = [
  'numCpus',
  'numGpus',
  'memoryBytes',
  'resources',
  'schedulingStrategy',
  'labelSelector',
  'name',
]
const TASK_KEYS: readonly string[] = [
  ...SHARED_KEYS,
  'numReturns',
  'maxRetries',
  'retryExceptions',
  'timeoutMs',
  'generatorBackpressureNumObjects',
]
const ACTOR_KEYS: readonly string[] = [
  ...SHARED_KEYS,
  'maxRestarts',
  'maxTaskRetries',
  'maxConcurrency',
  'concurrencyGroups',
  'methodGroups',
  'maxPendingCalls',
  'checkpointEveryCalls',
  'namespace',
  'getIfExists',
  'lifetime',
]
const CALL_KEYS: readonly string[] = [
  'numReturns',
  'maxTaskRetries',
  'retryExceptions',
  'generatorBackpressureNumObjects',
  'concurrencyGroup',
]
const MOST_RETURNS = 1000
/** Their order goes in one message. */
const MOST_BETWEEN_CHECKPOINTS = 10_000
const MOST_CONCURRENCY = 10_000

/** CPUs, GPUs and memory come beside them. */
const MOST_RESOURCES = LIMITS.resources - 3
const MOST_OF_ONE = LIMITS.resourceUnits / UNITS_OF_ONE
/** No control characters and no half of a surrogate pair: names must come through UTF-8 as they are. */
const RESOURCE_NAME = /^\P{C}+$/u
const MOST_NAME_LENGTH = 80
const OPTION_OF: ReadonlyMap<string, string> = new Map([
  [CPU, 'numCpus'],
  [GPU, 'numGpus'],
  [MEMORY, 'memoryBytes'],
])

/** Fills in defaults. @throws TypeError or RangeError naming the option. */
export function resolveTaskOptions(options: TaskOptions, defaultName: string, isGenerator = false): ResolvedOptions {
  refuseUnknown(options, TASK_KEYS)
  const resources = toResourceSet({ ...amounts(options), [CPU]: amount('numCpus', options.numCpus ?? 1) })
  return {
    resources,
    held: [],
    ...placement(options, resources),
    numReturns: numReturns(options, isGenerator),
    stream: stream(options, isGenerator),
    maxRetries: retries('maxRetries', options.maxRetries ?? 3),
    retryExceptions: exceptions(options.retryExceptions ?? false),
    timeoutMs: timeout(options.timeoutMs),
    name: text('name', options.name ?? defaultName),
    actor: undefined,
  }
}

/** Fills in defaults. @throws TypeError or RangeError naming the option. */
export function resolveActorOptions(
  options: ActorOptions,
  className: string,
  methods: readonly ActorMethodRecord[],
): ResolvedOptions {
  refuseUnknown(options, ACTOR_KEYS)
  const others = amounts(options)
  // As in Ray: memory alone leaves the default as it is.
  const hasOwn = Object.entries(others).some(([name, value]) => name !== MEMORY && value > 0)
  const cpus = amount('numCpus', options.numCpus ?? (hasOwn ? 1 : 0))
  const isPlacedByCpu = options.numCpus === undefined && !hasOwn
  const resources = toResourceSet({ ...others, [CPU]: isPlacedByCpu ? 1 : cpus })
  return {
    resources,
    held: toResourceSet({ ...others, [CPU]: cpus }),
    ...placement(options, resources),
    numReturns: 1,
    stream: 0,
    maxRetries: 0,
    retryExceptions: [],
    timeoutMs: 0,
    name: text('name', className),
    actor: {
      facts: {
        className: text('name', className),
        methods: [...methods],
        maxTaskRetries: retries('maxTaskRetries', options.maxTaskRetries ?? 0),
        maxPendingCalls: pendingCalls(options.maxPendingCalls ?? Infinity),
        checkpointEveryCalls: checkpoints(options),
        groups: concurrencyGroups(options, methods),
      },
      maxRestarts: retries('maxRestarts', options.maxRestarts ?? 0),
      maxConcurrency: wholeNumber('maxConcurrency', options.maxConcurrency ?? 1, 1, MOST_CONCURRENCY),
      registered: registered(options),
      getIfExists: options.getIfExists === true,
      isDetached: options.lifetime === 'detached',
    },
  }
}

/** Fills in what the actor says of its calls. @throws TypeError or RangeError naming the option. */
export function resolveCallOptions(
  options: ActorCallOptions,
  maxTaskRetries: number,
  isGenerator = false,
  groups: readonly ConcurrencyGroup[] = [],
  method = '',
): ResolvedCallOptions {
  refuseUnknown(options, CALL_KEYS)
  return {
    numReturns: numReturns(options, isGenerator),
    stream: stream(options, isGenerator),
    maxTaskRetries:
      options.maxTaskRetries === undefined ? maxTaskRetries : retries('maxTaskRetries', options.maxTaskRetries),
    retryExceptions: exceptions(options.retryExceptions ?? false),
    group: groupOf(options.concurrencyGroup, groups, method),
  }
}

type ReturnOptions = Pick<TaskOptions, 'numReturns' | 'generatorBackpressureNumObjects'>

function numReturns({ numReturns: count }: ReturnOptions, isGenerator: boolean): number {
  const asked = wholeNumber('numReturns', count ?? 1, 0, MOST_RETURNS)
  if (isGenerator && asked !== 1)
    throw new TypeError(`numReturns is not for generators, whose calls give streams; got ${asked}`)
  return asked
}

function stream({ generatorBackpressureNumObjects: most }: ReturnOptions, isGenerator: boolean): number {
  if (most === undefined) return streamMode(isGenerator, Infinity)
  if (!isGenerator) throw new TypeError('generatorBackpressureNumObjects is for generators')
  return streamMode(true, wholeNumber('generatorBackpressureNumObjects', most, 1, MOST_ITEMS))
}

function concurrencyGroups(
  { concurrencyGroups: limits = {}, methodGroups = {} }: ActorOptions,
  known: readonly ActorMethodRecord[],
): ConcurrencyGroup[] {
  const groups = entriesOf('concurrencyGroups', limits).map(([name, limit]) => ({
    name: actorName('concurrencyGroups: a name', name),
    limit: wholeNumber(`concurrencyGroups.${name}`, limit as number, 1, MOST_CONCURRENCY),
    methods: [] as string[],
  }))
  if (groups.length > MOST_CONCURRENCY_GROUPS)
    throw new RangeError(`concurrencyGroups takes at most ${MOST_CONCURRENCY_GROUPS}, got ${groups.length}`)
  for (const [method, group] of entriesOf('methodGroups', methodGroups)) {
    if (!known.some(({ name }) => name === method)) throw new RangeError(`methodGroups: there is no method ${method}`)
    groups[mustFindGroup(`methodGroups.${method}`, group, groups)]?.methods.push(method)
  }
  return groups
}

function groupOf(asked: string | undefined, groups: readonly ConcurrencyGroup[], method: string): number {
  if (asked !== undefined) return 1 + mustFindGroup('concurrencyGroup', asked, groups)
  return groups.length === 0 ? 0 : 1 + groups.findIndex(({ methods }) => methods.includes(method))
}

function mustFindGroup(option: string, asked: unknown, groups: readonly ConcurrencyGroup[]): number {
  if (typeof asked !== 'string') throw new TypeError(`${option} must be the name of a group, got ${describe(asked)}`)
  const place = groups.findIndex(({ name }) => name === asked)
  if (place !== -1) return place
  const there = groups.map(({ name }) => name).join(', ')
  throw new RangeError(`${option}: there is no group ${JSON.stringify(asked)}; there are ${there || 'none'}`)
}

function entriesOf(option: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${option} must be an object, got ${describe(value)}`)
  return Object.entries(value)
}

function registered(options: ActorOptions): ActorOptionsRecord['registered'] {
  const { name, namespace, getIfExists, lifetime } = options
  if (getIfExists !== undefined && typeof getIfExists !== 'boolean')
    throw new TypeError(`getIfExists must be true or false, got ${describe(getIfExists)}`)
  if (lifetime !== undefined && lifetime !== 'detached')
    throw new RangeError(`lifetime must be 'detached', got ${JSON.stringify(lifetime)}`)
  if (name === undefined) {
    const needs = namespace !== undefined ? 'namespace' : getIfExists === true ? 'getIfExists' : lifetime && 'lifetime'
    if (needs !== undefined) throw new TypeError(`${needs} needs a name`)
    return undefined
  }
  return { name: actorName('name', name), namespace: namespace === undefined ? '' : actorName('namespace', namespace) }
}

/** @throws TypeError or RangeError for what cannot be the name of an actor, or of a namespace. */
export function actorName(option: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${option} must be a string, got ${describe(value)}`)
  if (!RESOURCE_NAME.test(value) || value.length > MOST_NAME_LENGTH)
    throw new RangeError(
      `${option} must have 1 to ${MOST_NAME_LENGTH} visible characters, got ${JSON.stringify(value.slice(0, 100))}`,
    )
  return value
}

function pendingCalls(value: number): number {
  if (value === -1 || value === Infinity) return Infinity
  return wholeNumber('maxPendingCalls', value, 1, Number.MAX_SAFE_INTEGER)
}

function checkpoints(options: ActorOptions): number {
  const { checkpointEveryCalls: every, maxConcurrency = 1, maxRestarts = 0 } = options
  if (every === undefined) return 0
  if (maxRestarts === 0) throw new TypeError('checkpointEveryCalls needs maxRestarts: without, nothing begins from one')
  if (maxConcurrency !== 1 || options.concurrencyGroups !== undefined)
    throw new TypeError(
      'checkpointEveryCalls needs maxConcurrency 1 and no groups: calls that interleave have no order to be run in again',
    )
  return wholeNumber('checkpointEveryCalls', every, 1, MOST_BETWEEN_CHECKPOINTS)
}

/** @throws TypeError for what is no object or has a key that is not in `known`. */
export function refuseUnknown(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError('options must be an object')
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new TypeError(`unknown option ${key}; known are ${known.join(', ')}`)
}

/** What a node has beside its CPUs: the same options, offered instead of asked for. @throws TypeError or RangeError */
export function offeredResources(options: Omit<ResourceOptions, 'schedulingStrategy' | 'labelSelector'>): ResourceSet {
  return toResourceSet(amounts(options))
}

/** Amounts by name, without the CPUs. */
function amounts(options: ResourceOptions): Record<string, number> {
  const named = customResources(options.resources)
  return {
    ...named,
    [GPU]: gpus(options.numGpus),
    [MEMORY]: memory(options.memoryBytes),
  }
}

function customResources(resources: Readonly<Record<string, number>> | undefined): Record<string, number> {
  if (resources === undefined) return {}
  if (typeof resources !== 'object' || resources === null || Array.isArray(resources))
    throw new TypeError(`resources must be an object of amounts by name, got ${describe(resources)}`)
  const entries = Object.entries(resources)
  if (entries.length > MOST_RESOURCES)
    throw new RangeError(`resources takes at most ${MOST_RESOURCES} kinds, got ${entries.length}`)
  for (const [name, value] of entries) {
    const instead = OPTION_OF.get(name)
    if (instead !== undefined) throw new RangeError(`resources must not name ${name}: use ${instead}`)
    if (!RESOURCE_NAME.test(name) || name.length > MOST_NAME_LENGTH)
      throw new RangeError(
        `resources: a name has 1 to ${MOST_NAME_LENGTH} visible characters, got ${JSON.stringify(name)}`,
      )
    amount(`resources.${name}`, value)
  }
  return Object.fromEntries(entries)
}

function gpus(value: number | undefined): number {
  const count = amount('numGpus', value ?? 0)
  if (count > 1 && !Number.isInteger(count)) throw new RangeError(`numGpus above 1 must be whole, got ${count}`)
  return count
}

/** Whole bytes. */
function memory(value: number | undefined): number {
  return amount('memoryBytes', Math.floor(number('memoryBytes', value ?? 0)))
}

/** An amount of some resource: not negative, counted to 0.0001. */
function amount(option: string, value: number): number {
  const count = number(option, value)
  if (count < 0) throw new RangeError(`${option} must not be negative, got ${count}`)
  if (count > MOST_OF_ONE) throw new RangeError(`${option} must be at most ${MOST_OF_ONE}, got ${count}`)
  const units = count * UNITS_OF_ONE
  if (Math.abs(units - Math.round(units)) > units * Number.EPSILON)
    throw new RangeError(`${option} is counted to 0.0001, got ${count}`)
  return count
}

function retries(option: string, value: number): number {
  if (value === -1 || value === Infinity) return Infinity
  return wholeNumber(option, value, 0, Number.MAX_SAFE_INTEGER)
}

function exceptions(value: boolean | readonly (ErrorClass | string)[]): readonly string[] {
  if (typeof value === 'boolean') return value ? ['*'] : []
  if (!Array.isArray(value))
    throw new TypeError(`retryExceptions must be true, false or an array of error classes, got ${describe(value)}`)
  if (value.length > LIMITS.errorKinds)
    throw new RangeError(`retryExceptions takes at most ${LIMITS.errorKinds} classes, got ${value.length}`)
  return (value as readonly unknown[]).map((entry, index) => {
    const name = typeof entry === 'string' ? entry : typeof entry === 'function' ? errorClassName(entry) : ''
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

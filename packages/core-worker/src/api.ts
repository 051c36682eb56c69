// Long because what users call is declared here, function by function, with all that is said of each.
import { transfer, ValueEncoder } from '@shoal/protocol'
import { ActorClass, describeActorClass, handleContent, makeHandle, methodsOf, privateFieldOf } from './actor-class.ts'
import type { ActorHandle } from './actor-class.ts'
import { arityOf, constructorArity } from './arity.ts'
import type { NoRefMethods, NoRefParameters } from './call-types.ts'
import { inlineCode } from './code.ts'
import type { Code, InlineCode } from './code.ts'
import type { CoreWorker } from './core-worker.ts'
import { refuseForeign } from './foreign-handle.ts'
import type { GpuApi } from './gpu/gpu-types.ts'
import { encodeHooks } from './hooks.ts'
import { idOf, ObjectRef } from './object-ref.ts'
import { actorName, refuseUnknown } from './options.ts'
import type { ActorOptions, TaskOptions } from './options.ts'
import { isGenerator, ObjectRefGenerator } from './ref-generator.ts'
import { describeFunction, RemoteFunction } from './remote-function.ts'
import type { StateApi } from './state/state-types.ts'
import type { GetOptions, WaitOptions } from './waits.ts'

/** Who and where the running task is. */
export interface RuntimeContext {
  /** The tab's node id, 32 hex digits. */
  readonly nodeId: string
  /** The worker within its tab, from 1. */
  readonly workerId: number
  readonly jobId: string
  /** Undefined outside of a task. */
  readonly taskId: string | undefined
  readonly taskName: string | undefined
  /** 0 for the first run. */
  readonly attempt: number
  /** Where actors are found by name, unless one is given. */
  readonly namespace: string
  /** Reserved for the task while it runs, or for the actor for its life, by name. Empty outside of both. */
  readonly resources: Readonly<Record<string, number>>
  /** The placement group that it runs in, as `listPlacementGroups` has it; undefined outside of any. */
  readonly placementGroupId: string | undefined
  /** Undefined outside of an actor. */
  readonly actorId: string | undefined
  readonly actorName: string | undefined
  /** Whether the actor was made before, and lost. */
  readonly wasRestarted: boolean
  /** The actor's own handle, which does not keep it alive. */
  readonly currentActor: ActorHandle<Record<string, (...args: never[]) => unknown>> | undefined
  /**
   * Aborts with a TaskCancelledError when the running task is cancelled: pass it to what can stop in the middle. Outside of
   * a task it never does.
   */
  readonly signal: AbortSignal
  /**
   * Whether that has happened; looked up each time it is read. In a cross-origin isolated page a loop that never awaits
   * may poll it, and each call of the SDK does; elsewhere it changes only while the task awaits something that comes from
   * outside: a ref, a timer.
   */
  readonly isCancelled: boolean
}

/** What `context()` says outside of tasks and actors. */
export function pageContext(nodeId: string, namespace = ''): RuntimeContext {
  return {
    nodeId,
    workerId: 0,
    jobId: '',
    taskId: undefined,
    taskName: undefined,
    attempt: 0,
    namespace,
    resources: {},
    placementGroupId: undefined,
    actorId: undefined,
    actorName: undefined,
    wasRestarted: false,
    currentActor: undefined,
    signal: new AbortController().signal,
    isCancelled: false,
  }
}

/** Which actor of a name. */
export interface GetActorOptions {
  /** Default: the session's. */
  readonly namespace?: string
}

/** How an actor is killed. */
export interface KillOptions {
  /** False: as if it had crashed, so that it is made again if `maxRestarts` allows. Default true. */
  readonly noRestart?: boolean
}

/** How a task is cancelled. */
export interface CancelOptions {
  /** Ends the worker that runs the task, whatever it does; `get` then rejects with WorkerCrashedError. Default false. */
  readonly force?: boolean
  /** What the task has submitted is cancelled too, and what that has, wherever it is. Default true. */
  readonly recursive?: boolean
}

/** How `put` takes a value. */
export interface PutOptions {
  /** The value's buffers are moved instead of copied, as by `transfer`: they are empty here afterwards. Default false. */
  readonly transfer?: boolean
}

/** Functions and classes that are handed in by name stand in the first parameter, beside these. */
export interface Api {
  /** The same remote function, submitted through this session: for those of remote modules, and of other sessions. */
  remote<A extends readonly unknown[], R, N extends number>(fn: RemoteFunction<A, R, N>): RemoteFunction<A, R, N>
  remote<A extends readonly unknown[], R, N extends number = 1>(
    fn: Fn<A, R> & NoRefParameters<A>,
    options?: TaskOptions<N>,
  ): RemoteFunction<A, Awaited<R>, N>
  remote<U extends Uses, A extends readonly unknown[], R, N extends number = 1>(
    uses: U,
    fn: ((uses: U & TaskApi, ...args: A) => R) & NoRefParameters<A>,
    options?: TaskOptions<N>,
  ): RemoteFunction<A, Awaited<R>, N>
  /** The same actor class, created through this session. */
  actor<A extends readonly unknown[], I>(Class: ActorClass<A, I>): ActorClass<A, I>
  actor<A extends readonly unknown[], I extends object>(
    Class: Class<A, I> & NoRefParameters<A> & NoRefMethods<I>,
    options?: ActorOptions,
  ): ActorClass<A, I>
  /** What the class needs from outside is handed in by name; the first parameter is that beside these functions. */
  actor<U extends Uses, A extends readonly unknown[], I extends object>(
    uses: U,
    define: (uses: U & TaskApi) => Class<A, I> & NoRefParameters<A> & NoRefMethods<I>,
    options?: ActorOptions,
  ): ActorClass<A, I>
  get<T>(ref: ObjectRef<T>, options?: GetOptions): Promise<T>
  get<const T extends readonly ObjectRef[]>(
    refs: T,
    options?: GetOptions,
  ): Promise<{ -readonly [K in keyof T]: T[K] extends ObjectRef<infer V> ? V : never }>
  put<T>(value: T, options?: PutOptions): ObjectRef<T>
  wait<R extends ObjectRef | ObjectRefGenerator>(
    refs: readonly R[],
    options?: WaitOptions,
  ): Promise<[ready: R[], rest: R[]]>
  cancel(ref: ObjectRef | ObjectRefGenerator, options?: CancelOptions): void
  /** Moves a value's buffers instead of copying them, the next time it is sent. */
  transfer<T>(value: T): T
  /**
   * Ends an actor at once: calls that run or wait fail with ActorDiedError, and its name is free. What it has at hand to end
   * itself in good order (see `exitActor`) is not called. Of one that is gone: nothing.
   *
   * @throws TypeError for what is no handle.
   */
  kill(actor: ActorHandle<never> | ActorHandle<object>, options?: KillOptions): void
  /**
   * The actor of that name. Its handle does not keep it alive, as in Ray.
   *
   * @throws ActorNotFoundError when there is none.
   */
  getActor<I = Record<string, (...args: never[]) => unknown>>(
    name: string,
    options?: GetActorOptions,
  ): Promise<ActorHandle<I>>
  /**
   * Inside an actor: ends it, for good. The call fails with ActorDiedError, and so do those behind it. A method
   * `[Symbol.asyncDispose]()` or `[Symbol.dispose]()` of the actor is called before, for at most 30 s.
   *
   * @throws TypeError outside of an actor.
   */
  exitActor(): never
  context(): RuntimeContext
}

/** What code that runs in a worker has: these functions, those that ask what the room does, and the GPU. */
export type TaskApi = Api & StateApi & { readonly gpu: GpuApi }

type Fn<A extends readonly unknown[], R> = (...args: A) => R
type Class<A extends readonly unknown[], I> = new (...args: A) => I
type Uses = Readonly<Record<string, unknown>>

/** A module that is being evaluated: its remote functions are named by their order instead of shipped as text. */
export interface ModuleScope {
  readonly code: Code
  /** What was given to `remote()` and `actor()`, in order. */
  readonly members: { readonly made: object; readonly raw: (...args: never[]) => unknown }[]
}

export interface ApiHost {
  /** The core worker to go through, now. @throws when there is none and none can be started. */
  core(): CoreWorker
  context(): RuntimeContext
  /** Inside actors only. */
  exitActor?(): never
  /** The module that is being evaluated at this moment, if any. */
  moduleScope(): ModuleScope | undefined
  /** Judges inline code where it is defined, in development. @throws CaptureError */
  checkEarly?(code: InlineCode, fn: unknown): void
  /** Makes an error fit for its reader before `get` throws it: a driver's page puts the user's lines into its stack. */
  prepareError?(error: unknown): Promise<void>
}

/** The SDK's functions over a core worker: the same ones on a page, inside tasks and in remote modules. */
export function createApi(host: ApiHost): Api {
  const encoder = new ValueEncoder(encodeHooks)
  const core = (): CoreWorker => host.core()

  function remote(first: unknown, second?: unknown, third?: unknown): RemoteFunction {
    if (RemoteFunction.is(first)) {
      const { identity, options } = describeFunction(first)
      return new RemoteFunction(identity, options, core)
    }
    const hasUses = typeof first !== 'function'
    const fn = (hasUses ? second : first) as (...args: never[]) => unknown
    const options = ((hasUses ? third : second) ?? {}) as TaskOptions
    const uses = hasUses ? usesOf(first) : undefined
    if (typeof fn !== 'function') throw new TypeError('remote() takes a function')
    const kind = isGenerator(fn) ? { isGenerator: true } : {}
    const scope = host.moduleScope()
    if (scope !== undefined) {
      if (uses !== undefined)
        throw new TypeError('in a remote module, remote() takes the function alone: import what it needs')
      const name = options.name ?? (fn.name || 'anonymous')
      const exportName = `#${scope.members.length}`
      const made = new RemoteFunction(
        { code: scope.code, exportName, name, arity: arityOf(fn), ...kind },
        options,
        core,
      )
      scope.members.push({ made, raw: fn })
      return made
    }
    const code = inlineCode(fn, uses, encoder, remote)
    if (code.kind === 'ready') host.checkEarly?.(code, fn)
    const arity = arityOf(fn, uses === undefined ? 0 : 1)
    return new RemoteFunction({ code, exportName: '', name: fn.name, arity, ...kind }, options, core)
  }

  function actor(first: unknown, second?: unknown, third?: unknown): ActorClass {
    if (ActorClass.is(first)) {
      const made = describeActorClass(first)
      return new ActorClass(made.identity, made.options, core)
    }
    const hasUses = typeof first !== 'function'
    if (hasUses) return actorWith(first, second, (third ?? {}) as ActorOptions)
    const Class = first as Class<never[], object>
    const options = (second ?? {}) as ActorOptions
    if (typeof Class !== 'function' || Class.prototype === undefined) throw new TypeError('actor() takes a class')
    const methods = methodsOf(Class)
    const privateField = privateFieldOf(Class)
    const raw = Class as unknown as (...args: never[]) => unknown
    const arity = constructorArity(raw)
    const scope = host.moduleScope()
    if (scope !== undefined) {
      const exportName = `#${scope.members.length}`
      const made = new ActorClass(
        { code: scope.code, exportName, name: Class.name, arity, methods, privateField },
        options,
        core,
      )
      scope.members.push({ made, raw })
      return made
    }
    const code = inlineCode(raw, undefined, encoder, actor)
    if (code.kind === 'ready') host.checkEarly?.(code, raw)
    return new ActorClass({ code, exportName: '', name: Class.name, arity, methods, privateField }, options, core)
  }

  /** A class that is made, wherever it lives, by a function that is handed what it needs by name. */
  function actorWith(first: unknown, define: unknown, options: ActorOptions): ActorClass {
    const uses = usesOf(first)
    if (typeof define !== 'function')
      throw new TypeError(
        'actor() takes a class, or an object of what it uses and then a function that gives the class',
      )
    if (host.moduleScope() !== undefined)
      throw new TypeError('in a remote module, actor() takes the class alone: import what it needs')
    const make = define as (...args: never[]) => unknown
    const Class = (define as (uses: object) => Class<never[], object>)({ ...api, ...uses })
    if (typeof Class !== 'function' || Class.prototype === undefined)
      throw new TypeError('the function that is given to actor() must return a class')
    const code = inlineCode(make, uses, encoder, actor)
    if (code.kind === 'ready') host.checkEarly?.(code, make)
    const arity = constructorArity(Class as unknown as (...args: never[]) => unknown)
    const facts = { methods: methodsOf(Class), privateField: privateFieldOf(Class) }
    return new ActorClass({ code, exportName: '', name: Class.name, arity, ...facts }, options, core)
  }

  async function get(refs: unknown, options: GetOptions = {}): Promise<unknown> {
    refuseUnknown(options, ['timeoutMs', 'signal'])
    checkTimeout(options.timeoutMs)
    const isOne = ObjectRef.is(refs)
    const list = isOne ? [refs] : refList('get', refs)
    try {
      const values = await core().get(list, options)
      return isOne ? values[0] : values
    } catch (error) {
      await host.prepareError?.(error)
      throw error
    }
  }

  async function wait<R extends ObjectRef | ObjectRefGenerator>(
    refs: readonly R[],
    options: WaitOptions = {},
  ): Promise<[R[], R[]]> {
    refuseUnknown(options, ['numReturns', 'timeoutMs', 'signal'])
    checkTimeout(options.timeoutMs)
    if (!Array.isArray(refs)) throw new TypeError('wait() takes an array of ObjectRefs')
    const list = refList('wait', refs, true)
    if (list.length === 0) return [[], []]
    const numReturns = options.numReturns ?? 1
    if (!Number.isInteger(numReturns) || numReturns < 1 || numReturns > list.length)
      throw new RangeError(`numReturns must be a whole number from 1 to ${list.length}, got ${numReturns}`)
    const places = await core().wait(list, { ...options, numReturns })
    const ready = places.map((place) => refs[place] as R)
    const rest: R[] = []
    let from = 0
    for (const place of [...places, refs.length]) {
      for (; from < place; from++) rest.push(refs[from] as R)
      from = place + 1
    }
    return [ready, rest]
  }

  function kill(actor: unknown, options: KillOptions = {}): void {
    refuseUnknown(options, ['noRestart'])
    if (options.noRestart !== undefined && typeof options.noRestart !== 'boolean')
      throw new TypeError('noRestart must be true or false')
    const content = typeof actor === 'object' && actor !== null ? handleContent(actor) : undefined
    if (content === undefined) throw new TypeError("kill() takes an actor's handle")
    core().killActor(idOf(content.ref), options.noRestart !== false)
  }

  async function getActor(name: string, options: GetActorOptions = {}): Promise<ActorHandle<object>> {
    refuseUnknown(options, ['namespace'])
    actorName('name', name)
    const namespace = options.namespace === undefined ? '' : actorName('namespace', options.namespace)
    const found = core()
    return makeHandle<object>(await found.findActor(namespace, name), found)
  }

  function exitActor(): never {
    if (host.exitActor === undefined) throw new TypeError('exitActor() works inside of an actor only')
    return host.exitActor()
  }

  function cancel(ref: ObjectRef | ObjectRefGenerator, options: CancelOptions = {}): void {
    refuseUnknown(options, ['force', 'recursive'])
    if (!ObjectRef.is(ref) && !ObjectRefGenerator.is(ref)) {
      refuseForeign(ref)
      throw new TypeError('cancel() takes an ObjectRef')
    }
    const { force = false, recursive = true } = options
    mustBeBoolean('force', force)
    mustBeBoolean('recursive', recursive)
    core().cancel(ref, force, recursive)
  }

  const api: Api = {
    remote: remote as Api['remote'],
    actor: actor as unknown as Api['actor'],
    get: get as Api['get'],
    put: (value, options) => core().put(options?.transfer === true ? transfer(value) : value),
    wait,
    cancel,
    transfer,
    kill,
    getActor: getActor as Api['getActor'],
    exitActor,
    context: () => host.context(),
  }
  return api
}

function usesOf(first: unknown): Uses {
  if (typeof first !== 'object' || first === null || Array.isArray(first))
    throw new TypeError('remote() takes a function, or an object of what it uses and then the function')
  return first as Uses
}

function refList(caller: string, refs: unknown): readonly ObjectRef[]
function refList(caller: string, refs: unknown, takesStreams: true): readonly (ObjectRef | ObjectRefGenerator)[]
function refList(caller: string, refs: unknown, takesStreams = false): readonly (ObjectRef | ObjectRefGenerator)[] {
  refuseForeign(refs)
  if (!Array.isArray(refs)) throw new TypeError(`${caller}() takes an ObjectRef or an array of them`)
  refs.forEach((ref, index) => {
    if (ObjectRef.is(ref) || (takesStreams && ObjectRefGenerator.is(ref))) return
    refuseForeign(ref)
    throw new TypeError(`${caller}() takes ObjectRefs; the element ${index} is none`)
  })
  return refs as readonly (ObjectRef | ObjectRefGenerator)[]
}

function checkTimeout(timeoutMs: unknown): void {
  if (timeoutMs === undefined) return
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) throw new TypeError('timeoutMs must be a number')
  if (timeoutMs < 0) throw new RangeError(`timeoutMs must not be negative, got ${timeoutMs}`)
}

function mustBeBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`)
}

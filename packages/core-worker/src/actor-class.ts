import { must } from '@shoal/base'
import { arityOf, checkArity } from './arity.ts'
import type { Arity } from './arity.ts'
import type { Code } from './code.ts'
import type { ActorFacts, ActorMethodRecord, ConcurrencyGroup } from '@shoal/protocol'
import { PendingCallsLimitExceededError } from '@shoal/protocol'
import type { Arguments, Returns } from './call-types.ts'
import type { ActorCaller, CoreWorker } from './core-worker.ts'
import { HANDLE } from './foreign-handle.ts'
import { idOf } from './object-ref.ts'
import type { ObjectRef } from './object-ref.ts'
import { isGenerator } from './ref-generator.ts'
import { resolveActorOptions, resolveCallOptions } from './options.ts'
import type { ActorCallOptions, ActorOptions, ResolvedOptions } from './options.ts'
import type { CoreWorkerSource, KnownTemplate } from './remote-function.ts'

/** One method of an actor handle: `handle.play.remote(move)`. */
export interface ActorMethod<A extends readonly unknown[], R, N extends number = 1> {
  /**
   * Calls the method in the actor and gives the ref of its result at once. Calls of one handle run in their order.
   *
   * @throws PendingCallsLimitExceededError past the actor's `maxPendingCalls`; TypeError for too few or too many arguments.
   */
  remote(...args: Arguments<A>): Returns<R, N>
  /** The same method, called with other options. @throws TypeError or RangeError naming a bad one. */
  options<M extends number = N>(options: ActorCallOptions<M>): ActorMethod<A, R, M>
}

/**
 * A plain object with one entry a method of the class. It can be passed to tasks and other actors. The actor ends once
 * its last handle is gone and its calls are done; `using` ends a handle, and the collector is only a hint.
 */
export type ActorHandle<I> = Disposable & {
  readonly [K in keyof I as MethodName<I, K>]: I[K] extends (...args: infer A) => infer R
    ? ActorMethod<A, Awaited<R>>
    : never
}

/** Names that begin with `_` are the class's own, and symbols do not travel. */
type MethodName<I, K extends keyof I> = K extends `_${string}` | symbol | number
  ? never
  : I[K] extends (...args: never[]) => unknown
    ? K
    : never

export interface ActorIdentity {
  /** Another one after a hot update: actors made from then on run it. */
  code: Code
  readonly exportName: string
  name: string
  /** Of the constructor; undefined where it is not known. */
  readonly arity: Arity | undefined
  readonly methods: readonly ActorMethodFacts[]
  /** One of the class's private fields, which nobody but the class can save. */
  readonly privateField?: string | undefined
}

/** What a handle knows of a method. */
export interface ActorMethodFacts {
  readonly name: string
  /** Undefined where it is not known: then any number of arguments is taken. */
  readonly arity: Arity | undefined
  /** Its calls give streams. */
  readonly isGenerator?: boolean
}

/** What an actor class is made of; no method, so that user code cannot get from one to the other. */
export let describeActorClass: (actorClass: ActorClass) => { identity: ActorIdentity; options: ActorOptions }

/** Names a class after what its module exports it as, unless it has a name. */
export let nameActorClass: (actorClass: ActorClass, name: string) => void

/**
 * A class whose instances live somewhere in the room, one process each, and are called through handles.
 *
 * @example
 * const Account: ActorClass<[balance: number], { pay(amount: number): number }> = actor(
 *   class {
 *     balance: number
 *     constructor(balance: number) {
 *       this.balance = balance
 *     }
 *     pay(amount: number) {
 *       return (this.balance -= amount)
 *     }
 *   },
 * )
 * const account = Account.remote(10)
 * await get(account.pay.remote(3)) // 7
 */
export class ActorClass<C extends readonly unknown[] = never[], I = unknown> {
  readonly #identity: ActorIdentity
  readonly #options: ActorOptions
  readonly #source: CoreWorkerSource
  readonly #templates = new WeakMap<CoreWorker, KnownTemplate>()
  #known: ResolvedOptions | undefined

  /** Made by `actor()`. */
  constructor(identity: ActorIdentity, options: ActorOptions, source: CoreWorkerSource) {
    this.#identity = identity
    this.#options = options
    this.#source = source
    resolveActorOptions(options, identity.name, identity.methods.map(methodRecord))
    if (options.checkpointEveryCalls !== undefined) checkCheckpoints(identity)
  }

  /**
   * Creates an actor and returns its handle at once. If the constructor throws, every call does with ActorDiedError.
   *
   * @throws TypeError for too few or too many arguments.
   */
  remote(...args: Arguments<C>): ActorHandle<I> {
    checkArity(`the constructor of ${this.#identity.name || 'Actor'}`, this.#identity.arity, args.length)
    const core = this.#source()
    const { code } = this.#identity
    let known = this.#templates.get(core)
    if (known === undefined || known.code !== code || !core.codes.holds(known.template)) {
      known = { code, template: core.template(code, this.#identity.exportName, this.#resolved()) }
      this.#templates.set(core, known)
    }
    const ref = core.createActor(known.template, args)
    const { maxTaskRetries, maxPendingCalls, groups } = must(this.#resolved().actor).facts
    const { name, methods } = this.#identity
    return makeHandle<I>({ ref, name, methods, maxTaskRetries, maxPendingCalls, groups }, core)
  }

  #resolved(): ResolvedOptions {
    const { name, methods } = this.#identity
    const shown = name === '' ? 'Actor' : name
    // A module names its classes after it has made them.
    if (this.#known?.name !== shown) this.#known = resolveActorOptions(this.#options, shown, methods.map(methodRecord))
    return this.#known
  }

  /** The same class with other options. @throws TypeError or RangeError naming a bad one. */
  options(options: ActorOptions): ActorClass<C, I> {
    return new ActorClass<C, I>(this.#identity, { ...this.#options, ...options }, this.#source)
  }

  get [HANDLE](): true {
    return true
  }

  get [Symbol.toStringTag](): string {
    return 'ActorClass'
  }

  /** @internal */
  static is(value: unknown): value is ActorClass {
    return typeof value === 'object' && value !== null && #identity in value
  }

  static {
    describeActorClass = (actorClass) => ({ identity: actorClass.#identity, options: actorClass.#options })
    nameActorClass = (actorClass, name) => {
      actorClass.#identity.name ||= name
    }
  }
}

/** What a handle stands for; it travels in a handle's place. */
export interface HandleContent {
  readonly ref: ObjectRef
  readonly name: string
  readonly methods: readonly ActorMethodFacts[]
  readonly maxTaskRetries: number
  /** Infinity: any number. */
  readonly maxPendingCalls: number
  readonly groups: readonly ConcurrencyGroup[]
}

const contents = new WeakMap<object, HandleContent>()

/** What is behind a handle, undefined for any other object. */
export function handleContent(value: object): HandleContent | undefined {
  return contents.get(value)
}

/** A handle bound to the core worker that it was made in or arrived at. */
export function makeHandle<I>(content: HandleContent, core: CoreWorker): ActorHandle<I> {
  const handle: Record<string, unknown> = {}
  const caller = core.newActorCaller()
  for (const method of content.methods) handle[method.name] = actorMethod(content, method, core, caller, {})
  Object.defineProperty(handle, HANDLE, { value: true })
  Object.defineProperty(handle, Symbol.toStringTag, { value: `ActorHandle(${content.name})` })
  Object.defineProperty(handle, Symbol.dispose, { value: () => content.ref.release() })
  contents.set(handle, content)
  return Object.freeze(handle) as ActorHandle<I>
}

function actorMethod(
  content: HandleContent,
  facts: ActorMethodFacts,
  core: CoreWorker,
  caller: ActorCaller,
  options: ActorCallOptions,
): ActorMethod<never[], unknown> {
  const { name, arity, isGenerator: isStream } = facts
  const { maxPendingCalls, maxTaskRetries, groups } = content
  const resolved = resolveCallOptions(options, maxTaskRetries, isStream, groups, name)
  const shown = `${content.name || 'Actor'}.${name}`
  const remote = (...args: unknown[]): unknown => {
    checkArity(shown, arity, args.length)
    if (caller.pending >= maxPendingCalls)
      throw new PendingCallsLimitExceededError(
        'pending-calls-limit',
        `${shown}: ${caller.pending} calls of this handle have no outcome yet, and maxPendingCalls is ${maxPendingCalls}`,
      )
    return core.callActor(idOf(content.ref), caller, name, args, resolved, maxPendingCalls < Infinity)
  }
  return {
    remote,
    options: (more: ActorCallOptions) => actorMethod(content, facts, core, caller, { ...options, ...more }),
  } as ActorMethod<never[], unknown>
}

/** A method's facts as they go over a wire. */
export function methodRecord({ name, arity, isGenerator: isStream }: ActorMethodFacts): ActorMethodRecord {
  return { name, arity: arity && { least: arity[0], most: arity[1] }, isGenerator: isStream === true }
}

/** What a handle is made of, from what whoever answers for its actor knows. */
export function contentOf(ref: ObjectRef, facts: ActorFacts): HandleContent {
  const methods = facts.methods.map(({ name, arity, isGenerator: isStream }): ActorMethodFacts => ({
    name,
    arity: arity && [arity.least, arity.most],
    isGenerator: isStream,
  }))
  return { ...facts, ref, name: facts.className, methods }
}

/** @throws TypeError for a class of which no checkpoint would have the whole state. */
function checkCheckpoints({ name, methods, privateField }: ActorIdentity): void {
  const has = (method: string): boolean => methods.some((known) => known.name === method)
  const shown = name || 'Actor'
  if (has('saveCheckpoint') !== has('loadCheckpoint'))
    throw new TypeError(`${shown} needs both saveCheckpoint() and loadCheckpoint(state), or neither`)
  const generator = methods.find(({ isGenerator: isStream }) => isStream === true)
  if (generator !== undefined)
    throw new TypeError(
      `checkpointEveryCalls is not for classes with generators, and ${shown}.${generator.name} is one`,
    )
  if (privateField !== undefined && !has('saveCheckpoint'))
    throw new TypeError(
      `${shown} has the private field ${privateField}, which checkpointEveryCalls cannot save: give it saveCheckpoint() and loadCheckpoint(state)`,
    )
}

/** One of the private fields that a class reads or writes, by its text. */
export function privateFieldOf(Class: new (...args: never[]) => object): string | undefined {
  return /\.\s*(#[\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(Function.prototype.toString.call(Class))?.[1]
}

/** The methods of a class, its bases' included, without the constructor and names that start with `_`. */
export function methodsOf(Class: new (...args: never[]) => object): ActorMethodFacts[] {
  const methods = new Map<string, ActorMethodFacts>()
  for (let proto = Class.prototype as object | null; proto !== null && proto !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      if (name === 'constructor' || name.startsWith('_') || methods.has(name)) continue
      const value: unknown = Object.getOwnPropertyDescriptor(proto, name)?.value
      if (typeof value !== 'function') continue
      const arity = arityOf(value as (...args: never[]) => unknown)
      methods.set(name, { name, arity, ...(isGenerator(value) && { isGenerator: true }) })
    }
    proto = Object.getPrototypeOf(proto) as object | null
  }
  return [...methods.values()]
}

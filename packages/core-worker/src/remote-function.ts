import { checkArity } from './arity.ts'
import type { Arity } from './arity.ts'
import type { Code } from './code.ts'
import type { CoreWorker } from './core-worker.ts'
import type { ObjectRef } from './object-ref.ts'
import { resolveTaskOptions } from './options.ts'
import type { ResolvedOptions, TaskOptions } from './options.ts'

/** An argument: the value itself or a ref to it. A parameter that is itself a ref can never be given at top level. */
export type Argument<T> = T | ObjectRef<T>
export type Arguments<A extends readonly unknown[]> = { [K in keyof A]: Argument<A[K]> }

/** What identifies a remote function in every tab. */
export interface FunctionIdentity {
  readonly code: Code
  /** The export of a module, `#n` for its n-th unnamed one, empty for inline code. */
  readonly exportName: string
  readonly name: string
  /** Undefined where it is not known: then any number of arguments is taken. */
  readonly arity: Arity | undefined
}

/** Finds the core worker to submit through: the current session's on a page, the worker's own inside a task. */
export type CoreWorkerSource = () => CoreWorker

/** What a remote function is made of; no method, so that user code cannot get from one to the other. */
export let describeFunction: (fn: RemoteFunction) => { identity: FunctionIdentity; options: TaskOptions }

/**
 * A function that runs somewhere in the room. `remote(...)` returns at once with the ref of its result; refs among the
 * arguments are resolved before it starts.
 */
export class RemoteFunction<A extends readonly unknown[] = never[], R = unknown> {
  readonly #identity: FunctionIdentity
  readonly #options: TaskOptions
  readonly #resolved: ResolvedOptions
  readonly #source: CoreWorkerSource
  readonly #templates = new WeakMap<CoreWorker, number>()

  /** Made by `remote()`. */
  constructor(identity: FunctionIdentity, options: TaskOptions, source: CoreWorkerSource) {
    this.#identity = identity
    this.#options = options
    this.#resolved = resolveTaskOptions(options, identity.name === '' ? 'anonymous' : identity.name)
    this.#source = source
  }

  /**
   * Submits one task. With `numReturns: n` (n not 1) the result is an array of n refs.
   *
   * @throws TypeError for too few or too many arguments.
   */
  remote(...args: Arguments<A>): ObjectRef<R> {
    checkArity(this.#resolved.name, this.#identity.arity, args.length)
    const core = this.#source()
    let template = this.#templates.get(core)
    if (template === undefined) {
      template = core.template(this.#identity.code, this.#identity.exportName, this.#resolved)
      this.#templates.set(core, template)
    }
    return core.submit(template, this.#resolved.numReturns, args) as ObjectRef<R>
  }

  /** The same function with other options. @throws TypeError or RangeError naming a bad one. */
  options(options: TaskOptions): RemoteFunction<A, R> {
    return new RemoteFunction<A, R>(this.#identity, { ...this.#options, ...options }, this.#source)
  }

  get [Symbol.toStringTag](): string {
    return 'RemoteFunction'
  }

  /** @internal */
  static is(value: unknown): value is RemoteFunction {
    return typeof value === 'object' && value !== null && #identity in value
  }

  static {
    describeFunction = (fn) => ({ identity: fn.#identity, options: fn.#options })
  }
}

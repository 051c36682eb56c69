import { checkArity } from './arity.ts'
import type { Arity } from './arity.ts'
import type { Arguments, Returns } from './call-types.ts'
import type { Code } from './code.ts'
import type { CoreWorker } from './core-worker.ts'
import { HANDLE } from './foreign-handle.ts'
import { resolveTaskOptions } from './options.ts'
import type { ResolvedOptions, TaskOptions } from './options.ts'

/** What identifies a remote function in every tab. */
export interface FunctionIdentity {
  /** Another one after a hot update: tasks from then on run it. */
  code: Code
  /** The export of a module, `#n` for its n-th unnamed one, empty for inline code. */
  readonly exportName: string
  name: string
  /** Undefined where it is not known: then any number of arguments is taken. */
  readonly arity: Arity | undefined
  /** Its calls give streams. */
  readonly isGenerator?: boolean
}

/** Finds the core worker to submit through: the current session's on a page, the worker's own inside a task. */
export type CoreWorkerSource = () => CoreWorker

/** What a remote function is made of; no method, so that user code cannot get from one to the other. */
export let describeFunction: (fn: RemoteFunction) => { identity: FunctionIdentity; options: TaskOptions }

/** Names a function after what its module exports it as; a name among its options stays. */
export let nameFunction: (fn: RemoteFunction, name: string) => void

/** The number of a template, and the code that it is of. */
export interface KnownTemplate {
  readonly code: Code
  readonly template: number
}

/**
 * A function that runs somewhere in the room. `remote(...)` returns at once with the ref of its result; refs among the
 * arguments are resolved before it starts.
 *
 * @example
 * const add: RemoteFunction<[a: number, b: number], number> = remote((a: number, b: number) => a + b)
 * const patient = add.options({ numCpus: 0.5, maxRetries: 5, name: 'patient add' })
 * await get(patient.remote(1, add.remote(2, 3))) // 6
 */
export class RemoteFunction<A extends readonly unknown[] = never[], R = unknown, N extends number = 1> {
  readonly #identity: FunctionIdentity
  readonly #options: TaskOptions
  #resolved: ResolvedOptions
  readonly #source: CoreWorkerSource
  readonly #templates = new WeakMap<CoreWorker, KnownTemplate>()

  /** Made by `remote()`. */
  constructor(identity: FunctionIdentity, options: TaskOptions, source: CoreWorkerSource) {
    this.#identity = identity
    this.#options = options
    const name = identity.name === '' ? 'anonymous' : identity.name
    this.#resolved = resolveTaskOptions(options, name, identity.isGenerator)
    this.#source = source
  }

  /**
   * Submits one task and gives the ref of its result; with `numReturns: n` an array of n refs, with 0 undefined; of a
   * generator function the stream of what it yields.
   *
   * @throws TypeError for too few or too many arguments.
   */
  remote(...args: Arguments<A>): Returns<R, N> {
    checkArity(this.#resolved.name, this.#identity.arity, args.length)
    const core = this.#source()
    const { code } = this.#identity
    let known = this.#templates.get(core)
    if (known === undefined || known.code !== code || !core.codes.holds(known.template)) {
      known = { code, template: core.template(code, this.#identity.exportName, this.#resolved) }
      this.#templates.set(core, known)
    }
    const { numReturns, stream } = this.#resolved
    return core.submit(known.template, numReturns, stream, args) as Returns<R, N>
  }

  /** The same function with other options. @throws TypeError or RangeError naming a bad one. */
  options<M extends number = N>(options: TaskOptions<M>): RemoteFunction<A, R, M> {
    return new RemoteFunction<A, R, M>(this.#identity, { ...this.#options, ...options }, this.#source)
  }

  get [HANDLE](): true {
    return true
  }

  get [Symbol.toStringTag](): string {
    return 'RemoteFunction'
  }

  /** @internal */
  static is(value: unknown): value is RemoteFunction {
    return typeof value === 'object' && value !== null && #identity in value
  }

  static {
    describeFunction = (fn) => {
      const { retryExceptions } = fn.#resolved
      // Classes do not travel; their names do.
      const options = retryExceptions.length === 0 ? fn.#options : { ...fn.#options, retryExceptions }
      return { identity: fn.#identity, options }
    }
    nameFunction = (fn, name) => {
      if (fn.#options.name !== undefined) return
      fn.#identity.name = name
      fn.#resolved = { ...fn.#resolved, name }
    }
  }
}

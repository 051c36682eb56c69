import { ObjectFreedError } from '@shoal/protocol'
import type { ObjectRef } from './object-ref.ts'
import type { GetOptions } from './waits.ts'

// Safari has none of these yet: a class key written with one would be named `undefined` there.
for (const name of ['dispose', 'asyncDispose'] as const)
  if (typeof Symbol[name] !== 'symbol') Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) })

declare const itemType: unique symbol

/** What a generator needs from the core worker that made it. */
export interface StreamHome {
  take(generator: ObjectRefGenerator, options: GetOptions): Promise<IteratorResult<ObjectRef, undefined>>
  leave(generator: ObjectRefGenerator): void
  completed(generator: ObjectRefGenerator): ObjectRef
}

// Not methods: user code gets hold of generators, and must not get from them to what is behind.
/** The core worker that a generator belongs to. */
export let streamHomeOf: (generator: ObjectRefGenerator) => StreamHome

/**
 * The stream of a remote generator (`function*` or `async function*`): a ref for each value that it yields, which exists
 * as soon as it was yielded, long before the task ends. A generator that throws gives a ref that throws, and then the end;
 * after the end it is at its end for ever. Leaving a `for await` cancels the task, as `release` and `using` do.
 *
 * @example
 * const count = remote(function* (n: number) {
 *   for (let i = 0; i < n; i++) yield i
 * })
 * for await (const ref of count.remote(3)) await get(ref) // 0, 1, 2
 */
export class ObjectRefGenerator<T = unknown> implements AsyncIterable<ObjectRef<T>> {
  declare readonly [itemType]: T
  readonly #home: StreamHome
  #isLeft = false

  /** Made by Shoal, not by applications. */
  constructor(home: StreamHome) {
    this.#home = home
  }

  /**
   * The ref of the next item, as soon as that exists. Several may be asked for at a time; they come in order.
   *
   * @throws GetTimeoutError past `timeoutMs`, the signal's reason when that aborts: the item is the next call's then.
   */
  next(options: GetOptions = {}): Promise<IteratorResult<ObjectRef<T>, undefined>> {
    return this.#home.take(this, options) as Promise<IteratorResult<ObjectRef<T>, undefined>>
  }

  /** Cancels the task and frees the items that were not taken; what `for await` calls when it is left. */
  return(): Promise<IteratorResult<ObjectRef<T>, undefined>> {
    this.release()
    return Promise.resolve({ done: true, value: undefined })
  }

  /**
   * A ref that resolves to undefined when the task is done, and rejects with its error. Ask for it before the generator is
   * left or released.
   *
   * @throws ObjectFreedError after that.
   */
  completed(): ObjectRef<undefined> {
    if (this.#isLeft)
      throw new ObjectFreedError('object-freed', 'the stream was released: ask for completed() before that')
    return this.#home.completed(this) as ObjectRef<undefined>
  }

  /** The same as `return()`; twice is harmless. */
  release(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#home.leave(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release()
    return Promise.resolve()
  }

  [Symbol.asyncIterator](): ObjectRefGenerator<T> {
    return this
  }

  get [Symbol.toStringTag](): string {
    return 'ObjectRefGenerator'
  }

  static {
    streamHomeOf = (generator) => generator.#home
  }

  /** True for any object made by this class in this copy of the SDK. */
  static is(value: unknown): value is ObjectRefGenerator {
    return typeof value === 'object' && value !== null && #home in value
  }
}

/** What a generator function's type says that its calls yield; never, for a type that is no generator's. */
export type Yielded<R> = 0 extends 1 & R
  ? never
  : [R] extends [never]
    ? never
    : [R] extends [AsyncIterator<infer T, unknown, never>]
      ? T
      : [R] extends [Iterator<infer T, unknown, never>]
        ? Awaited<T>
        : never

/** True for `function*` and `async function*`, methods too, of any realm. */
export function isGenerator(fn: unknown): boolean {
  return /^\[object (?:Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(fn))
}

import type { ObjectRef } from './object-ref.ts'

/**
 * The stream of a remote generator (`function*` or `async function*`): a ref for each value that it yields, which exists
 * as soon as it was yielded. A generator that throws gives a ref that throws, and then the end. Leaving a `for await`
 * cancels the generator. Not there yet: the call of a remote generator throws.
 */
export interface ObjectRefGenerator<T = unknown> {
  next(): Promise<IteratorResult<ObjectRef<T>, undefined>>
  /** Cancels the generator; what `for await` calls when it is left. */
  return(): Promise<IteratorResult<ObjectRef<T>, undefined>>
  [Symbol.asyncIterator](): ObjectRefGenerator<T>
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

/** @throws TypeError for a generator: Ray's streams are still to come. */
export function refuseStream(name: string, isGenerator: boolean | undefined): void {
  if (isGenerator === true)
    throw new TypeError(
      `${name} is a generator, and streams are not there yet: ` +
        'return an array, or hand the values out one by one from an actor',
    )
}

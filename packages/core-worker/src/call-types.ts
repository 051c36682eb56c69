import type { ObjectRef } from './object-ref.ts'
import type { ObjectRefGenerator, Yielded } from './ref-generator.ts'

/** An argument: the value itself or a ref to it. */
export type Argument<T> = T | ObjectRef<T>
export type Arguments<A extends readonly unknown[]> = { [K in keyof A]: Argument<A[K]> }

/**
 * What `.remote()` gives for a function that returns `R`: with `numReturns: n` a tuple of n refs, one for each element
 * of the array that it returns; with 0 nothing; else one ref. Never, where the function returns something else. A generator
 * gives a stream of refs.
 */
export type Returns<R, N extends number> = [Yielded<R>] extends [never]
  ? ReturnedRefs<R, N>
  : ObjectRefGenerator<Yielded<R>>

type ReturnedRefs<R, N extends number> = number extends N
  ? ObjectRef<R> | readonly ObjectRef[] | undefined
  : N extends 1
    ? ObjectRef<R>
    : N extends 0
      ? undefined
      : R extends readonly unknown[]
        ? number extends R['length']
          ? RefTuple<R[number], N>
          : R['length'] extends N
            ? { -readonly [K in keyof R]: ObjectRef<R[K]> }
            : never
        : never

type RefTuple<E, N extends number, T extends ObjectRef<E>[] = []> = T['length'] extends N
  ? T
  : RefTuple<E, N, [...T, ObjectRef<E>]>

/** Stands in a compiler's message where a parameter is typed as a ref. */
export interface RefParameter {
  readonly 'a ref among the arguments arrives as its value: type the parameter as that, or take the ref inside an array or object': never
}

/** Refuses functions that type a parameter as a ref: what they are called with is resolved. */
export type NoRefParameters<A extends readonly unknown[]> = true extends IsRef<A[number]> ? RefParameter : unknown

/** Refuses classes whose methods type a parameter as a ref. */
export type NoRefMethods<I> = true extends {
  [K in keyof I]: I[K] extends (...args: infer A) => unknown ? IsRef<A[number]> : false
}[keyof I]
  ? RefParameter
  : unknown

type IsRef<T> = 0 extends 1 & T ? false : T extends ObjectRef ? true : false

import type { CodeDefinition, SerializerRegistry } from '@shoal/protocol'
import { INLINE_PREFIX, inlineSourceUrl } from './user-stack.ts'

export type Callable = (...args: unknown[]) => unknown

/** Makes a function from its parameters' names and its body, as `new Function` does; a port, since it needs eval. */
export type Evaluate = (parameters: readonly string[], body: string) => Callable

/** Code that was evaluated in this worker: what each export name stands for. */
export interface LoadedCode {
  /** The function to call with the task's arguments. @throws Error when there is no such export. */
  task(exportName: string): Callable
  /** The actor's class. @throws TypeError when it is none. */
  actorClass(exportName: string): new (...args: unknown[]) => object
  /**
   * The classes that the code registered: its own, so that two versions of a module never mix. An inline function has no
   * place to register one in.
   */
  readonly serializers: SerializerRegistry | undefined
}

/** Evaluates an inline function or class once; `first` is its first argument, when it was handed anything by name. */
export function loadInline(
  { name, source }: CodeDefinition & { type: 'inline' },
  evaluate: Evaluate,
  first?: object,
): LoadedCode {
  // Names that compilers and coverage tools leave in a function's text: see docs/decisions on captures.
  const counters = [...new Set(source.match(/\bcov_[A-Za-z0-9_]+/g) ?? [])]
  const named = `//# sourceURL=${inlineSourceUrl(name, source)}`
  const make = evaluate(['__name', ...counters], `${INLINE_PREFIX}${source}\n)\n${named}`)
  const fn = make((target: unknown) => target, ...counters.map(() => coverageSink)) as Callable
  return {
    task: () => (first === undefined ? fn : (...args) => fn(first, ...args)),
    actorClass: () => (first === undefined ? fn : fn(first)) as new (...args: unknown[]) => object,
    serializers: undefined,
  }
}

/** Stands in for a coverage tool's counters: any path may be read, called and incremented. */
const coverageSink = (): unknown => deepCounter
const deepCounter: unknown = new Proxy(() => undefined, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : deepCounter),
  set: () => true,
  apply: () => deepCounter,
})

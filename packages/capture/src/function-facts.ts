/**
 * What only the function's value shows and its text does not: the page describes the value here, without a parser, as
 * plain data that may travel with the text to wherever the parser is (check-function-value).
 */

/** One own member of a class, its prototype, or a function. */
export interface MemberFact {
  /** As the user would write it: `limit`, `[Symbol.iterator]`. */
  readonly name: string
  readonly isSymbol: boolean
  /** For methods and accessors: whether the member's text is part of the class's text. A decorator's replacement is not. */
  readonly isInText: boolean
}

/** Plain, cloneable data about a function's value. */
export interface FunctionFacts {
  /** What `Function.prototype.toString` gives. */
  readonly source: string
  readonly name: string
  readonly isBound: boolean
  /** Bound, built in, or behind a Proxy: the engine shows no text for any of them. */
  readonly isNative: boolean
  /** Own properties of the function or class itself. */
  readonly statics: readonly MemberFact[]
  /** Own properties of its `prototype`; empty for functions that cannot be constructed. */
  readonly members: readonly MemberFact[]
}

// Every function has these, or had in sloppy code; `name` may be redefined by keepNames.
const OF_EVERY_FUNCTION: ReadonlySet<string> = new Set(['length', 'name', 'prototype', 'arguments', 'caller'])

/** Whether the text is the engine's stand-in for bound, native and proxied functions. */
export function isNativeText(source: string): boolean {
  return /^[^{]*\{\s*\[native code\]\s*\}\s*$/.test(source)
}

/** Describes a function or class. Runs no user code except the traps of a Proxy; undefined for what is no function. */
export function describeFunction(value: unknown): FunctionFacts | undefined {
  if (typeof value !== 'function') return undefined
  const source = Function.prototype.toString.call(value)
  const prototype: unknown = Object.getOwnPropertyDescriptor(value, 'prototype')?.value
  const name: unknown = Object.getOwnPropertyDescriptor(value, 'name')?.value
  const shownName = typeof name === 'string' ? name : ''
  const isNative = isNativeText(source)
  return {
    source,
    name: shownName,
    isNative,
    isBound: isNative && prototype === undefined && shownName.startsWith('bound '),
    statics: describeMembers(value, source, OF_EVERY_FUNCTION),
    members:
      typeof prototype === 'object' && prototype !== null
        ? describeMembers(prototype, source, new Set(['constructor']))
        : [],
  }
}

function describeMembers(owner: object, source: string, except: ReadonlySet<string>): MemberFact[] {
  const facts: MemberFact[] = []
  for (const key of Reflect.ownKeys(owner)) {
    if (typeof key === 'string' && except.has(key)) continue
    const descriptor = Object.getOwnPropertyDescriptor(owner, key)
    if (!descriptor) continue
    const functions = [descriptor.value, descriptor.get, descriptor.set].filter((part) => typeof part === 'function')
    facts.push({
      name: typeof key === 'symbol' ? `[${key.description ?? 'symbol'}]` : key,
      isSymbol: typeof key === 'symbol',
      isInText: functions.every((part) => source.includes(Function.prototype.toString.call(part))),
    })
  }
  return facts
}

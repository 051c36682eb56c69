import { VIEWS } from './tags.ts'
import type { ViewName } from './tags.ts'

// By what an object is, not by whose class it has: frames and test runners have several realms, each with its own Map.

export type Builtin = 'Error' | 'View' | 'ArrayBuffer' | 'Map' | 'Set' | 'Date' | 'RegExp' | 'boxed'

type Getter = (this: unknown) => unknown

function getterOf(prototype: object, key: string | symbol): Getter {
  return Object.getOwnPropertyDescriptor(prototype, key)?.get as Getter
}

const mapSize = getterOf(Map.prototype, 'size')
const setSize = getterOf(Set.prototype, 'size')
const bufferLength = getterOf(ArrayBuffer.prototype, 'byteLength')
const flags = getterOf(RegExp.prototype, 'global')
const viewName = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)

/** A method of each that works on its own kind alone, whoever made it: a class may call itself what it likes. */
const CHECKS: readonly (readonly [tag: string, builtin: Builtin, check: Getter])[] = [
  ['[object ArrayBuffer]', 'ArrayBuffer', bufferLength],
  ['[object Map]', 'Map', mapSize],
  ['[object Set]', 'Set', setSize],
  ['[object Date]', 'Date', Date.prototype.getTime],
  ['[object RegExp]', 'RegExp', flags],
  ['[object Number]', 'boxed', Number.prototype.valueOf],
  ['[object String]', 'boxed', String.prototype.valueOf],
  ['[object Boolean]', 'boxed', Boolean.prototype.valueOf],
  ['[object BigInt]', 'boxed', BigInt.prototype.valueOf],
]

/** An array, not an instance of a class that extends Array. */
export function isPlainArray(value: object): value is readonly unknown[] {
  if (!Array.isArray(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Array.prototype || Array.isArray(proto)
}

/** Which built-in class of ECMAScript made the object, undefined for none that can be sent. */
export function builtinOf(value: object): Builtin | undefined {
  if (ArrayBuffer.isView(value)) return 'View'
  const tag = Object.prototype.toString.call(value)
  if (tag === '[object Error]' || tag === '[object DOMException]' || value instanceof Error) return 'Error'
  for (const [itsTag, builtin, check] of CHECKS) if (tag === itsTag) return passes(check, value) ? builtin : undefined
  return undefined
}

/** The view's number on the wire, -1 for one that is unknown. */
export function viewKind(view: ArrayBufferView): number {
  return VIEWS.indexOf((viewName.call(view) as ViewName | undefined) ?? 'DataView')
}

/**
 * A class of the program's own that extends the built-in one: it would arrive as the built-in. Views may: subclasses of
 * Uint8Array, such as Node's Buffer, are used as nothing else.
 */
export function hasMethodsOfItsOwn(proto: object, builtin: Builtin): boolean {
  if (builtin === 'View') return false
  const base = Object.getPrototypeOf(proto) as object | null
  return base !== null && Object.getPrototypeOf(base) !== null
}

function passes(check: Getter, value: object): boolean {
  try {
    check.call(value)
    return true
  } catch {
    return false
  }
}

import { ActorClass, describeActorClass } from './actor-class.ts'
import type { Code } from './code.ts'
import { describeFunction, RemoteFunction } from './remote-function.ts'

/** The code of what stands for a function or a class; undefined for any other value. */
export function codeOf(value: unknown): Code | undefined {
  if (RemoteFunction.is(value)) return describeFunction(value).identity.code
  return ActorClass.is(value) ? describeActorClass(value).identity.code : undefined
}

/** The codes of the remote functions and actor classes in what a function was given by name, plain objects and arrays in it included. */
export function codesIn(held: unknown): Code[] {
  const found: Code[] = []
  const seen = new Set<object>()
  const open = [held]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    const code = codeOf(value)
    if (code !== undefined) found.push(code)
    else if (Array.isArray(value) || isPlain(value)) open.push(...Object.values(value as object))
  }
  return found
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Finds what a bundled remote module exports by running it once, in a context of its own with the globals a task has and
 * the recording SDK. Reading the source instead would miss `fib.options({…})`, inherited methods and computed options.
 * Timers and the console are silent there: building must neither wait nor print.
 */
import vm from 'node:vm'
import { ALLOWED_GLOBALS } from '@shoal/capture'
import { arityOf, constructorArity, type Arity } from '@shoal/core-worker'
import { createRecordingSdk, inert, type Recorded } from './recording-sdk.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { toLiteral } from './to-literal.ts'

export type RemoteExport =
  | { readonly kind: 'function'; readonly options: string; readonly isGenerator: boolean; readonly arity: Arity }
  | {
      readonly kind: 'actor'
      readonly options: string
      /** Own and inherited, in the order of the class, base classes last. */
      readonly methods: readonly string[]
      /** Those of the methods that are generators: their calls give streams. */
      readonly generators: readonly string[]
      /** The constructor's, and the methods' in their order. */
      readonly arity: Arity
      readonly arities: readonly Arity[]
    }
  | { readonly kind: 'constant'; readonly value: string }

/** By export name, `default` included. Options and constants are JavaScript literals. */
export type RemoteManifest = ReadonlyMap<string, RemoteExport>

// A loop at module level would otherwise stop the build without a word.
const EVALUATION_TIMEOUT_MS = 10_000

/** @throws RemoteModuleError when the module throws, needs what tasks do not have, or exports what cannot be called from afar */
export function readManifest(code: string, name: string): RemoteManifest {
  const sdk = createRecordingSdk()
  const exports = evaluate(code, name, sdk.module)
  const manifest = new Map<string, RemoteExport>()
  for (const key of Object.keys(exports)) {
    const value = exports[key]
    const recorded = sdk.recordedAs(value)
    if (recorded) manifest.set(key, describeRecorded(recorded, key, name))
    else {
      const literal = isPrimitive(value) ? toLiteral(value) : undefined
      if (literal === undefined) throw new RemoteModuleError(name, wrongExport(key, value))
      manifest.set(key, { kind: 'constant', value: literal })
    }
  }
  if (manifest.size === 0) throw new RemoteModuleError(name, 'exports nothing; export what remote() or actor() gives')
  return manifest
}

function evaluate(code: string, name: string, sdk: object): Record<string, unknown> {
  const module = { exports: {} as Record<string, unknown> }
  const require = (id: string): object => {
    if (id === '@shoal/sdk') return sdk
    throw new Error(`there is no module ${id} where tasks run`)
  }
  const context = createTaskContext()
  context.module = module
  context.exports = module.exports
  context.require = require
  try {
    const wrapped = `(function (exports, require, module) {${code}\n})(exports, require, module)`
    vm.runInContext(wrapped, context, { filename: name, timeout: EVALUATION_TIMEOUT_MS })
  } catch (cause) {
    throw new RemoteModuleError(
      name,
      `cannot be evaluated while building: ${messageOf(cause)}. A remote module runs once at build time to find its ` +
        'exports, without page, network and files: move such work into the functions and actors it exports',
      { cause },
    )
  }
  return module.exports
}

function createTaskContext(): Record<string, unknown> {
  const context = vm.createContext({}) as Record<string, unknown>
  const host = globalThis as unknown as Record<string, unknown>
  for (const name of ALLOWED_GLOBALS) {
    if (vm.runInContext(`typeof ${name}`, context) === 'undefined' && name !== 'undefined')
      context[name] = host[name] ?? inert
  }
  for (const name of ['console', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'queueMicrotask'])
    context[name] = inert
  return context
}

function describeRecorded({ kind, target, options }: Recorded, key: string, name: string): RemoteExport {
  const literals: string[] = []
  for (const [option, value] of Object.entries(options)) {
    const literal = toLiteral(value)
    if (literal === undefined) {
      const problem = `option \`${option}\` of \`${key}\` is not a plain value; the page needs it without running the module`
      throw new RemoteModuleError(name, `${problem}: give it at the call, ${key}.options({ ${option} })`)
    }
    literals.push(`${JSON.stringify(option)}: ${literal}`)
  }
  const written = literals.length === 0 ? '{}' : `{ ${literals.join(', ')} }`
  if (kind === 'function') return { kind, options: written, isGenerator: isGenerator(target), arity: arityOf(target) }
  return { kind, options: written, arity: constructorArity(target), ...methodsOf(target) }
}

function methodsOf(target: object): { methods: string[]; generators: string[]; arities: Arity[] } {
  const methods: string[] = []
  const generators: string[] = []
  const arities: Arity[] = []
  const seen = new Set(['constructor'])
  let prototype: unknown = Object.getOwnPropertyDescriptor(target, 'prototype')?.value
  // The last prototype is Object.prototype of the module's realm; its toString and the like are no actor methods.
  while (typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    for (const method of Object.getOwnPropertyNames(prototype)) {
      // As core-worker's methodsOf: a leading _ means private.
      if (seen.has(method) || method.startsWith('_')) continue
      seen.add(method)
      const value: unknown = Object.getOwnPropertyDescriptor(prototype, method)?.value
      if (typeof value !== 'function') continue
      methods.push(method)
      arities.push(arityOf(value as Recorded['target']))
      if (isGenerator(value)) generators.push(method)
    }
    prototype = Object.getPrototypeOf(prototype)
  }
  return { methods, generators, arities }
}

function isGenerator(target: object): boolean {
  return /^\[object (?:Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(target))
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

function wrongExport(key: string, value: unknown): string {
  const what = typeof value === 'function' ? 'a function or class' : Array.isArray(value) ? 'an array' : 'an object'
  return (
    `export \`${key}\` is ${what} that neither remote() nor actor() made. The module never runs in the page, so it would ` +
    'not be there: wrap it, or move it into a file that both sides import (types may be exported as they are)'
  )
}

function messageOf(cause: unknown): string {
  // Errors of the other realm are no instances of this one's Error.
  if (typeof cause === 'object' && cause !== null && 'message' in cause) {
    return 'name' in cause ? `${String(cause.name)}: ${String(cause.message)}` : String(cause.message)
  }
  return String(cause)
}

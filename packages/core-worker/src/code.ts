import { describeFunction } from '@shoal/capture/facts'
import { LIMITS } from '@shoal/protocol'
import type { CodeDefinition, EncodedValue } from '@shoal/protocol'
import type { ValueEncoder } from '@shoal/protocol'
import { textMark } from './text-mark.ts'

export interface ReadyCode {
  readonly kind: 'ready'
  readonly definition: CodeDefinition
  readonly callSite: string
  /** What the value shows and its text does not (FunctionFacts without the source), encoded; empty when unknown. */
  readonly facts: Uint8Array<ArrayBuffer>
  /** What was handed in by name: the refs in it must not be collected before the node counts them. */
  readonly held?: unknown
  /** Why it cannot run in another tab, once somebody here has judged it. */
  refusal?: Error
}

/** Code that was written beside its caller, not in a module. */
export interface InlineCode extends ReadyCode {
  readonly definition: CodeDefinition & { readonly type: 'inline' }
}

/** A bundle that is fetched when it is first used, or inline code that was handed functions of one. */
export interface LaterCode {
  readonly kind: 'later'
  readonly name: string
  readonly callSite?: string
  readonly facts?: Uint8Array<ArrayBuffer>
  load(): Promise<CodeDefinition>
}

/** Thrown while values are encoded that hold a function of a bundle that was not fetched yet. */
export class CodeNotLoaded extends Error {
  readonly code: LaterCode

  constructor(code: LaterCode) {
    super(`the code of ${code.name} was not loaded yet`)
    this.code = code
  }
}

const loaded = new WeakMap<LaterCode, CodeDefinition>()

/** What a bundle's code is, once it was fetched for a value that holds it. */
export function loadedDefinition(code: LaterCode): CodeDefinition | undefined {
  return loaded.get(code)
}

/** Where a remote function's or actor class's code comes from, before a node has hashed it. */
export type Code = ReadyCode | LaterCode

/** The code of an inline function or class; `caller` is the function that the user called with it. @throws TypeError or RangeError for what can never ship. */
export function inlineCode(
  fn: (...args: never[]) => unknown,
  uses: Readonly<Record<string, unknown>> | undefined,
  encoder: ValueEncoder,
  caller: (...args: never[]) => unknown,
): InlineCode | LaterCode {
  if (typeof fn !== 'function') throw new TypeError('remote() takes a function, actor() a class')
  const source = Function.prototype.toString.call(fn)
  // UTF-16 length is a lower bound of the bytes, and exact for nearly all code.
  if (source.length > LIMITS.functionSourceBytes)
    throw new RangeError(
      `the function's source is ${source.length} characters; at most ${LIMITS.functionSourceBytes} can ship. ` +
        'Put its data into an object with put().',
    )
  const define = (): InlineCode['definition'] => ({
    type: 'inline',
    name: fn.name.slice(0, 80),
    isClass: /^class\b/.test(source),
    source,
    uses: uses === undefined ? undefined : encodeUses(uses, encoder),
  })
  const origin = { callSite: callSite(caller), facts: encodeFacts(fn, encoder) }
  try {
    return { kind: 'ready', definition: define(), ...origin, ...(uses !== undefined && { held: uses }) }
  } catch (error) {
    if (!(error instanceof CodeNotLoaded)) throw error
    return { kind: 'later', name: fn.name, ...origin, load: () => defineLater(error, define) }
  }
}

/** Functions of remote modules that are handed in travel with their code, which has to be fetched first. */
async function defineLater(first: CodeNotLoaded, define: () => CodeDefinition): Promise<CodeDefinition> {
  for (let missing = first; ;) {
    loaded.set(missing.code, await missing.code.load())
    try {
      return define()
    } catch (error) {
      if (!(error instanceof CodeNotLoaded)) throw error
      missing = error
    }
  }
}

/** Where `remote()` or `actor()` was given the inline code of this mark (text-mark), if it is among these. */
export function callSiteOf(codes: Iterable<Code>, mark: string): string | undefined {
  for (const code of codes) {
    if (code.kind !== 'ready' || code.definition.type !== 'inline' || code.callSite === '') continue
    if (textMark(code.definition.source) === mark) return code.callSite
  }
  return undefined
}

function encodeFacts(fn: unknown, encoder: ValueEncoder): Uint8Array<ArrayBuffer> {
  const facts = describeFunction(fn)
  if (facts === undefined) return NO_FACTS
  const { name, isBound, isNative, statics, members } = facts
  return encoder.encode({ name, isBound, isNative, statics, members }, 'facts').body
}

export const NO_FACTS = new Uint8Array(0)

function encodeUses(uses: Readonly<Record<string, unknown>>, encoder: ValueEncoder): EncodedValue {
  const value = encoder.encode(uses, 'uses')
  let bytes = value.body.length
  for (const buffer of value.buffers) bytes += buffer.length
  if (bytes > LIMITS.functionUsesBytes)
    throw new RangeError(
      `the values handed in by name take ${bytes} bytes; at most ${LIMITS.functionUsesBytes} can ship with a function. ` +
        'Pass large ones as arguments, or put() them once.',
    )
  return value
}

/** The stack line of the code that called `caller`. Frames are not counted: minifiers inline functions. */
function callSite(caller: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = new Error()
  const capture = (Error as { captureStackTrace?: (target: object, above: unknown) => void }).captureStackTrace
  capture?.(holder, caller)
  const frames = (holder.stack ?? '').split('\n').filter((line) => /^\s+at |@/.test(line))
  // An engine without captureStackTrace shows this function, `inlineCode` and the caller first.
  return (frames[capture === undefined ? 3 : 0] ?? '').trim().slice(0, 300)
}

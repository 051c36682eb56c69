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

/** Where a remote function's or actor class's code comes from, before a node has hashed it. */
export type Code =
  | ReadyCode
  /** A bundle that is fetched when it is first used. */
  | { readonly kind: 'later'; readonly name: string; load(): Promise<CodeDefinition> }

/** The code of an inline function or class; `caller` is the function that the user called with it. @throws TypeError or RangeError for what can never ship. */
export function inlineCode(
  fn: (...args: never[]) => unknown,
  uses: Readonly<Record<string, unknown>> | undefined,
  encoder: ValueEncoder,
  caller: (...args: never[]) => unknown,
): InlineCode {
  if (typeof fn !== 'function') throw new TypeError('remote() takes a function, actor() a class')
  const source = Function.prototype.toString.call(fn)
  // UTF-16 length is a lower bound of the bytes, and exact for nearly all code.
  if (source.length > LIMITS.functionSourceBytes)
    throw new RangeError(
      `the function's source is ${source.length} characters; at most ${LIMITS.functionSourceBytes} can ship. ` +
        'Put its data into an object with put().',
    )
  return {
    kind: 'ready',
    definition: {
      type: 'inline',
      name: fn.name.slice(0, 80),
      isClass: /^class\b/.test(source),
      source,
      uses: uses === undefined ? undefined : encodeUses(uses, encoder),
    },
    callSite: callSite(caller),
    facts: encodeFacts(fn, encoder),
    ...(uses !== undefined && { held: uses }),
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

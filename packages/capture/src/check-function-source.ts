/**
 * Judges the very text that ships: what parse-function and free-references find in it against the fixed list of globals
 * and the names compilers leave behind. Where several things stand in the way, the one that explains the others is named
 * (a compiler's helper, `import()`), else the first in the text.
 */
import { ALLOWED_GLOBALS, isPlatformName } from './allowed-globals.ts'
import { refuse, type CaptureReason, type CaptureReport, type Finding } from './capture-report.ts'
import {
  isCompilerHelper,
  isDynamicImportHelper,
  isImportedModuleName,
  isImportMetaHelper,
  isKnownToRunner,
} from './compiler-names.ts'
import { findOuterUses, type OuterUse } from './free-references.ts'
import { isNativeText } from './function-facts.ts'
import { parseFunction, type ParsedFunction, type UnparsedFunction } from './parse-function.ts'

export interface CheckFunctionOptions {
  readonly kind: 'function' | 'class'
  /** Values are handed in by name already; only the remedy's wording differs. */
  readonly hasUses: boolean
}

/**
 * Whether a function's text stands alone.
 * @param source what `Function.prototype.toString` gives
 * @returns the text as an expression, or the one thing that keeps it from working in another tab; never throws on bad text
 */
export function checkFunctionSource(source: string, options: CheckFunctionOptions): CaptureReport {
  if (isNativeText(source))
    return refuse({ reason: 'no-source', identifier: nativeName(source), start: 0 }, source, options)
  try {
    return checkText(source, options)
  } catch (error) {
    // Parser and walk recurse: text from a generator may be deeper than the stack.
    if (!(error instanceof RangeError)) throw error
    return refuse({ reason: 'syntax', identifier: 'it is nested too deeply', start: 0 }, source, options)
  }
}

function checkText(source: string, options: CheckFunctionOptions): CaptureReport {
  const parsed = parseFunction(source)
  if (!('root' in parsed)) return refuse(unparsed(parsed, source), source, options)
  const findings = findOuterUses(parsed.root)
    .map(judge)
    .filter((finding) => finding !== undefined)
    .map((finding) => ({ ...finding, start: finding.start - parsed.offset }))
  const wrongKind = kindOf(parsed) !== options.kind
  // A lowered class is a function full of helpers: the helper says more than the kind does.
  const worst = mostTelling(findings)
  if (wrongKind && worst?.reason !== 'compiled-helper')
    return refuse({ reason: 'wrong-kind', identifier: kindOf(parsed), start: 0 }, source, options)
  if (worst) return refuse(worst, source, options)
  return { ok: true, expression: parsed.expression }
}

function nativeName(source: string): string {
  return /^function\s+([^\s(]+)/.exec(source)?.[1] ?? 'native code'
}

function kindOf({ root }: ParsedFunction): 'function' | 'class' {
  return root.type === 'ClassExpression' ? 'class' : 'function'
}

function unparsed({ message, at }: UnparsedFunction, source: string): Finding {
  if (source[at] === '@') {
    const name = /^@[\p{ID_Continue}$.]*/u.exec(source.slice(at))?.[0] ?? '@'
    return { reason: 'decorated', identifier: name, start: at }
  }
  const privateName = /Private field '(#[^']+)'/.exec(message)?.[1]
  if (privateName !== undefined) return { reason: 'this', identifier: privateName, start: at }
  return { reason: 'syntax', identifier: message, start: at }
}

function judge(use: OuterUse): Finding | undefined {
  const { start } = use
  switch (use.kind) {
    case 'name':
      return judgeName(use)
    case 'this':
      return { reason: 'this', identifier: 'this', start }
    case 'dynamic-import':
      return { reason: 'dynamic-import', identifier: 'import()', start }
    case 'import-meta':
      return { reason: 'import-meta', identifier: 'import.meta', start }
    case 'new-target':
      return { reason: 'new-target', identifier: 'new.target', start }
    case 'super':
    case 'arguments':
      return { reason: use.kind, identifier: use.kind, start }
  }
}

function judgeName({
  name,
  property,
  start,
  isBaseClass,
  isDetachedCall,
}: OuterUse & { kind: 'name' }): Finding | undefined {
  if (isKnownToRunner(name)) return undefined
  if (isDynamicImportHelper(name)) return { reason: 'dynamic-import', identifier: 'import()', start, emitted: name }
  if (isImportMetaHelper(name)) return { reason: 'import-meta', identifier: 'import.meta', start, emitted: name }
  const isImport = isImportedModuleName(name) || (isDetachedCall && !ALLOWED_GLOBALS.has(name))
  if (isImport) {
    if (property !== undefined && isCompilerHelper(property))
      return { reason: 'compiled-helper', identifier: property, start }
    const emitted = property === undefined ? name : `${name}.${property}`
    return { reason: isBaseClass ? 'base-class' : 'imported', identifier: property ?? name, start, emitted }
  }
  if (name === 'eval') return { reason: 'eval', identifier: name, start }
  if (ALLOWED_GLOBALS.has(name)) return undefined
  if (isCompilerHelper(name)) return { reason: 'compiled-helper', identifier: name, start }
  if (isBaseClass) {
    if (property === undefined) return { reason: 'base-class', identifier: name, start }
    return { reason: 'base-class', identifier: property, start, emitted: `${name}.${property}` }
  }
  return { reason: isPlatformName(name) ? 'platform' : 'captured', identifier: name, start }
}

// A helper drags minified names along, and import() its module's; what comes first here explains what comes later.
const TELLING: readonly CaptureReason[] = ['compiled-helper', 'dynamic-import', 'import-meta', 'base-class']

function mostTelling(findings: readonly Finding[]): Finding | undefined {
  for (const reason of TELLING) {
    const found = findings.find((finding) => finding.reason === reason)
    if (found) return found
  }
  return findings[0]
}

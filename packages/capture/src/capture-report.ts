/** Why a function cannot ship; stable, for tests and for the docs' list of remedies. */
export type CaptureReason =
  /** a variable from around the function */
  | 'captured'
  /** an imported binding, also after a bundler rewrote it */
  | 'imported'
  /** `class X extends Base` where Base stands elsewhere */
  | 'base-class'
  /** a helper of a compiler: the code was compiled for an older target */
  | 'compiled-helper'
  /** a name of the page, the network or Node, which tasks do not have */
  | 'platform'
  /** `import()`, also after a bundler rewrote it */
  | 'dynamic-import'
  | 'import-meta'
  /** `this` of the surrounding code, or of a function that will be called without one */
  | 'this'
  /** `arguments` of a function around an arrow function */
  | 'arguments'
  | 'super'
  | 'new-target'
  /** a direct `eval`, whose text could name anything */
  | 'eval'
  /** a bound, native or proxied function */
  | 'no-source'
  /** decorator syntax left in the text, or members that a decorator replaced */
  | 'decorated'
  /** statics, prototype members or properties that the text does not show */
  | 'hidden-member'
  /** not the kind asked for: a class where a function is needed, or the other way round */
  | 'wrong-kind'
  /** text that is no function in strict mode */
  | 'syntax'

/** A function that may ship. */
export interface CaptureAccepted {
  readonly ok: true
  /** The text as an expression: `new Function('"use strict"; return (' + expression + ')')` gives the function or class. */
  readonly expression: string
}

/** A function that must not leave this tab. */
export interface CaptureRefused {
  readonly ok: false
  /** What stands in the way, as the user would name it: a variable, `import()`, `this`, a base class. */
  readonly identifier: string
  readonly reason: CaptureReason
  /** The line of the function's text with the identifier, cut to 100 characters around it. */
  readonly excerpt: string
  /** Position in the function's own text, both counted from 1. */
  readonly line: number
  readonly column: number
  /** What to do, one sentence or two. */
  readonly remedy: string
  /** The whole sentence for CaptureError, without the call site, which only the SDK knows. */
  readonly message: string
}

export type CaptureReport = CaptureAccepted | CaptureRefused

/** What stops a function, before it is put into words. */
export interface Finding {
  readonly reason: CaptureReason
  readonly identifier: string
  /** Offset in the text. */
  readonly start: number
  /** How a bundler spells it in the text, when that differs from what the user wrote. */
  readonly emitted?: string
}

const REMOTE_MODULE = 'use a remote module (a file named *.remote.ts)'

/** Puts a finding into words. `source` is the text the finding's offset counts in. */
export function refuse(finding: Finding, source: string, options: RefuseOptions): CaptureRefused {
  const what = options.kind === 'class' ? 'class' : 'function'
  const remedy = remedyFor(finding, options)
  const { line, column, excerpt } = locate(source, finding.start)
  const message = `${describe(finding, what)} (line ${line}, column ${column} of its text: ${excerpt}). To fix it, ${remedy}.`
  return { ok: false, identifier: finding.identifier, reason: finding.reason, excerpt, line, column, remedy, message }
}

export interface RefuseOptions {
  readonly kind: 'function' | 'class'
  readonly hasUses: boolean
}

function describe({ reason, identifier, emitted }: Finding, what: string): string {
  const spelled = emitted === undefined ? '' : ` (compiled to \`${emitted}\`)`
  const name = `\`${identifier}\``
  switch (reason) {
    case 'captured':
      return `the ${what} uses ${name}, which is defined outside of it and does not exist in another tab`
    case 'imported':
      return `the ${what} uses ${name}${spelled}, an imported binding, which does not exist in another tab`
    case 'base-class':
      return `the class extends ${name}${spelled}, a base class defined outside of its text`
    case 'compiled-helper':
      return `the ${what} uses ${name}, a helper nobody wrote: it was compiled for an older target`
    case 'platform':
      return `the ${what} uses ${name}, which is not available where tasks run`
    case 'dynamic-import':
      return `the ${what} uses import()${spelled}, which cannot find its module in another tab`
    case 'import-meta':
      return `the ${what} uses import.meta${spelled}, which belongs to the module around it`
    case 'this':
      return `the ${what} uses ${name}, but it is called without a \`this\` in another tab`
    case 'arguments':
      return `the ${what} uses the \`arguments\` of the function around it`
    case 'super':
      return `the ${what} uses \`super\` of the object or class around it`
    case 'new-target':
      return `the ${what} uses \`new.target\` of the function around it`
    case 'eval':
      return `the ${what} calls \`eval\`, and what that text captures cannot be checked`
    case 'no-source':
      return `the ${what} ${name} has no source of its own`
    case 'decorated':
      return `the ${what} is decorated (${name}), and what a decorator does is not part of its text`
    case 'hidden-member':
      return `the ${what} carries ${name}, which its text does not show`
    case 'wrong-kind':
      return what === 'class'
        ? 'a class is needed, and this is a function'
        : 'a function is needed, and this is a class'
    case 'syntax':
      return `the ${what}'s text cannot be parsed as strict code: ${identifier}`
  }
}

function remedyFor({ reason, identifier }: Finding, { kind, hasUses }: RefuseOptions): string {
  const byName = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(identifier) && identifier !== 'default'
  switch (reason) {
    case 'captured':
    case 'imported':
      if (!byName || kind === 'class') return REMOTE_MODULE
      return hasUses
        ? `add it to what is handed in and take it from the first parameter ({ ${identifier} }), or ${REMOTE_MODULE}`
        : `hand it in by name, remote({ ${identifier} }, ({ ${identifier} }, ...args) => ...), or ${REMOTE_MODULE}`
    case 'compiled-helper':
      return `build for ES2022 or later, or ${REMOTE_MODULE}`
    case 'platform':
      return 'do this in the page and pass the result as an argument'
    case 'this':
      return `pass what it needs as arguments, or write an actor, or ${REMOTE_MODULE}`
    case 'arguments':
      return 'take rest parameters (...args) instead'
    case 'new-target':
      return 'pass what it needs as an argument'
    case 'eval':
      return 'use new Function, which sees globals only'
    case 'no-source':
      return 'pass the function that was wrapped or bound, or call it inside an arrow function of your own'
    case 'hidden-member':
      return kind === 'class'
        ? `build for ES2022 or later so that statics stay inside the class, or ${REMOTE_MODULE}`
        : `keep it in a value that is handed in, or ${REMOTE_MODULE}`
    case 'wrong-kind':
      return kind === 'class'
        ? 'pass a class, built for ES2022 or later, or use remote() for a function'
        : 'pass a function, or use actor() for a class'
    case 'syntax':
      return `check that it is a whole function that runs in strict mode, or ${REMOTE_MODULE}`
    case 'base-class':
    case 'dynamic-import':
    case 'import-meta':
    case 'super':
    case 'decorated':
      return REMOTE_MODULE
  }
}

const EXCERPT_LENGTH = 100

function locate(source: string, start: number): { line: number; column: number; excerpt: string } {
  const offset = Math.max(0, Math.min(start, source.length))
  const lineStart = source.lastIndexOf('\n', offset - 1) + 1
  const lineEnd = source.indexOf('\n', offset)
  const text = source.slice(lineStart, lineEnd === -1 ? undefined : lineEnd)
  const line = source.slice(0, lineStart).split('\n').length
  const column = offset - lineStart + 1
  // Minified code is one line: cut around the place, not from the start.
  const from = text.length <= EXCERPT_LENGTH ? 0 : Math.max(0, Math.min(column - 41, text.length - EXCERPT_LENGTH))
  const cut = text.slice(from, from + EXCERPT_LENGTH).trim()
  return {
    line,
    column,
    excerpt: (from > 0 ? '…' : '') + cut + (from + EXCERPT_LENGTH < text.length ? '…' : ''),
  }
}

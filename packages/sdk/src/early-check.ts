/**
 * The capture check at `remote()` and `actor()`, in development: while the code is being written, a function that cannot
 * ship is refused where it stands, not when somebody gets its result. The parser is loaded with the first function, so
 * that a production bundle does not contain it: what was defined before it is there is told on the console, and thrown by
 * `.remote()`; what comes later is thrown at once. The check in the node worker holds in any case.
 */
import { describeFunction } from '@shoal/capture/facts'
import type { checkFunction } from '@shoal/capture'
import type { InlineCode } from '@shoal/core-worker'
import { CaptureError } from '@shoal/protocol'

interface Waiting {
  readonly code: InlineCode
  readonly fn: unknown
}

// Bundlers replace it, and drop what is behind it in production. Without a bundler there is no `process`.
declare const process: { readonly env: { readonly NODE_ENV?: string } }
let load: (() => Promise<{ checkFunction: typeof checkFunction }>) | undefined
try {
  if (process.env.NODE_ENV !== 'production') load = () => import('@shoal/capture')
} catch {
  load = undefined
}

let check: typeof checkFunction | undefined
let waiting: Waiting[] | undefined

/** Judges code that was just defined on a page. @throws CaptureError */
export function checkEarly(code: InlineCode, fn: unknown): void {
  // A server renders pages; it runs nothing.
  if (load === undefined || typeof document === 'undefined') return
  if (check !== undefined) {
    const refusal = refusalOf(check, { code, fn })
    if (refusal !== undefined) throw refusal
    return
  }
  if (waiting === undefined) {
    waiting = []
    load().then(judgeWaiting, () => {
      // A dev server that was stopped. The node worker brings its own parser.
      waiting = []
      load = undefined
    })
  }
  waiting.push({ code, fn })
}

function judgeWaiting(parser: { checkFunction: typeof checkFunction }): void {
  check = parser.checkFunction
  for (const { code, fn } of waiting ?? []) {
    const refusal = refusalOf(check, { code, fn })
    if (refusal === undefined) continue
    code.refusal = refusal
    console.error(refusal)
  }
  waiting = []
}

function refusalOf(judge: typeof checkFunction, { code, fn }: Waiting): CaptureError | undefined {
  const { source, isClass, uses } = code.definition
  const report = judge(
    source,
    { kind: isClass ? 'class' : 'function', hasUses: uses !== undefined },
    describeFunction(fn),
  )
  if (report.ok) return undefined
  const where = code.callSite === '' ? '' : `\n    ${isClass ? 'actor' : 'remote'}() was called ${code.callSite}`
  const details = { identifier: report.identifier }
  const error = new CaptureError('capture', report.message + where, { details })
  // Made later than the call, and nobody is helped by our own frames.
  error.stack = `${error.name}: ${error.message}`
  return error
}

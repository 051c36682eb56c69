/**
 * Stacks of user code as they leave a worker. Code is evaluated under names of its own (`shoal:///src/fib.remote.ts?<mark>`),
 * and what a stack shows of anything else is our machinery: it is cut. Positions are made to count from the text itself,
 * since `new Function` puts lines before it. A frame that was made so is spelled `shoal:src/fib.remote.ts?<mark>:12:9`
 * and is left alone when its error passes through another task; the driver's page turns it into the user's file and line.
 */
import { textMark } from '@shoal/core-worker'
import type { Evaluate } from './loaded-code.ts'

/** What stands before an inline function's text when it is evaluated. */
export const INLINE_PREFIX = '"use strict"; return ('

const RAW = /shoal:\/\/\/([^\s()]+?):(\d+):(\d+)/
const USER = /shoal:[^\s()]/
// Array.map, Promise.all and the like: worth showing between two frames of the user's.
const ENGINE = /<anonymous>|\(index \d+\)|\[native code\]|\(native\)/
// What V8 calls code that has no name: `at eval (place)` becomes `at place`.
const UNNAMED = /^(\s+at (?:async )?)eval \((.*)\)$/
const MOST_CAUSES = 20

/** The name under which an inline function is evaluated; `(inline)` is no folder of anybody's. */
export function inlineSourceUrl(name: string, source: string): string {
  const shown = encodeURIComponent(name === '' ? 'anonymous' : name).replace(/[()]/g, '_')
  return `shoal:///inline:${shown}?${textMark(source)}`
}

/**
 * How many lines the engine counts before the first one of an evaluated text. Asked before user code has run, which could
 * change what `Error` shows.
 */
export function linesBeforeText(evaluate: Evaluate): number {
  const stack = evaluate([], 'return new Error().stack\n//# sourceURL=shoal:///probe')()
  const line = /shoal:\/\/\/probe:(\d+)/.exec(String(stack))?.[1]
  return line === undefined ? 0 : Number(line) - 1
}

/** Rewrites the stacks of an error, of its causes and of the errors it is made of; anything else is left alone. */
export function cleanStacks(thrown: unknown, linesBefore: number): void {
  const seen = new Set<unknown>()
  const clean = (error: unknown): void => {
    if (!(error instanceof Error) || seen.has(error) || seen.size >= MOST_CAUSES) return
    seen.add(error)
    try {
      const { stack, cause } = error
      if (typeof stack === 'string') {
        const cleaned = cleanStack(stack, linesBefore)
        if (cleaned !== stack)
          Object.defineProperty(error, 'stack', { value: cleaned, writable: true, configurable: true })
      }
      clean(cause)
      if (error instanceof AggregateError) for (const inner of error.errors as unknown[]) clean(inner)
    } catch {
      // Frozen, or with a getter that throws: it goes as it is.
    }
  }
  clean(thrown)
}

/** One stack's text, as it may be shown. */
export function cleanStack(stack: string, linesBefore: number): string {
  const lines = stack.split('\n')
  // V8 has a header and indents its frames, the other engines have frames alone, as `name@place`.
  const isV8 = lines.some((line) => /^\s+at /.test(line))
  const isFrame = (line: string): boolean => (isV8 ? /^\s+at /.test(line) : /@.*:\d+|\[native code\]/.test(line))
  const kept: string[] = []
  let between: string[] = []
  for (const line of lines) {
    if (!isFrame(line)) kept.push(line)
    else if (USER.test(line)) {
      const placed = line.replace(RAW, (_, ...found: string[]) => place(found, linesBefore))
      kept.push(...between, placed.replace(UNNAMED, '$1$2'))
      between = []
    } else if (ENGINE.test(line)) between.push(line)
    else between = []
  }
  return kept.join('\n')
}

function place([name = '', line = '', column = '']: string[], linesBefore: number): string {
  const ownLine = Math.max(1, Number(line) - linesBefore)
  const before = ownLine === 1 && name.startsWith('inline:') ? INLINE_PREFIX.length : 0
  return `shoal:${name}:${ownLine}:${Math.max(1, Number(column) - before)}`
}

import type { CaptureReport } from './capture-report.ts'
import { checkFunctionSource, type CheckFunctionOptions } from './check-function-source.ts'
import { checkFunctionFacts } from './check-function-value.ts'
import type { FunctionFacts } from './function-facts.ts'

/**
 * The whole check of a function that is about to ship: what its value carries beside its text, then the text.
 *
 * @param facts what the value showed where it was defined; undefined when nobody saw it
 * @returns the text as an expression, or the one thing that keeps it from working in another tab
 * @example
 * checkFunction('(x) => x + limit', { kind: 'function', hasUses: false }).ok // false
 */
export function checkFunction(
  source: string,
  options: CheckFunctionOptions,
  facts?: Omit<FunctionFacts, 'source'>,
): CaptureReport {
  const hidden = facts && checkFunctionFacts({ source, ...facts })
  return hidden ?? checkFunctionSource(source, options)
}

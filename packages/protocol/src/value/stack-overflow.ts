/** A value nested deeper than the engine's stack: V8 and JavaScriptCore say RangeError, SpiderMonkey InternalError. */
export function isStackOverflow(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'RangeError' || error.name === 'InternalError') &&
    /call stack|recursion/i.test(error.message)
  )
}

/**
 * On refs, remote functions, actor classes and handles of every copy of the SDK in a page. Each copy knows its own by
 * private fields, and would take another's for objects of the user's.
 */
export const HANDLE: unique symbol = Symbol.for('shoal.handle')

/** For what is none of our own. @throws TypeError when another copy of the SDK made it. */
export function refuseForeign(value: unknown): void {
  if (typeof value !== 'object' || value === null || !(HANDLE in value)) return
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  throw new TypeError(`this ${kind} belongs to another copy of @shoal/sdk: the page has loaded two`)
}

/**
 * Whether two sets of options say the same: whatever the order of their keys, an absent key being one that is undefined.
 * Functions and other objects that are no plain data are the same only when they are identical, addresses when their
 * text is.
 */
export function areSameOptions(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (a instanceof URL && b instanceof URL) return a.href === b.href
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => areSameOptions(item, b[index]))
  if (!isPlain(a) || !isPlain(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => areSameOptions(a[key], b[key]))
}

/** A copy that later changes of the given object do not reach. */
export function copyOptions<T>(options: T): T {
  if (Array.isArray(options)) return options.map((item: unknown) => copyOptions(item)) as T
  if (!isPlain(options)) return options
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, copyOptions(value)])) as T
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

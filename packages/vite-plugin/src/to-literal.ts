/**
 * Writes a plain value as a JavaScript expression, so that a stub can carry it. More than JSON (Infinity, bigint,
 * undefined), less than structured clone: undefined for what has no literal, such as functions, class instances, cycles.
 * Values may come from another realm.
 */
export function toLiteral(value: unknown): string | undefined {
  return write(value, new Set())
}

function write(value: unknown, above: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : writeObject(value, above)
    default:
      return undefined
  }
}

function writeObject(value: object, above: Set<object>): string | undefined {
  if (above.has(value)) return undefined
  const within = new Set(above).add(value)
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, within))
    return items.includes(undefined) ? undefined : `[${items.join(', ')}]`
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return undefined
  // Map and the like of this realm and others all have one more step between them and Object.prototype's null.
  const entries = Object.entries(value).map(([key, item]) => {
    const text = write(item, within)
    // `__proto__: x` would set the prototype, a computed key does not.
    return text === undefined ? undefined : `${key === '__proto__' ? '["__proto__"]' : JSON.stringify(key)}: ${text}`
  })
  return entries.includes(undefined) ? undefined : entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

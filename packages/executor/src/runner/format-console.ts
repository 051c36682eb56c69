/**
 * Console arguments as one line of text, the way a console shows them: strings as they are, the rest inspected.
 * `cleanStack` is given the stack of each error and gives what is shown of it.
 */
export function formatConsole(args: readonly unknown[], cleanStack: CleanStack): string {
  return args.map((arg) => (typeof arg === 'string' ? arg : inspect(arg, 3, new Set(), cleanStack))).join(' ')
}

type CleanStack = (stack: string) => string

const MOST_ITEMS = 50

function inspect(value: unknown, depth: number, above: Set<object>, cleanStack: CleanStack): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `[function ${value.name || 'anonymous'}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return value.stack === undefined ? String(value) : cleanStack(String(value.stack))
  if (above.has(value)) return '[circular]'
  above.add(value)
  try {
    return inspectObject(value, depth, above, cleanStack)
  } catch {
    return '[cannot be shown]'
  } finally {
    above.delete(value)
  }
}

function inspectObject(value: object, depth: number, above: Set<object>, cleanStack: CleanStack): string {
  const show = (item: unknown): string => inspect(item, depth - 1, above, cleanStack)
  const list = (items: readonly string[], total: number): string =>
    items.join(', ') + (total > items.length ? `, ... ${total - items.length} more` : '')
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = Array.from(value as unknown as ArrayLike<number>).slice(0, MOST_ITEMS)
    const total = (value as unknown as ArrayLike<number>).length
    return `${value.constructor.name}(${total}) [${list(items.map(String), total)}]`
  }
  if (depth === 0) return Array.isArray(value) ? '[...]' : '{...}'
  if (Array.isArray(value)) return `[${list(value.slice(0, MOST_ITEMS).map(show), value.length)}]`
  if (value instanceof Map)
    return `Map(${value.size}) {${list(
      [...value].slice(0, MOST_ITEMS).map(([k, v]) => `${show(k)} => ${show(v)}`),
      value.size,
    )}}`
  if (value instanceof Set) return `Set(${value.size}) {${list([...value].slice(0, MOST_ITEMS).map(show), value.size)}}`
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  if (typeof tag === 'string') return `[${tag}]`
  const keys = Object.keys(value)
  const fields = keys.slice(0, MOST_ITEMS).map((key) => `${key}: ${show((value as Record<string, unknown>)[key])}`)
  const name = Object.getPrototypeOf(value)?.constructor?.name as string | undefined
  return `${name === undefined || name === 'Object' ? '' : `${name} `}{${fields.length === 0 ? '' : ` ${list(fields, keys.length)} `}}`
}

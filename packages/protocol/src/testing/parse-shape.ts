/** What a schema's `shape` says, as a tree. */
export type Shape =
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'bytes'; readonly limit: number; readonly isExact: boolean }
  | { readonly kind: 'string'; readonly limit: number }
  | { readonly kind: 'array'; readonly item: Shape; readonly limit: number }
  | { readonly kind: 'optional'; readonly inner: Shape }
  | { readonly kind: 'oneOf'; readonly words: readonly string[] }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [name: string, shape: Shape])[] }
  | { readonly kind: 'union'; readonly variants: readonly (readonly [type: string, shape: Shape])[] }
  | { readonly kind: 'resources' }
  | { readonly kind: 'value' }

/** Reads the text that `schema.ts` writes. A shape that it does not know is an error: it needs a line here. */
export function parseShape(text: string): Shape {
  let at = 0
  const fail = (what: string): never => {
    throw new Error(`no generator for this shape, ${what} expected: ${text.slice(at, at + 60)}`)
  }
  const eat = (token: string): void => {
    if (!text.startsWith(token, at)) fail(`"${token}"`)
    at += token.length
  }
  const word = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found === undefined) return fail(String(pattern))
    at += found.length
    return found
  }
  const number = (): number => Number(word(/\d+/y))
  const list = <T>(separator: string, end: string, read: () => T): T[] => {
    const items: T[] = []
    while (!text.startsWith(end, at)) {
      if (items.length > 0) eat(separator)
      items.push(read())
    }
    eat(end)
    return items
  }
  function shape(): Shape {
    if (text[at] === '{') {
      eat('{')
      return { kind: 'struct', fields: list(',', '}', () => named(':')) }
    }
    const name = word(/\w+/y)
    switch (name) {
      case 'union':
        eat('(')
        return { kind: 'union', variants: list(';', ')', () => named('=')) }
      case 'oneOf':
        eat('(')
        return { kind: 'oneOf', words: list('|', ')', () => word(/[^|)]+/y)) }
      case 'array': {
        eat('(')
        const item = shape()
        eat(',')
        const limit = number()
        eat(')')
        return { kind: 'array', item, limit }
      }
      case 'optional': {
        eat('(')
        const inner = shape()
        eat(')')
        return { kind: 'optional', inner }
      }
      case 'string':
      case 'bytes': {
        const isExact = text[at] === '['
        eat(isExact ? '[' : '(')
        const limit = number()
        eat(isExact ? ']' : ')')
        return name === 'string' ? { kind: 'string', limit } : { kind: 'bytes', limit, isExact }
      }
      case 'resources':
      case 'value': {
        for (let depth = 0; at < text.length;) {
          if (text[at] === '(') depth++
          else if (text[at] === ')') depth--
          at++
          if (depth === 0) break
        }
        return { kind: name }
      }
      default:
        return { kind: 'named', name }
    }
  }
  function named(separator: string): readonly [string, Shape] {
    const name = word(/[\w.-]+/y)
    eat(separator)
    return [name, shape()]
  }
  const whole = shape()
  if (at !== text.length) fail('the end')
  return whole
}

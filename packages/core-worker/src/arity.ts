/** How many arguments a function takes: at least, and at most (Infinity with a rest parameter or when unknown). */
export type Arity = readonly [min: number, max: number]

type Callable = (...args: never[]) => unknown

/**
 * How many arguments a function takes, without its first `skipped` parameters. The least is JavaScript's own `length`:
 * what stands before the first default or rest parameter. The most is counted in its text, and is Infinity where the text
 * does not show it plainly: a wrong refusal would be worse than none.
 */
export function arityOf(fn: Callable, skipped = 0): Arity {
  const text = Function.prototype.toString.call(fn)
  const most = /\barguments\b/.test(text) ? undefined : countParameters(text, parametersAt(text))
  return shift(fn.length, most, skipped)
}

/** How many arguments a class's constructor takes; an inherited one counts for a class that declares none. */
export function constructorArity(Class: Callable): Arity {
  const text = Function.prototype.toString.call(Class)
  const places = [...text.matchAll(/\bconstructor\s*\(/g)]
  if (places.length === 0) {
    const base: unknown = Object.getPrototypeOf(Class)
    // Function.prototype, of this realm or another, is a function without one above it.
    const isClass = typeof base === 'function' && typeof Object.getPrototypeOf(base) === 'function'
    if (isClass) return constructorArity(base as Callable)
    return [0, text.startsWith('class') ? 0 : Infinity]
  }
  const [place] = places
  const most =
    places.length > 1 || place === undefined ? undefined : countParameters(text, place.index + place[0].length)
  return shift(Class.length, /\barguments\b/.test(text) ? undefined : most, 0)
}

/** @throws TypeError when `count` arguments are not what `name` takes. */
export function checkArity(name: string, arity: Arity | undefined, count: number): void {
  if (arity === undefined) return
  const [min, max] = arity
  if (count >= min && count <= max) return
  const takes = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`
  const remedy = count < min ? '; a parameter that may be left out needs a default value, as in (limit = 10)' : ''
  throw new TypeError(`${name} takes ${takes} argument${takes === '1' ? '' : 's'}, got ${count}${remedy}`)
}

function shift(least: number, most: number | undefined, skipped: number): Arity {
  return [Math.max(0, least - skipped), most === undefined ? Infinity : Math.max(0, most - skipped)]
}

/** Where the parameters begin, behind their parenthesis; undefined for an arrow's bare one and for what is not plain. */
function parametersAt(text: string): number | 'bare' | undefined {
  if (/^(?:async\s+)?[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>/u.test(text)) return 'bare'
  const head = /^(?:async\b\s*)?(?:function\b\s*)?\*?\s*(?:[\p{ID_Start}$_#][\p{ID_Continue}$]*)?\s*\(/u.exec(text)
  return head?.[0].length
}

/** Parameters between `at` and the parenthesis that closes them; undefined with a rest one, or when it is not plain. */
function countParameters(text: string, at: number | 'bare' | undefined): number | undefined {
  if (at === undefined) return undefined
  if (at === 'bare') return 1
  let depth = 1
  let count = 0
  let isEmpty = true
  for (let i = at; i < text.length; i++) {
    const char = text[i] as string
    if (/\s/.test(char)) continue
    // Strings, templates, regular expressions and comments may hold anything: such lists are not counted.
    if ('"\'`/'.includes(char)) return undefined
    if (depth === 1 && text.startsWith('...', i)) return undefined
    if (depth === 1 && char === ',') {
      count++
      isEmpty = true
      continue
    }
    if (')]}'.includes(char) && --depth === 0) return count + (isEmpty ? 0 : 1)
    if ('([{'.includes(char)) depth++
    isEmpty = false
  }
  return undefined
}

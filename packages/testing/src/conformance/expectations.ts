/**
 * Expectations of the conformance cases. They run in test runners and in pages of real browsers alike, so they are
 * written on nothing but the language.
 */

/** @throws Error naming both sides unless they are structurally equal. */
export function equals(actual: unknown, expected: unknown, what = 'the value'): void {
  if (!isEqual(actual, expected)) throw new Error(`${what} is ${show(actual)}; expected ${show(expected)}`)
}

/** @throws Error unless `holds`. */
export function isTrue(holds: boolean, what: string): void {
  if (!holds) throw new Error(`${what} does not hold`)
}

type ErrorKind<E> = abstract new (...args: never[]) => E

/** What the promise rejects with. @throws Error when it does not, or with something else than a `kind`. */
export async function rejection<E extends Error>(promise: Promise<unknown>, kind: ErrorKind<E>): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error(`expected ${kind.name}, and ${show(outcome.value)} came`)
  return mustBe(outcome.error, kind)
}

/** What the call throws. @throws Error when it does not, or something else than a `kind`. */
export function thrown<E extends Error>(call: () => unknown, kind: ErrorKind<E>): E {
  let value: unknown
  try {
    value = call()
  } catch (error) {
    return mustBe(error, kind)
  }
  throw new Error(`expected ${kind.name}, and ${show(value)} came`)
}

/** @throws Error unless `error` is of that kind. */
export function mustBe<E extends Error>(error: unknown, kind: ErrorKind<E>): E {
  if (error instanceof kind) return error
  throw new Error(`expected ${kind.name}, and this came: ${show(error)}`, { cause: error })
}

/** @throws Error unless `text` matches. */
export function matches(text: string | undefined, pattern: RegExp): void {
  if (text === undefined || !pattern.test(text)) throw new Error(`${show(text)} does not match ${String(pattern)}`)
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (a instanceof Map && b instanceof Map) return isEqual([...a], [...b])
  if (a instanceof Set && b instanceof Set) return isEqual([...a], [...b])
  const [keys, others] = [Reflect.ownKeys(a), Reflect.ownKeys(b)]
  if (keys.length !== others.length) return false
  const [left, right] = [a as Record<PropertyKey, unknown>, b as Record<PropertyKey, unknown>]
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(left[key], right[key]))
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  try {
    return (
      JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value)
    ).slice(0, 400)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

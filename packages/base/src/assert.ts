/** A bug in Shoal itself: thrown by the helpers below, never caught, fails the node loudly. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws AssertionError unless `condition` holds. For what a correct program cannot reach, never for a peer's input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The value, or AssertionError when it is null or undefined. */
export function must<T>(value: T | null | undefined, message = 'a value that must exist is missing'): T {
  if (value === null || value === undefined) throw new AssertionError(message)
  return value
}

/** Marks a branch that the type system knows to be impossible. */
export function unreachable(value: never, message = 'unreachable'): never {
  throw new AssertionError(`${message}: ${String(value)}`)
}

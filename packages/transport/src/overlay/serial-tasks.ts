/**
 * Runs asynchronous tasks one after the other for each key, and tasks of different keys at once. Cryptography resolves
 * from a thread pool, in any order; signals of one peer must not overtake each other.
 * Overflow rule: a task past the key's bound, or a key past `keysLimit`, is refused.
 */
export class SerialTasks<Key> {
  readonly #limit: number
  readonly #keysLimit: number
  readonly #onError: (key: Key, error: unknown) => void
  readonly #lines = new Map<Key, { tail: Promise<void>; count: number }>()

  constructor(options: {
    readonly limit: number
    readonly keysLimit: number
    readonly onError: (key: Key, error: unknown) => void
  }) {
    this.#limit = options.limit
    this.#keysLimit = options.keysLimit
    this.#onError = options.onError
  }

  /** False when the task was refused. What it rejects with goes to `onError`. */
  add(key: Key, task: () => Promise<void>): boolean {
    let line = this.#lines.get(key)
    if (line === undefined) {
      if (this.#lines.size >= this.#keysLimit) return false
      line = { tail: Promise.resolve(), count: 0 }
      this.#lines.set(key, line)
    }
    if (line.count >= this.#limit) return false
    line.count++
    line.tail = this.#after(line.tail, key, line, task)
    return true
  }

  async #after(tail: Promise<void>, key: Key, line: { count: number }, task: () => Promise<void>): Promise<void> {
    await tail
    try {
      await task()
    } catch (error) {
      this.#onError(key, error)
    }
    line.count--
    if (line.count === 0) this.#lines.delete(key)
  }
}

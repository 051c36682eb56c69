/** A Map of at most so many entries: past that the one that was neither set nor got for longest is forgotten. */
export class RecentMap<K, V> {
  readonly #limit: number
  /** Oldest first. */
  readonly #entries = new Map<K, V>()
  /** The newest: to get it again changes nothing. */
  #last: K | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined && key !== this.#last) this.#put(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#put(key, value)
    if (this.#entries.size <= this.#limit) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  #put(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#last = key
  }
}

import { assert } from './assert.ts'

/**
 * A first-in first-out queue over a growing ring, O(1) at both ends, with a stated bound.
 * Overflow rule: `push` returns false and leaves the queue as it was; the caller decides what that means.
 */
export class Queue<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(16)
  #head = 0
  #length = 0
  readonly #limit: number

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit
  }

  get length(): number {
    return this.#length
  }

  push(item: T): boolean {
    if (this.#length >= this.#limit) return false
    this.#grow()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item
    this.#length++
    return true
  }

  /** Puts an item back at the front, past the bound too: what was taken may always be given back. */
  unshift(item: T): void {
    this.#grow()
    this.#head = (this.#head - 1) & (this.#ring.length - 1)
    this.#ring[this.#head] = item
    this.#length++
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    if (this.#ring.length > 1024 && this.#length < this.#ring.length / 8) this.#resize(this.#ring.length / 4)
    return item
  }

  /** The item at `index`, counted from the front, goes to the front; the others keep their order. O(index). */
  promote(index: number): void {
    assert(index >= 0 && index < this.#length, 'nothing is there that could go to the front')
    const at = (offset: number): number => (this.#head + offset) & (this.#ring.length - 1)
    const item = this.#ring[at(index)]
    for (let i = index; i > 0; i--) this.#ring[at(i)] = this.#ring[at(i - 1)]
    this.#ring[at(0)] = item
  }

  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T
  }

  clear(): void {
    this.#ring = new Array<T | undefined>(16)
    this.#head = 0
    this.#length = 0
  }

  #grow(): void {
    if (this.#length === this.#ring.length) this.#resize(this.#ring.length * 2)
  }

  #resize(size: number): void {
    assert(size >= this.#length, 'a queue cannot shrink below its length')
    const ring = new Array<T | undefined>(size)
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}

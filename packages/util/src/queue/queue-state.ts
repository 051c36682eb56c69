import { Empty, Full } from './errors.ts'

/** What travels in place of an item: a ref that is an argument by itself would arrive as its value. */
export type Wrapped = readonly [item: unknown]

interface Putter {
  readonly item: Wrapped
  readonly done: () => void
}

/** Past this, timers fire at once; it is 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The queue itself. Whoever waits is served in the order of calls, and an item goes from hand to hand: while somebody waits
 * for items there is none, and while somebody waits for room there is none.
 */
export class QueueState {
  readonly #maxSize: number
  /** In their order; a Set because what is first can be taken out of a large one at once. */
  readonly #items = new Set<Wrapped>()
  readonly #getters = new Set<(item: Wrapped) => void>()
  readonly #putters = new Set<Putter>()

  /** With 0 there is always room. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  /** @throws Full when there is no room within `timeoutMs`. */
  async put(item: Wrapped, timeoutMs: number): Promise<void> {
    if (this.#room() > 0) return this.#add(item)
    const { maxSize } = this.size()
    await waitIn<Putter, undefined>(
      this.#putters,
      (done) => ({ item, done: () => done(undefined) }),
      timeoutMs,
      () => new Full(`no room for one more within ${timeoutMs} ms: the queue holds ${maxSize}`),
    )
  }

  /** @throws Empty when there is no item within `timeoutMs`. */
  async get(timeoutMs: number): Promise<Wrapped> {
    if (this.#items.size > 0) return this.#take()
    return await waitIn<(item: Wrapped) => void, Wrapped>(
      this.#getters,
      (done) => done,
      timeoutMs,
      () => new Empty(`no item within ${timeoutMs} ms`),
    )
  }

  /** All of them or none. @throws Full */
  putBatch(items: readonly unknown[]): void {
    const room = this.#room()
    if (items.length > room) throw new Full(`${items.length} items do not fit: there is room for ${room}`)
    for (const item of items) this.#add([item])
  }

  /** That many or none. @throws Empty */
  getBatch(count: number): readonly unknown[] {
    const { size } = this.#items
    if (count > size) throw new Empty(`${count} items were asked for: there are ${size}`)
    return Array.from({ length: count }, () => this.#take()[0])
  }

  size(): { readonly size: number; readonly maxSize: number } {
    return { size: this.#items.size, maxSize: this.#maxSize }
  }

  #room(): number {
    return this.#maxSize === 0 ? Infinity : this.#maxSize - this.#items.size
  }

  #add(item: Wrapped): void {
    const getter = shift(this.#getters)
    if (getter === undefined) this.#items.add(item)
    else getter(item)
  }

  #take(): Wrapped {
    const item = shift(this.#items)
    if (item === undefined) throw new Error('take() of an empty queue')
    const putter = shift(this.#putters)
    if (putter !== undefined) {
      this.#items.add(putter.item)
      putter.done()
    }
    return item
  }
}

function shift<T>(set: Set<T>): T | undefined {
  for (const first of set) {
    set.delete(first)
    return first
  }
  return undefined
}

/** Stands in `line` until somebody takes the entry out and calls it, or until time is up. */
function waitIn<Entry, T>(
  line: Set<Entry>,
  entryOf: (done: (value: T) => void) => Entry,
  timeoutMs: number,
  tooLate: () => Error,
): Promise<T> {
  if (timeoutMs === 0) throw tooLate()
  return new Promise((resolve, reject) => {
    const entry = entryOf((value) => {
      clearTimeout(timer)
      resolve(value)
    })
    line.add(entry)
    const giveUp = (): void => {
      line.delete(entry)
      reject(tooLate())
    }
    const timer = timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(giveUp, timeoutMs)
  })
}

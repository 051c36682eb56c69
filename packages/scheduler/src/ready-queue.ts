import { Queue } from '@shoal/base'

/** A task that could start now. `key` is whatever the caller names it by. */
export interface ReadyTask<K> {
  readonly key: K
  /** Which measured run time is its own. */
  readonly kind: string
  /** True for guests, which came on a credit, and for own tasks whose code may not leave: they run here or not at all. */
  readonly staysHere: boolean
  /** For another tab, which can have it back while it has not started. */
  readonly isGuest: boolean
  /** Levels below the job's driver; the deepest start first, which bounds suspended parents by slots x depth. */
  readonly depth: number
  /** Never behind another task in one worker: it may be killed, or must not run twice. */
  readonly isExclusive: boolean
  /** Bytes of inputs and where they lie, for placement; empty for most tasks. */
  readonly inputs: readonly { readonly bytes: number; readonly holders: readonly string[] }[]
}

export interface Entry<K> {
  /** Lower came first, whatever its shape. */
  readonly order: number
  readonly task: ReadyTask<K>
}

/** Ready tasks of one shape: deepest first, and first come first served within a depth, own and guests alike. */
export class ReadyQueue<K> {
  readonly #own: Queue<Entry<K>>[] = []
  readonly #guests: Queue<Entry<K>>[] = []
  #ownCount = 0
  #guestCount = 0

  get ownCount(): number {
    return this.#ownCount
  }

  get guestCount(): number {
    return this.#guestCount
  }

  push(task: ReadyTask<K>, order: number): void {
    this.#bucket(task).push({ order, task })
    this.#count(task, 1)
  }

  /** Puts a task back at the front of its depth: it was taken and given back. */
  unshift(task: ReadyTask<K>): void {
    this.#bucket(task).unshift({ order: 0, task })
    this.#count(task, 1)
  }

  /** The deepest; within a depth the one that came first. */
  peek(): Entry<K> | undefined {
    return this.#front()?.peek()
  }

  peekOwn(): Entry<K> | undefined {
    return deepest(this.#own)?.peek()
  }

  /** Of those that stay here. */
  peekGuest(): Entry<K> | undefined {
    return deepest(this.#guests)?.peek()
  }

  /**
   * Of the deepest own tasks the first that matches goes ahead of the others, if it is among the next `most`. False when
   * there is none, or it is the first anyway.
   */
  promoteOwn(most: number, matches: (task: ReadyTask<K>) => boolean): boolean {
    const bucket = deepest(this.#own)
    let index = 0
    for (const { task } of bucket ?? []) {
      if (index >= most) return false
      if (matches(task)) {
        if (index > 0) bucket?.promote(index)
        return index > 0
      }
      index++
    }
    return false
  }

  shiftOwn(): ReadyTask<K> | undefined {
    return this.#shift(this.#own)
  }

  shiftGuest(): ReadyTask<K> | undefined {
    return this.#shift(this.#guests)
  }

  /** All of them in the order in which they will start. */
  *entries(): Generator<Entry<K>> {
    for (let depth = Math.max(this.#own.length, this.#guests.length) - 1; depth >= 0; depth--) {
      const [own, guests] = [
        (this.#own[depth] ?? [])[Symbol.iterator](),
        (this.#guests[depth] ?? [])[Symbol.iterator](),
      ]
      let [first, second] = [own.next(), guests.next()]
      while (first.done !== true || second.done !== true) {
        if (second.done === true || (first.done !== true && first.value.order < second.value.order)) {
          yield first.value as Entry<K>
          first = own.next()
        } else {
          yield second.value
          second = guests.next()
        }
      }
    }
  }

  /** Takes out what matches, in one pass: for cancelled and recalled tasks and those that nobody waits for. */
  takeWhere(matches: (task: ReadyTask<K>) => boolean): ReadyTask<K>[] {
    const taken: ReadyTask<K>[] = []
    for (const buckets of [this.#own, this.#guests])
      for (const bucket of buckets) {
        const kept: Entry<K>[] = []
        const before = taken.length
        for (const entry of bucket) {
          if (matches(entry.task)) taken.push(entry.task)
          else kept.push(entry)
        }
        if (taken.length === before) continue
        bucket.clear()
        for (const entry of kept) bucket.push(entry)
      }
    for (const task of taken) this.#count(task, -1)
    return taken
  }

  #shift(buckets: readonly Queue<Entry<K>>[]): ReadyTask<K> | undefined {
    const task = deepest(buckets)?.shift()?.task
    if (task) this.#count(task, -1)
    return task
  }

  #front(): Queue<Entry<K>> | undefined {
    for (let depth = Math.max(this.#own.length, this.#guests.length) - 1; depth >= 0; depth--) {
      const own = this.#own[depth]?.peek()
      const guest = this.#guests[depth]?.peek()
      if (own && (!guest || own.order < guest.order)) return this.#own[depth]
      if (guest) return this.#guests[depth]
    }
    return undefined
  }

  #bucket(task: ReadyTask<K>): Queue<Entry<K>> {
    const buckets = task.staysHere ? this.#guests : this.#own
    while (buckets.length <= task.depth) buckets.push(new Queue())
    return buckets[task.depth] as Queue<Entry<K>>
  }

  #count(task: ReadyTask<K>, change: number): void {
    if (task.staysHere) this.#guestCount += change
    else this.#ownCount += change
  }
}

function deepest<K>(buckets: readonly Queue<Entry<K>>[]): Queue<Entry<K>> | undefined {
  for (let depth = buckets.length - 1; depth >= 0; depth--) if ((buckets[depth]?.length ?? 0) > 0) return buckets[depth]
  return undefined
}

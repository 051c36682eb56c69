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
  /** Of a job whose driver is another tab: a guest, or a child of one, which its tab owns. What a tab lends limits it. */
  readonly isOthers?: boolean
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

type Family<K> = Queue<Entry<K>>[]

/**
 * Ready tasks of one shape: deepest first, and first come first served within a depth, all alike. Within it they are kept
 * apart by whether they may leave and whose they are, so that what has to wait holds up nothing else.
 */
export class ReadyQueue<K> {
  readonly #ownThatLeave: Family<K> = []
  readonly #othersThatLeave: Family<K> = []
  readonly #ownThatStay: Family<K> = []
  readonly #othersThatStay: Family<K> = []
  readonly #all = [this.#ownThatLeave, this.#othersThatLeave, this.#ownThatStay, this.#othersThatStay]
  readonly #own = [this.#ownThatLeave, this.#ownThatStay]
  readonly #leaving = [this.#ownThatLeave, this.#othersThatLeave]
  readonly #staying = [this.#ownThatStay, this.#othersThatStay]
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

  /** The deepest; within a depth the one that came first. Without `others`, of those of this tab's own job. */
  peek(others = true): Entry<K> | undefined {
    return front(others ? this.#all : this.#own)
  }

  /** Of those that may leave. */
  peekOwn(): Entry<K> | undefined {
    return front(this.#leaving)
  }

  /** Of those that stay here. */
  peekGuest(others = true): Entry<K> | undefined {
    return others ? front(this.#staying) : deepest(this.#ownThatStay)?.peek()
  }

  /**
   * Of those beside a task that is at the front the first that matches goes ahead of it, if it is among the next `most`.
   * False when there is none, or it is the first anyway.
   */
  promoteBeside(first: ReadyTask<K>, most: number, matches: (task: ReadyTask<K>) => boolean): boolean {
    const bucket = this.#bucket(first)
    let index = 0
    for (const { task } of bucket) {
      if (index >= most) return false
      if (matches(task)) {
        if (index > 0) bucket.promote(index)
        return index > 0
      }
      index++
    }
    return false
  }

  /** Takes what is at the front where that task was found. */
  shiftBeside(first: ReadyTask<K>): ReadyTask<K> | undefined {
    const task = this.#bucket(first).shift()?.task
    if (task) this.#count(task, -1)
    return task
  }

  /** All of them in the order in which they will start. */
  *entries(): Generator<Entry<K>> {
    const most = Math.max(...this.#all.map(({ length }) => length))
    for (let depth = most - 1; depth >= 0; depth--) {
      const level = this.#all.flatMap((family) => [...(family[depth] ?? [])])
      yield* level.sort((a, b) => a.order - b.order)
    }
  }

  /** Takes out what matches, in one pass: for cancelled and recalled tasks and those that nobody waits for. */
  takeWhere(matches: (task: ReadyTask<K>) => boolean): ReadyTask<K>[] {
    const taken: ReadyTask<K>[] = []
    for (const family of this.#all)
      for (const bucket of family) {
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

  #bucket({ staysHere, isOthers, depth }: ReadyTask<K>): Queue<Entry<K>> {
    const family =
      isOthers === true
        ? staysHere
          ? this.#othersThatStay
          : this.#othersThatLeave
        : staysHere
          ? this.#ownThatStay
          : this.#ownThatLeave
    while (family.length <= depth) family.push(new Queue())
    return family[depth] as Queue<Entry<K>>
  }

  #count(task: ReadyTask<K>, change: number): void {
    if (task.staysHere) this.#guestCount += change
    else this.#ownCount += change
  }
}

function deepest<K>(family: Family<K>): Queue<Entry<K>> | undefined {
  for (let depth = family.length - 1; depth >= 0; depth--) if ((family[depth]?.length ?? 0) > 0) return family[depth]
  return undefined
}

function front<K>(families: readonly Family<K>[]): Entry<K> | undefined {
  let best: Entry<K> | undefined
  for (const family of families) {
    const entry = deepest(family)?.peek()
    if (entry !== undefined && (best === undefined || isBefore(entry, best))) best = entry
  }
  return best
}

/** Deepest first, then first come first served. */
export function isBefore<K>(a: Entry<K>, b: Entry<K>): boolean {
  return a.task.depth > b.task.depth || (a.task.depth === b.task.depth && a.order < b.order)
}

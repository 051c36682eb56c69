/** What was read of a ring from a number on. */
export interface RingPart {
  /** To be read from next time. */
  readonly next: number
  /** Of those asked for, what is not there any more. */
  readonly dropped: number
  /** What is there and was not taken. */
  readonly left: number
}

export interface EventRing<T> {
  /** The next one gets a number of at least this: what has gone by unseen has numbers too. */
  skipTo(number: number): void
  add(event: T): void
  /** Oldest first from `from` on, until `take` says that there is no room. */
  read(from: number, take: (event: T) => boolean): RingPart
  /** Forgets all; numbers go on. */
  clear(): void
}

/** The newest events, numbered from 0 on: the oldest is overwritten. */
export function eventRing<T>(most: number): EventRing<T> {
  let events: T[] = []
  let first = 0
  let next = 0
  return {
    skipTo(number) {
      if (number <= next) return
      events = []
      first = next = number
    },
    add(event) {
      events[next % most] = event
      next++
      first = Math.max(first, next - most)
    },
    read(from, take) {
      // A number from the future is another life's.
      const asked = from > next ? 0 : from
      let at = Math.max(asked, first)
      const dropped = at - asked
      for (; at < next; at++) if (!take(events[at % most] as T)) break
      return { next: at, dropped, left: next - at }
    },
    clear() {
      events = []
      first = next
    },
  }
}

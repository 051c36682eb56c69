import { Queue } from '@shoal/base'
import type { ActorOptionsRecord, ObjectId } from '@shoal/protocol'

/** A call that has a place in its group, or waits for one. */
export interface GroupedCall {
  readonly id: ObjectId
  /** Begins it, or ends it without; `over` is to be called once, when it has ended. */
  begin(over: () => void): void
  /** Ends it as cancelled, while it waits. */
  cancel(): void
}

interface Group {
  readonly limit: number
  running: number
  readonly waiting: Queue<GroupedCall>
}

/** Undefined for an actor without groups, whose calls wait in its worker. */
export function createCallGroups(options: ActorOptionsRecord | undefined): CallGroups | undefined {
  return options === undefined || options.facts.groups.length === 0 ? undefined : new CallGroups(options)
}

/**
 * How many calls of an actor run at a time, by its concurrency groups: the first is that of all calls that are in none. Past
 * its limit a group's calls wait here, in the order in which they came, since its worker knows of no groups.
 */
export class CallGroups {
  readonly #groups: readonly Group[]

  constructor({ maxConcurrency, facts }: Pick<ActorOptionsRecord, 'maxConcurrency' | 'facts'>) {
    const limits = [maxConcurrency, ...facts.groups.map(({ limit }) => limit)]
    this.#groups = limits.map((limit) => ({ limit, running: 0, waiting: new Queue<GroupedCall>() }))
  }

  get length(): number {
    return this.#groups.reduce((sum, { waiting }) => sum + waiting.length, 0)
  }

  /** A group that there is not is that of all others: the caller's word alone gives no room. */
  enter(place: number, call: GroupedCall): void {
    const group = this.#groups[place] ?? this.#groups[0]
    group?.waiting.push(call)
    if (group !== undefined) this.#next(group)
  }

  /** Ends a call that waits; false when it does not. */
  cancel(id: ObjectId): boolean {
    for (const { waiting } of this.#groups) {
      const taken = [...waiting].find((call) => call.id.number === id.number && call.id.owner === id.owner)
      if (taken === undefined) continue
      const rest = [...waiting].filter((call) => call !== taken)
      waiting.clear()
      for (const call of rest) waiting.push(call)
      taken.cancel()
      return true
    }
    return false
  }

  /** The actor is gone: those that wait are begun, and find that out. */
  close(): void {
    for (const { waiting } of this.#groups)
      for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) call.begin(() => undefined)
  }

  #next(group: Group): void {
    while (group.running < group.limit) {
      const call = group.waiting.shift()
      if (call === undefined) return
      group.running++
      call.begin(() => {
        group.running--
        this.#next(group)
      })
    }
  }
}

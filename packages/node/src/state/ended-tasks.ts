import { FIRST_ATTEMPT } from '@shoal/protocol'
import type { Attempt, JobId, NodeId, ObjectId, PlacedRef, ResourceSet, TaskRow, WireError } from '@shoal/protocol'

/** What is remembered of an attempt that has ended. */
export interface EndedTask {
  number: number
  name: string
  resources: ResourceSet
  type: TaskRow['type']
  job: JobId
  parent: ObjectId | undefined
  actor: ObjectId | undefined
  attempt: Attempt
  /** Where it ran; undefined where it never began. */
  node: NodeId | undefined
  /** These three as `BatchTime` counts. */
  createdAtMs: number
  startedAtMs: number | undefined
  endedAtMs: number
  errorType: string | undefined
  errorMessage: string | undefined
}

/** Attempts of one function that have ended, since the session began. */
export interface EndedCounts {
  readonly name: string
  readonly type: TaskRow['type']
  finished: number
  failed: number
}

/** What of a task the record is made of. */
export interface EndingTask {
  readonly number: number
  readonly job: JobId
  readonly attempt?: Attempt
  readonly createdAtMs: number
  readonly startedAtMs: number | undefined
  readonly parent?: ObjectId | undefined
  readonly actor?: ObjectId | undefined
  /** What it was given, for who watches. */
  readonly dependencies?: readonly PlacedRef[]
  readonly args?: { readonly refs: readonly ObjectId[] }
  readonly numReturns?: number
}

/** The function: tasks of one have the same object, so that they are counted without a look-up. */
export interface EndingKind {
  readonly name: string
  readonly resources: ResourceSet
  readonly numReturns?: number
}

export const MOST_ENDED = 1_000
/** Functions that are counted by name; those past it are counted together. */
const MOST_NAMES = 1_000
const OTHERS = '(others)'
const MOST_CHARACTERS = 2_000

/**
 * The last attempts of one ledger that have ended, and how many there were of each function: a ring whose places are used
 * again, since this is on the way of every task. It keeps nothing of what tasks were given or gave.
 */
export class EndedTasks {
  /** Told of each, while somebody watches. */
  watch: ((...attempt: Parameters<EndedTasks['add']>) => void) | undefined
  readonly #now: () => number
  readonly #ring: EndedTask[] = []
  readonly #counts = new Map<TaskRow['type'], Map<string, EndedCounts>>()
  #lastKind: EndingKind | undefined
  #lastType: TaskRow['type'] | undefined
  #lastCounts: EndedCounts | undefined
  #total = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** All that ended, remembered or not. */
  get total(): number {
    return this.#total
  }

  add(
    task: EndingTask,
    kind: EndingKind,
    type: TaskRow['type'],
    node: NodeId | undefined,
    error: WireError | undefined,
  ): void {
    const counts = this.#countsOf(kind, type)
    if (error === undefined) counts.finished++
    else counts.failed++
    this.watch?.(task, kind, type, node, error)
    const place = this.#total++ % MOST_ENDED
    const entry = this.#ring[place]
    if (entry === undefined) {
      this.#ring.push({
        number: task.number,
        name: kind.name,
        resources: kind.resources,
        type,
        job: task.job,
        parent: task.parent,
        actor: task.actor,
        attempt: task.attempt ?? FIRST_ATTEMPT,
        node,
        createdAtMs: task.createdAtMs,
        startedAtMs: task.startedAtMs,
        endedAtMs: this.#now(),
        errorType: error?.code,
        errorMessage: error && textOf(error),
      })
      return
    }
    entry.number = task.number
    entry.name = kind.name
    entry.resources = kind.resources
    entry.type = type
    entry.job = task.job
    entry.parent = task.parent
    entry.actor = task.actor
    entry.attempt = task.attempt ?? FIRST_ATTEMPT
    entry.node = node
    entry.createdAtMs = task.createdAtMs
    entry.startedAtMs = task.startedAtMs
    entry.endedAtMs = this.#now()
    entry.errorType = error?.code
    entry.errorMessage = error && textOf(error)
  }

  /** Newest first. */
  *newest(): Generator<Readonly<EndedTask>> {
    const { length } = this.#ring
    for (let back = 1; back <= length; back++) {
      const entry = this.#ring[(this.#total - back) % MOST_ENDED]
      if (entry !== undefined) yield entry
    }
  }

  *counts(): Generator<Readonly<EndedCounts>> {
    for (const byName of this.#counts.values()) yield* byName.values()
  }

  #countsOf(kind: EndingKind, type: TaskRow['type']): EndedCounts {
    if (this.#lastKind === kind && this.#lastType === type && this.#lastCounts !== undefined) return this.#lastCounts
    let byName = this.#counts.get(type)
    if (byName === undefined) {
      byName = new Map()
      this.#counts.set(type, byName)
    }
    const name = byName.has(kind.name) || byName.size < MOST_NAMES ? kind.name : OTHERS
    let counts = byName.get(name)
    if (counts === undefined) {
      counts = { name, type, finished: 0, failed: 0 }
      byName.set(name, counts)
    }
    this.#lastKind = kind
    this.#lastType = type
    this.#lastCounts = counts
    return counts
  }
}

function textOf({ message, argumentOf = '' }: WireError): string {
  const text = argumentOf + message
  if (text.length <= MOST_CHARACTERS) return text
  // A part of a text keeps all of it alive; put together anew it does not.
  return [...text.slice(0, MOST_CHARACTERS)].join('')
}

import { formatObjectId } from '@shoal/protocol'
import type { Attempt, ObjectId, RunFact } from '@shoal/protocol'
import type { GuestRequest } from '../guests.ts'
import type { Work } from '../work.ts'
import type { Worker } from '../workers.ts'

export type Step = Pick<RunFact, 'step' | 'ahead' | 'workerId'>

/** What waits for a slot here, as the scheduler tells. */
export interface Waiting {
  readonly task: { readonly key: Work; readonly staysHere: boolean; readonly isGuest: boolean }
  readonly ahead: number
}

/** Of a longer queue nobody wants to know the place of each. */
const MOST_WAITING = 20_000

/**
 * Where in this tab each attempt is at one moment: in a worker, in the queue, or waiting for its code. Made for one question
 * and thrown away.
 */
export class RunIndex {
  readonly #steps = new Map<string, Step>()
  readonly #queued = new Map<string, Waiting>()
  readonly facts: RunFact[] = []

  constructor(workers: Iterable<Worker>, waiting: Iterable<Waiting>, guests: Iterable<GuestRequest>) {
    for (const worker of workers) this.#addWorker(worker)
    let count = 0
    for (const entry of waiting) {
      if (++count > MOST_WAITING) break
      const { key } = entry.task
      if (!key.isGuest) this.#queued.set(keyOf(key.id, key.attempt), entry)
      this.#add(key.id, key.attempt, { step: 'queued', ahead: entry.ahead, workerId: undefined }, key.isGuest)
    }
    for (const { owner, number, attempt, template } of guests) {
      const id = { owner, number }
      if (this.of(id, attempt) !== undefined) continue
      // Calls have no template: what keeps one from its worker is its arguments, or those of a call before it.
      const step = template === 0 ? 'fetching' : 'code'
      this.#add(id, attempt, { step, ahead: 0, workerId: undefined }, true)
    }
  }

  of(id: ObjectId, attempt: Attempt): Step | undefined {
    return this.#steps.get(keyOf(id, attempt))
  }

  /** Own work that waits for a slot or a credit. */
  queued(id: ObjectId, attempt: Attempt): Waiting | undefined {
    return this.#queued.get(keyOf(id, attempt))
  }

  #addWorker({ runs, submitter, isActor }: Worker): void {
    const workerId = submitter.number
    let ahead = 0
    for (const { work, isSent } of runs.values()) {
      const isFirst = ahead === 0
      const waits = !isActor && submitter.isOwed
      const step = !isSent ? 'fetching' : !isFirst ? 'behind' : waits ? 'waiting' : 'running'
      this.#add(work.id, work.attempt, { step, ahead: step === 'behind' ? ahead : 0, workerId }, work.isGuest)
      if (isSent) ahead++
    }
  }

  #add(task: ObjectId, attempt: Attempt, step: Step, isGuest: boolean): void {
    this.#steps.set(keyOf(task, attempt), step)
    if (isGuest) this.facts.push({ task, attempt, ...step })
  }
}

export function keyOf(id: ObjectId, { epoch, number }: Attempt): string {
  return `${formatObjectId(id)} ${epoch}.${number}`
}

import type { EndedAttempt, TaskState } from '@shoal/sdk'

export interface FailedAttempt {
  readonly attempt: number
  readonly nodeId: string | undefined
  readonly errorType: string
  readonly errorMessage: string
  readonly endMs: number
}

export interface Rerun {
  readonly attempt: number
  readonly nodeId: string
  readonly outcome: string
  readonly endMs: number
}

/** A task of which an attempt failed, or that was run again. */
export interface Trouble {
  readonly taskId: string
  readonly name: string
  readonly failed: FailedAttempt[]
  readonly reruns: Rerun[]
  lastMs: number
}

const MOST_TASKS = 1_000
const MOST_ATTEMPTS = 20

/** What failed and what was run again for it, newest first; the oldest make room, counted. */
export class FailureLog {
  readonly #tasks = new Map<string, Trouble>()
  readonly #most: number
  /** All failed attempts that were told of, and all runs that were not a task's first. */
  failures = 0
  reruns = 0
  removed = 0

  constructor(most = MOST_TASKS) {
    this.#most = most
  }

  get size(): number {
    return this.#tasks.size
  }

  newest(): Trouble[] {
    return [...this.#tasks.values()].sort((a, b) => b.lastMs - a.lastMs)
  }

  ended({ taskId, name, attempt, nodeId, errorType, errorMessage = '', endTimeMs }: EndedAttempt): void {
    if (errorType !== undefined)
      this.#fail(taskId, name, { attempt, nodeId, errorType, errorMessage, endMs: endTimeMs })
  }

  /** From before anybody looked. */
  remembered({ taskId, name, attempt, nodeId, errorType, errorMessage = '', endTimeMs = 0 }: TaskState): void {
    if (errorType !== undefined)
      this.#fail(taskId, name, { attempt, nodeId, errorType, errorMessage, endMs: endTimeMs })
  }

  /** A run that is not the task's first: its result was lost, or the one before it failed. */
  ranAgain(taskId: string, name: string, rerun: Rerun): void {
    const task = this.#taskOf(taskId, name, rerun.endMs)
    if (task.reruns.some(({ attempt, endMs }) => attempt === rerun.attempt && endMs === rerun.endMs)) return
    this.reruns++
    task.reruns.push(rerun)
    if (task.reruns.length > MOST_ATTEMPTS) task.reruns.shift()
  }

  #fail(taskId: string, name: string, failed: FailedAttempt): void {
    const task = this.#taskOf(taskId, name, failed.endMs)
    if (task.failed.some(({ attempt, errorType }) => attempt === failed.attempt && errorType === failed.errorType))
      return
    this.failures++
    task.failed.push(failed)
    if (task.failed.length > MOST_ATTEMPTS) task.failed.shift()
  }

  #taskOf(taskId: string, name: string, atMs: number): Trouble {
    let task = this.#tasks.get(taskId)
    if (task === undefined) {
      task = { taskId, name, failed: [], reruns: [], lastMs: atMs }
      this.#tasks.set(taskId, task)
      if (this.#tasks.size > this.#most) {
        const [oldest] = this.#tasks.keys()
        if (oldest !== undefined) this.#tasks.delete(oldest)
        this.removed++
      }
    }
    task.lastMs = Math.max(task.lastMs, atMs)
    return task
  }
}

import { formatObjectId, newWireError, showId } from '@shoal/protocol'
import type { ObjectId, WireError } from '@shoal/protocol'

/** How a task is cancelled: its worker is ended; so is what it has submitted, and what that has. */
export interface Cancelling {
  readonly isForced: boolean
  readonly isRecursive: boolean
}

/** What stands for a task that was cancelled before it began, or that ended because of it. */
export function taskCancelled(task: ObjectId, taskName: string): WireError {
  return newWireError('task-cancelled', `the task ${taskName} (${showId(task)}) was cancelled`, {
    taskId: formatObjectId(task),
    taskName,
  })
}

/** As in Ray: of a task that had begun, and was cancelled with force. */
export function workerEnded(task: ObjectId, taskName: string): WireError {
  const message = `the worker that ran ${taskName} (${showId(task)}) was ended: the task was cancelled with force`
  return newWireError('worker-crashed', message, { taskId: formatObjectId(task), taskName })
}

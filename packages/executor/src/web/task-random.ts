import { seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { THIS_NODE } from '@shoal/protocol'
import type { NodeId, TaskId } from '@shoal/protocol'

/**
 * `Math.random` that a task's id decides, so that running the task again, here or on another node, gives the same value.
 * Seeds only when a task asks for the first number: most never do.
 */
export class TaskRandom {
  readonly #nodeId: NodeId
  #task: TaskId | undefined
  #random: Random | undefined

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId
  }

  /** Later numbers are those of this task. */
  begin(task: TaskId): void {
    this.#task = task
    this.#random = undefined
  }

  /** A number in [0, 1). */
  float(): number {
    this.#random ??= seededRandom(this.#task === undefined ? 0 : seedOf(this.#task, this.#nodeId))
    return this.#random.float()
  }
}

/** FNV-1a over the id's text, 32 bits; the owner is written out, as other nodes know it. */
function seedOf(task: TaskId, nodeId: NodeId): number {
  const text = `${task.owner === THIS_NODE ? nodeId : task.owner}/${task.number}`
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

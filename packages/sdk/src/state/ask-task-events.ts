import type { CheckedQuestion, TaskEventBatch, TaskEvents, TaskEventsCursor } from '@shoal/core-worker'
import type { StateRows } from '@shoal/node'

/** What `listTaskEvents` takes. */
export interface TaskEventsOptions {
  /** `cursor` of the last answer. Without it: all that the tabs still know. */
  readonly since?: TaskEventsCursor
  /** How long the room's tabs have to answer; who has not is in `missing`. Default: 5,000. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 5_000

export async function askTaskEvents(
  ask: (question: CheckedQuestion) => Promise<StateRows>,
  { since = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: TaskEventsOptions = {},
): Promise<TaskEvents> {
  if (typeof timeoutMs !== 'number' || !Number.isInteger(timeoutMs) || timeoutMs < 1)
    throw new RangeError(`timeoutMs must be a whole number from 1 on, got ${String(timeoutMs)}`)
  const all = { id: undefined, filters: [], limit: 10_000, detail: false }
  const { rows, missing, warnings } = await ask({ kind: 'taskEvents', ...all, timeoutMs, since })
  const batches = rows as readonly TaskEventBatch[]
  const cursor: Record<string, TaskEventBatch['next']> = {}
  const gone: string[] = []
  for (const [node, read] of Object.entries(since)) {
    if (missing.includes(node as (typeof missing)[number])) cursor[node] = read
    else if (!batches.some(({ nodeId }) => nodeId === node)) gone.push(node)
  }
  for (const { nodeId, next } of batches) cursor[nodeId] = next
  return { cursor, batches, gone, missing, warnings: [...warnings, ...gone.map(goneWords)] }
}

function goneWords(node: string): string {
  return `tab ${node.slice(0, 8)} is gone: what it ran since it last answered is not here`
}

import { formatObjectId, LIMITS } from '@shoal/protocol'
import type { NodeId, ObjectId, WorkerRow } from '@shoal/protocol'
import type { Worker } from '../workers.ts'
import { cutName } from './cut.ts'

/** A worker of this tab. */
export function workerRow(self: NodeId, worker: Worker, actor: ObjectId | undefined): WorkerRow {
  const runs = [...worker.runs.values()]
  return {
    workerId: worker.submitter.number,
    nodeId: self,
    state: worker.isActor ? 'ACTOR' : runs.length > 0 ? 'BUSY' : 'IDLE',
    actorId: actor && formatObjectId(actor),
    runs: runs.slice(0, LIMITS.stateRuns).map(({ work }) => ({
      taskId: formatObjectId(work.id),
      name: cutName(work.kind === 'actor-call' ? `${work.template.name}.${work.method}` : work.template.name),
    })),
    numRuns: runs.length,
  }
}

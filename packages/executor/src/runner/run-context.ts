import { contentOf, makeHandle, methodRecord, methodsOf } from '@shoal/core-worker'
import type { CoreWorker, RuntimeContext } from '@shoal/core-worker'
import { formatJobId, fromResourceSet } from '@shoal/protocol'
import { roomIdOf } from './room-id.ts'
import type { SecondStageHost } from './second-stage.ts'

type Host = Pick<SecondStageHost, 'nodeId' | 'workerId' | 'current' | 'birth' | 'actorClass' | 'isCancelled'>

/** What a run's `context()` says. After an await of an actor whose calls interleave, of the call that began last. */
export function createRunContext(host: Host, core: CoreWorker, signal: AbortSignal): RuntimeContext {
  const { nodeId, workerId } = host
  const run = host.current()
  const birth = host.birth()
  const template = run?.template ?? birth?.template
  return {
    nodeId,
    workerId,
    jobId: template === undefined ? '' : formatJobId(template.job),
    taskId: run && roomIdOf(run.task, nodeId),
    taskName: run?.template.name,
    attempt: run?.attempt ?? 0,
    signal,
    get isCancelled() {
      return run !== undefined && host.isCancelled(run)
    },
    namespace: template?.namespace ?? '',
    placementGroupId: template?.group === '' ? undefined : template?.group,
    resources: fromResourceSet(template?.resources ?? []),
    actorId: birth && roomIdOf(birth.task, nodeId),
    actorName: birth?.template.actor?.registered?.name,
    wasRestarted: (birth?.attempt ?? 0) > 0,
    get currentActor() {
      const ActorClass = host.actorClass()
      if (birth === undefined || ActorClass === undefined) return undefined
      const facts = {
        className: birth.template.name,
        methods: methodsOf(ActorClass).map(methodRecord),
        maxTaskRetries: birth.template.actor?.maxTaskRetries ?? 0,
        maxPendingCalls: Infinity,
        checkpointEveryCalls: 0,
        groups: birth.template.actor?.groups ?? [],
      }
      return makeHandle<Record<string, (...args: never[]) => unknown>>(contentOf(core.weakRef(birth.task), facts), core)
    },
  }
}

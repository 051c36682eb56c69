import { formatJobId, formatObjectId, messageOf } from '@shoal/protocol'
import type { ActorRow, HostFact, ObjectId, TaskRow } from '@shoal/protocol'
import { cut, cutName, MOST_TEXT } from './cut.ts'
import { needsShown, refined } from './task-rows.ts'
import type { TaskRowPorts } from './task-rows.ts'
import type { ActorsView, ActorView, CallView, HostedView } from './views.ts'

/** An actor that this tab answers for. */
export function actorRow(
  actor: ActorView,
  hosted: HostedView | undefined,
  actors: Pick<ActorsView, 'birthOf' | 'birthplaceOf'>,
  ports: TaskRowPorts,
): ActorRow {
  const { id, place, made } = actor
  const job = made?.job ?? hosted?.template.job
  const fact = hosted && hostFact(hosted)
  const born = birth(actor, actors, ports)
  return {
    actorId: formatObjectId(id),
    className: made?.definition.name ?? fact?.className ?? '',
    name: actor.name,
    jobId: job ? formatJobId(job) : '',
    ownerId: id.owner,
    // Of one that does not live yet, where it is to be born.
    nodeId: place.kind === 'alive' ? place.node : born?.nodeId,
    workerId: fact?.workerId,
    numRestarts: actor.restarts,
    pendingCalls: fact?.pendingCalls ?? 0,
    requiredResources: made?.definition.held ?? hosted?.template.held ?? [],
    deathCause: place.kind === 'dead' ? cut(messageOf(place.error), MOST_TEXT) : undefined,
    ...stateOf(actor, born),
  }
}

/** The task that makes an actor, as long as it does. */
export function birthRow(
  actor: ActorView,
  actors: Pick<ActorsView, 'birthOf' | 'birthplaceOf'>,
  ports: TaskRowPorts,
): TaskRow | undefined {
  const { id, made, incarnation } = actor
  const born = birth(actor, actors, ports)
  if (made === undefined || born === undefined) return undefined
  return {
    taskId: formatObjectId(id),
    name: made.definition.name,
    type: 'ACTOR_CREATION_TASK',
    jobId: formatJobId(made.job),
    ownerId: id.owner,
    attempt: incarnation.number,
    epoch: incarnation.epoch,
    parentTaskId: undefined,
    actorId: formatObjectId(id),
    requiredResources: made.definition.resources,
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: ports.toEpochMs(made.createdAtMs),
    startTimeMs: undefined,
    endTimeMs: undefined,
    dependencies: [],
    ...born,
  }
}

/** A call of this tab's without an outcome. */
export function callRow(call: CallView, place: ActorView['place'] | undefined, ports: TaskRowPorts): TaskRow {
  const { self } = ports
  const id = { owner: self, number: call.number }
  return {
    taskId: formatObjectId(id),
    name: cutName(call.name),
    type: 'ACTOR_TASK',
    jobId: formatJobId(call.job),
    ownerId: self,
    attempt: call.attempt.number,
    epoch: call.attempt.epoch,
    parentTaskId: undefined,
    actorId: formatObjectId(call.actor),
    requiredResources: [],
    errorType: undefined,
    errorMessage: undefined,
    creationTimeMs: ports.toEpochMs(call.createdAtMs),
    startTimeMs: call.startedAtMs === undefined ? undefined : ports.toEpochMs(call.startedAtMs),
    endTimeMs: undefined,
    dependencies: needsShown(call, ports),
    ...callPlace(id, call, place, ports),
  }
}

export function hostFact({ id, template, worker, callers, groups }: HostedView): HostFact {
  let pendingCalls = worker.runs.size + (groups?.length ?? 0)
  for (const { length } of callers.values()) pendingCalls += length
  return { actor: id, className: template.name, workerId: worker.submitter.number, pendingCalls }
}

type Place = Pick<TaskRow, 'state' | 'nodeId' | 'workerId' | 'pendingReason'>

function callPlace(id: ObjectId, call: CallView, place: ActorView['place'] | undefined, ports: TaskRowPorts): Place {
  const { words, runs, self } = ports
  if (call.startedAtMs !== undefined) {
    const node = call.sentTo ?? self
    const step = node === self ? (runs.of(id, call.attempt) ?? FETCHING) : undefined
    return refined(step, node, words.step(step, node))
  }
  const nowhere = { nodeId: undefined, workerId: undefined }
  const argument = words.argument(call.dependencies)
  if (argument !== undefined) return { ...nowhere, state: 'PENDING_ARGS_AVAIL', pendingReason: argument }
  const pendingReason = place?.kind === 'alive' ? 'waits for the calls before it' : 'waits for its actor to be alive'
  return { ...nowhere, state: 'PENDING_NODE_ASSIGNMENT', pendingReason }
}

/** A call that was begun here and is in no worker yet. */
const FETCHING = { step: 'fetching', ahead: 0, workerId: undefined } as const

/** Where an own actor is on its way to life; undefined when it is there, or dead, or another ledger's. */
function birth(
  { id, place, made }: ActorView,
  actors: Pick<ActorsView, 'birthOf' | 'birthplaceOf'>,
  { runs, words, self }: TaskRowPorts,
): Place | undefined {
  if (place.kind !== 'pending' || made === undefined) return undefined
  const nowhere = { nodeId: undefined, workerId: undefined }
  const work = actors.birthOf(id)
  if (work === undefined) {
    const argument = words.argument(made.dependencies)
    if (argument !== undefined) return { ...nowhere, state: 'PENDING_ARGS_AVAIL', pendingReason: argument }
    return { ...nowhere, state: 'PENDING_NODE_ASSIGNMENT', pendingReason: words.code(made.code) }
  }
  const at = actors.birthplaceOf(id)
  if (at !== undefined) return refined(undefined, at, words.step(undefined, at))
  const queued = runs.queued(id, work.attempt)
  const step = runs.of(id, work.attempt)
  if (queued !== undefined || step === undefined)
    return { ...nowhere, state: 'PENDING_NODE_ASSIGNMENT', pendingReason: words.queued(made.definition, queued) }
  return refined(step, self, words.step(step, self))
}

function stateOf(
  { place, made, restarts }: ActorView,
  born: Place | undefined,
): Pick<ActorRow, 'state' | 'pendingReason'> {
  if (place.kind === 'alive') return { state: 'ALIVE', pendingReason: undefined }
  if (place.kind === 'dead') return { state: 'DEAD', pendingReason: undefined }
  if (restarts > 0) return { state: 'RESTARTING', pendingReason: born?.pendingReason }
  const isUnready = made !== undefined && born?.state === 'PENDING_ARGS_AVAIL'
  return { state: isUnready ? 'DEPENDENCIES_UNREADY' : 'PENDING_CREATION', pendingReason: born?.pendingReason }
}

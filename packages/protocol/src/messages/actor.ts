import { attempt, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bool, oneOf, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'
import { ACTOR_ENDS } from '../words.ts'
import { actorFacts } from './actor-options.ts'
import { taskArgument } from './task.ts'
import { wireError } from './wire-error.ts'

/** Calls in the order in which an actor ran them: each by its caller's node and its number there. */
const callOrder = array(struct({ node: nodeId, number: varint }), LIMITS.messageReferences)
export type CallOrder = Infer<typeof callOrder>

/** Of each node the numbers of calls that a checkpoint has the effect of, and that the node may send once more. */
export const executedCalls = array(
  struct({ node: nodeId, numbers: array(varint, LIMITS.messageReferences) }),
  LIMITS.roomMembers,
)
export type ExecutedCalls = Infer<typeof executedCalls>

/** An actor's state after the call at `position`: what restores it takes these as its arguments. */
const checkpointFields = {
  position: varint,
  executed: executedCalls,
  dependencies: array(taskArgument, 1),
  args: inlineValue,
}

/** What an actor with checkpoints is made again with: the last one, and the nodes that may have calls to be run once more. */
const actorRevival = struct({
  callers: array(nodeId, LIMITS.roomMembers),
  checkpoint: optional(struct(checkpointFields)),
})
export type ActorRevival = Infer<typeof actorRevival>

/** Whoever answers for the actor asks a node to host it. Its class comes with a task template. */
export const actorCreate = struct({
  template: varint,
  actor: objectId,
  incarnation: attempt,
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
  revival: optional(actorRevival),
  handOver: varint,
})
export type ActorCreate = Infer<typeof actorCreate>

/**
 * The host's answer to whoever answers for the actor: constructed, or what the constructor threw, or that it later died.
 * `isFinal`: nothing restarts it, since it ended by itself or its constructor threw.
 */
export const actorStatus = struct({
  actor: objectId,
  incarnation: attempt,
  error: optional(wireError),
  isFinal: bool,
  /** Of one that ended: whether its own doing may have been the cause. */
  isCharged: bool,
})
export type ActorStatus = Infer<typeof actorStatus>

/** Asks an actor's owner where it lives, now and whenever that changes. */
export const actorWant = struct({ actor: objectId })
export const actorPlace = struct({
  actor: objectId,
  incarnation: attempt,
  place: union({
    alive: struct({ node: nodeId }),
    /** Not made yet, or being made again. */
    pending: struct({}),
    /** Its name was taken: calls go to the actor that has it. */
    same: struct({ as: objectId }),
    dead: struct({ error: wireError }),
  }),
  /** Undefined where whoever answers for it does not know its class. */
  facts: optional(actorFacts),
})
export type ActorPlace = Infer<typeof actorPlace>

/** One call, from the caller's node straight to the actor's. `call` counts per caller; the result's owner is the caller. */
export const actorCall = struct({
  actor: objectId,
  incarnation: attempt,
  caller: varint,
  call: varint,
  number: varint,
  attempt,
  method: string(LIMITS.nameBytes),
  numReturns: varint,
  /** See `streamMode`, and `streamId` of a task. */
  stream: varint,
  streamId: varint,
  /** It had its outcome from a former incarnation, and runs again for what it did to the actor. */
  isAnswered: bool,
  /** See `concurrencyGroups`. */
  group: varint,
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
  handOver: varint,
})
export type ActorCall = Infer<typeof actorCall>

/** Whoever answers for the actor ends it: `kill` at once, `terminate` once the calls that wait have run. */
export const actorEnd = struct({ actor: objectId, incarnation: attempt, how: oneOf(ACTOR_ENDS), error: wireError })

export type ActorEnd = Infer<typeof actorEnd>

/** Somebody who has a handle wants the actor ended; with `noRestart` for good. */
export const actorKill = struct({ actor: objectId, noRestart: bool })

/** The host did not begin the call and never will: it has no such actor, or another incarnation of it. */
export const actorRefused = struct({ number: varint, attempt })

/**
 * The host, to a caller's node: the calls that ran at `first` and the positions after it. Sent ahead of each reply, so that
 * whoever has a reply knows all that it came of. `isWhole`: what was said of later positions counts no more.
 */
export const actorOrder = struct({
  actor: objectId,
  incarnation: attempt,
  first: varint,
  order: callOrder,
  isWhole: bool,
})
export type ActorOrder = Infer<typeof actorOrder>

/** A caller's node, to an incarnation that it had no calls with: all that may have to run again was sent; and in this order it ran. */
export const actorKept = struct({ actor: objectId, incarnation: attempt, first: varint, order: callOrder })
export type ActorKept = Infer<typeof actorKept>

/** The host asks whether the replies that it has sent until now have come. */
export const actorSettle = struct({ actor: objectId, incarnation: attempt, position: varint })
/** They have. */
export const actorSettled = struct({ actor: objectId, incarnation: attempt, position: varint })

/** A checkpoint, to whoever answers for the actor: all replies up to it have come. */
export const actorCheckpoint = struct({ actor: objectId, incarnation: attempt, ...checkpointFields, handOver: varint })
export type ActorCheckpoint = Infer<typeof actorCheckpoint>

/** It is kept, and with a successor too where there is one. */
export const actorCheckpointed = struct({ actor: objectId, incarnation: attempt, position: varint })

/** The calls of these numbers need not be kept by their caller any more, nor the order up to the position. */
export const actorCovered = struct({
  actor: objectId,
  incarnation: attempt,
  position: varint,
  numbers: array(varint, LIMITS.messageReferences),
})
export type ActorCovered = Infer<typeof actorCovered>

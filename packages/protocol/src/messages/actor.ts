import { attempt, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bool, oneOf, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'
import { ACTOR_ENDS } from '../words.ts'
import { actorFacts } from './actor-options.ts'
import { taskArgument } from './task.ts'
import { wireError } from './wire-error.ts'

/** Whoever answers for the actor asks a node to host it. Its class comes with a task template. */
export const actorCreate = struct({
  template: varint,
  actor: objectId,
  incarnation: attempt,
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
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

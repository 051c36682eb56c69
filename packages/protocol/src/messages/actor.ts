import { attempt, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'
import { taskArgument } from './task.ts'
import { wireError } from './wire-error.ts'

/** The actor's owner asks a node to host it. Its class comes with a task template. */
export const actorCreate = struct({
  template: varint,
  number: varint,
  incarnation: attempt,
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
  handOver: varint,
})
export type ActorCreate = Infer<typeof actorCreate>

/** The host's answer to whoever answers for the actor: constructed, or what the constructor threw, or that it later died. */
export const actorStatus = struct({ actor: objectId, incarnation: attempt, error: optional(wireError) })
export type ActorStatus = Infer<typeof actorStatus>

/** Asks an actor's owner where it lives, now and whenever that changes. */
export const actorWant = struct({ actor: objectId })
export const actorPlace = struct({
  actor: objectId,
  incarnation: attempt,
  place: union({
    alive: struct({ node: nodeId }),
    pending: struct({}),
    dead: struct({ error: wireError }),
  }),
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
  dependencies: array(taskArgument, LIMITS.taskArguments),
  args: inlineValue,
  handOver: varint,
})
export type ActorCall = Infer<typeof actorCall>

/** The owner ends the actor: queued calls finish first unless `now` is 1. */
export const actorEnd = struct({ number: varint, incarnation: attempt, now: varint })

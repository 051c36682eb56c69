import { LIMITS } from '../limits.ts'
import { array, bool, f64, optional, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { concurrencyGroups } from './concurrency-group.ts'
import { registeredName } from './registered-name.ts'

const name = string(LIMITS.nameBytes)

/** What a handle knows of a method: `arity` is how many arguments it takes, at least and at most. */
export const actorMethod = struct({
  name,
  arity: optional(struct({ least: varint, most: f64 })),
  isGenerator: bool,
})
export type ActorMethodRecord = Infer<typeof actorMethod>

/** What a handle has to know, wherever it is made: see `getActor`. */
export const actorFacts = struct({
  className: name,
  methods: array(actorMethod, LIMITS.actorMethods),
  maxTaskRetries: f64,
  /** Infinity: any number. */
  maxPendingCalls: f64,
  /** 0: it has no checkpoints. */
  checkpointEveryCalls: varint,
  groups: concurrencyGroups,
})
export type ActorFacts = Infer<typeof actorFacts>

/** What the options of `actor()` come to, beside what its tasks' template has; defaults filled in. */
export const actorOptions = struct({
  facts: actorFacts,
  maxRestarts: f64,
  /** Of the calls that are in none of the groups. */
  maxConcurrency: varint,
  /** With an empty namespace until its node has filled in the job's. */
  registered: optional(registeredName),
  getIfExists: bool,
  isDetached: bool,
})
export type ActorOptionsRecord = Infer<typeof actorOptions>

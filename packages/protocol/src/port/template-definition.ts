import { labelSelector } from '../labels.ts'
import { LIMITS } from '../limits.ts'
import { resourceSet } from '../resources.ts'
import { array, bool, f64, oneOf, optional, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { actorOptions } from '../messages/actor-options.ts'
import { bundleChoice } from '../messages/placement-group.ts'
import { STRATEGIES } from '../words.ts'

const name = string(LIMITS.nameBytes)

/** What the options of `remote()` and `.options()` come to; defaults filled in. Sent once, then named by number. */
export const templateDefinition = struct({
  template: varint,
  /** The submitter's number for the code. */
  code: varint,
  exportName: name,
  name,
  /** What a task reserves while it runs, or an actor to be placed. */
  resources: resourceSet,
  /** Of those, what an actor keeps for its life; for a task nothing. */
  held: resourceSet,
  strategy: oneOf(STRATEGIES),
  labels: labelSelector,
  bundle: optional(bundleChoice),
  /** Nothing is said of where it runs: inside a placement group that captures it is there. */
  isFree: bool,
  numReturns: varint,
  /** See `streamMode`. */
  stream: varint,
  maxRetries: f64,
  /** Names of error classes after which it is run again; `*`: all. */
  retryExceptions: array(name, LIMITS.errorKinds),
  timeoutMs: f64,
  /** Of actors. */
  actor: optional(actorOptions),
})
export type TemplateDefinition = Infer<typeof templateDefinition>

import { functionHash, jobId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { bool, f64, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { concurrencyGroups } from '../messages/concurrency-group.ts'
import { registeredName } from '../messages/registered-name.ts'
import { resourceSet } from '../resources.ts'
import { inlineValue } from '../value/encoded-value.ts'

const name = string(LIMITS.nameBytes)

/**
 * The code of a remote function or actor class. The canonical bytes of this record are what is hashed, signed and
 * shipped. Inline code is an expression's text and the values handed in by name; a module is a bundle's text, evaluated
 * once a worker, whose exports are told apart by the template.
 */
export const codeDefinition = union({
  inline: struct({
    name,
    isClass: bool,
    source: string(LIMITS.functionSourceBytes),
    uses: optional(inlineValue),
  }),
  module: struct({ name, source: string(LIMITS.moduleSourceBytes) }),
  /** Code that the node, or another node of the job, has already: its hash is all that is needed. */
  known: struct({ name, hash: functionHash }),
})
export type CodeDefinition = Infer<typeof codeDefinition>

/** What many runs in a worker share, sent once: the node's numbers for code and template. */
export const runTemplate = struct({
  template: varint,
  code: varint,
  exportName: name,
  name,
  job: jobId,
  numReturns: varint,
  /** See `streamMode`. */
  stream: varint,
  namespace: name,
  /** The id of the placement group that it runs in, as text; empty for most. */
  group: name,
  /** What a run reserves, or an actor for its life. */
  resources: resourceSet,
  /** Of actors: how many calls may run at a time, in all groups together, and the name under which it is found. */
  actor: optional(
    struct({
      maxConcurrency: varint,
      registered: optional(registeredName),
      maxTaskRetries: f64,
      groups: concurrencyGroups,
    }),
  ),
})
export type RunTemplate = Infer<typeof runTemplate>

import { jobId, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { resourceSet } from '../resources.ts'
import { array, bool, oneOf, optional, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { GROUP_STRATEGIES } from '../words.ts'

const name = string(LIMITS.nameBytes)
const index = varint

/**
 * Which reservation work runs in. A group's id is that of its `ready` object, so it says who owns it. `bundle`: its place
 * from 1 on, 0: any. `captures`: what the work submits runs in the group too, unless it says otherwise.
 */
export const bundleChoice = struct({ group: objectId, bundle: varint, captures: bool })
export type BundleChoice = Infer<typeof bundleChoice>

/** From a page to its node: a group to be made, under the number of its `ready` object. */
export const groupDefinition = struct({
  number: varint,
  name,
  strategy: oneOf(GROUP_STRATEGIES),
  bundles: array(resourceSet, LIMITS.groupBundles),
})
export type GroupDefinition = Infer<typeof groupDefinition>

/**
 * Body of the directory record `group/<slot>/<owner>`: the group of that slot and where its bundles are; absent while there
 * is none. A group that is in no slot of its owner was removed.
 */
export const groupRecord = struct({
  group: optional(
    struct({
      number: varint,
      bundles: array(struct({ resources: resourceSet, node: optional(nodeId) }), LIMITS.groupBundles),
    }),
  ),
})
export type GroupRecord = Infer<typeof groupRecord>

/** An owner with groups that lack bundles wants to know what is free, now and whenever there is more, until `isOver`. */
export const groupAsk = struct({ isOver: bool })
export const groupFree = struct({ resources: resourceSet })

/**
 * The owner asks for these to be set aside: all of them or none. `round` counts the owner's attempts, of all its groups, and
 * what is said of an older one than was heard of counts no more.
 */
export const groupPrepare = struct({
  group: objectId,
  round: varint,
  job: jobId,
  bundles: array(struct({ index, resources: resourceSet }), LIMITS.groupBundles),
})
export const groupPrepared = struct({ group: objectId, round: varint, isDone: bool })
/** All nodes of the round have set theirs aside: work may come. */
export const groupCommit = struct({ group: objectId, round: varint })
/** What was set aside in that round is free again, and what runs in it ends. `isRemoved`: all of the group is. */
export const groupReturn = struct({ group: objectId, round: varint, isRemoved: bool })

const held = array(struct({ group: objectId, round: varint }), 8192)
/** All that the sender, as an owner, takes the receiver to hold for it; anything else is to be given back. */
export const groupCheck = struct({ held })
/** Of those, what the receiver does not hold. */
export const groupMissing = struct({ held })

/** What owners and hosts of bundles say to each other. */
export interface GroupWire {
  readonly prepare: Infer<typeof groupPrepare>
  readonly prepared: Infer<typeof groupPrepared>
  readonly return: Infer<typeof groupReturn>
  readonly check: Infer<typeof groupCheck>
  readonly missing: Infer<typeof groupMissing>
}

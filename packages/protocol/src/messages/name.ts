import { objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { bool, optional, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'

const text = string(LIMITS.nameBytes)
const name = { namespace: text, name: text }

/**
 * Asks the name's home for it; with `isHeld` tells a new home of a name that was won before. `claim` counts the
 * claimant's claims, so that no answer is taken for that of a later one.
 */
export const nameClaim = struct({ ...name, actor: objectId, claim: varint, isHeld: bool })
/** The home's answer, once a claim: won if the holder is the claim's own actor, else taken. */
export const nameAnswer = struct({ ...name, holder: objectId, claim: varint })
/** The claimant has no use for the claim, or for the name that it won with it. */
export const nameRelease = struct({ ...name, claim: varint })
/** A home asks everybody who holds the name, before its first answer. `round` tells its answers from those of before. */
export const nameAsk = struct({ ...name, round: varint })
/** Answered by whoever takes the asker for the name's home, and not before: from then on it heeds no other home. */
export const nameReport = struct({ ...name, round: varint, actor: optional(objectId), claim: varint })
/** Two held the name, as after a partition: it stays with the lower actor id, and the other's owner is told. */
export const nameLost = struct({ ...name, actor: objectId, winner: objectId })

const holding = struct({ ...name, actor: objectId })
/** A name and the writer's actor that has it. */
export type NameHolding = Infer<typeof holding>

/** Body of the directory record `name/<slot>/<node>`: what that slot of the node stands for; absent while for nothing. */
export const nameRecord = struct({ holding: optional(holding) })

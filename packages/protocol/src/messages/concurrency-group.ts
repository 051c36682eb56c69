import { LIMITS } from '../limits.ts'
import { array, string, struct, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'

const name = string(LIMITS.nameBytes)

/** Calls of an actor that have a limit of their own; `methods` belong to it unless a call says otherwise. */
const concurrencyGroup = struct({ name, limit: varint, methods: array(name, LIMITS.actorMethods) })
export type ConcurrencyGroup = Infer<typeof concurrencyGroup>

/** Calls name them by their place from 1 on; 0 is the group of all others, whose limit is `maxConcurrency`. */
export const MOST_CONCURRENCY_GROUPS = 32
export const concurrencyGroups = array(concurrencyGroup, MOST_CONCURRENCY_GROUPS)

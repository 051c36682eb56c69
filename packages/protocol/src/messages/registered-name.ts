import { LIMITS } from '../limits.ts'
import { string, struct } from '../schema.ts'
import type { Infer } from '../schema.ts'

const name = string(LIMITS.nameBytes)

/** The name under which an actor is found, unique within its namespace. Alone, since the sandbox's first stage needs no more. */
export const registeredName = struct({ namespace: name, name })
export type RegisteredName = Infer<typeof registeredName>

import { LIMITS } from '@shoal/protocol'

/** What a message says of a value beside its bytes: whose it is, which attempt, who holds it. */
const BYTES_AN_ENTRY = 64

/**
 * How many bytes of values may stand in one message beside `taken` others, when it names `entries` of them. One value may
 * be as large as any that travels inside a message, two may not both be.
 */
export function roomBeside(taken: number, entries: number): number {
  return Math.min(LIMITS.inlineValueBytes, 2 * LIMITS.inlineValueBytes - taken - BYTES_AN_ENTRY * entries)
}

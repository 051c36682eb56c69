import type { NodeId } from '@shoal/protocol'

/** What another tab's clock shows more than this one's; `errorMs`: by how much that may be wrong. */
export interface ClockOffset {
  readonly offsetMs: number
  readonly errorMs: number
}

export const EXACT: ClockOffset = { offsetMs: 0, errorMs: 0 }

/** Clocks part by some 50 microseconds a second at most: an old measurement is worth less. */
const DRIFT = 0.000_05

/**
 * How far other tabs' clocks are from this one's: measured with each answer, as if the way there and the way back took the same
 * time, and kept from the quickest of them.
 */
export class ClockOffsets {
  /** `offsetMs`: that clock in milliseconds since 1970, less what this one showed. */
  readonly #best = new Map<NodeId, ClockOffset & { readonly atMs: number }>()

  add(node: NodeId, theirMs: number, askedAtMs: number, answeredAtMs: number): void {
    const errorMs = (answeredAtMs - askedAtMs) / 2
    const known = this.#best.get(node)
    if (known !== undefined && known.errorMs + (answeredAtMs - known.atMs) * DRIFT < errorMs) return
    this.#best.set(node, { offsetMs: theirMs - (askedAtMs + errorMs), errorMs, atMs: answeredAtMs })
  }

  /** @param epochMs milliseconds since 1970 at which this tab's clock showed 0 */
  of(node: NodeId, epochMs: number, nowMs: number): ClockOffset {
    const known = this.#best.get(node)
    if (known === undefined) return EXACT
    return { offsetMs: known.offsetMs - epochMs, errorMs: known.errorMs + (nowMs - known.atMs) * DRIFT }
  }

  forget(node: NodeId): void {
    this.#best.delete(node)
  }
}

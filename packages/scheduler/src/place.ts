/** A node that would take a task now. */
export interface Candidate {
  readonly node: string
  /** Tasks of ours that it has and that have not ended. */
  readonly queued: number
  readonly slots: number
}

/** Assumed until a link was measured: the raw channel between two tabs of one machine. */
const BYTES_PER_MS = 30_000

/**
 * The paper's rule (Moritz et al., OSDI 2018, section 4.2): least of queue length times mean task time, plus the bytes
 * of inputs that are not there over the bandwidth. Undefined when there is no candidate.
 */
export function place(
  candidates: readonly Candidate[],
  meanMs: number,
  inputs: readonly { readonly bytes: number; readonly holders: readonly string[] }[],
): string | undefined {
  let best: string | undefined
  let bestCost = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    let missing = 0
    for (const input of inputs) if (!input.holders.includes(candidate.node)) missing += input.bytes
    const cost = (candidate.queued * meanMs) / Math.max(1, candidate.slots) + missing / BYTES_PER_MS
    if (cost < bestCost) {
      best = candidate.node
      bestCost = cost
    }
  }
  return best
}

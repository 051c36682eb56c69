/** A node that would take a task now. */
export interface Candidate {
  readonly node: string
  /** Tasks of ours that it has and that have not ended. */
  readonly queued: number
  readonly slots: number
}

/** Assumed where nothing was measured: the raw channel between two tabs of one machine. */
const BYTES_PER_MS = 30_000

/**
 * The paper's rule (Moritz et al., OSDI 2018, section 4.2): least of queue length times mean task time, plus the bytes
 * of inputs that are not there over the bandwidth. Undefined when there is no candidate. `rate`: bytes a millisecond from one
 * node to another, where that is known.
 */
export function place(
  candidates: readonly Candidate[],
  meanMs: number,
  inputs: readonly { readonly bytes: number; readonly holders: readonly string[] }[],
  rate: (from: string, to: string) => number | undefined = () => undefined,
): string | undefined {
  const transferMs = (to: string, { bytes, holders }: { bytes: number; holders: readonly string[] }): number => {
    const rates = holders.map((holder) => rate(holder, to) ?? BYTES_PER_MS)
    return holders.includes(to) ? 0 : bytes / Math.max(...rates, holders.length === 0 ? BYTES_PER_MS : 0)
  }
  let best: string | undefined
  let bestCost = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const missingMs = inputs.reduce((sum, input) => sum + transferMs(candidate.node, input), 0)
    const cost = (candidate.queued * meanMs) / Math.max(1, candidate.slots) + missingMs
    if (cost < bestCost) {
      best = candidate.node
      bestCost = cost
    }
  }
  return best
}

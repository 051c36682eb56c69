/**
 * The results of one iteration as they come in, in any order and perhaps not all. Results come from other tabs, so each is
 * checked against what was asked before it counts; one that does not fit is a failed task.
 */
import type { EsOutcome, EsPlan } from './es.ts'
import type { RolloutResult } from './rollout.remote.ts'

/** One task's share of the plan: pairs start .. end - 1. */
export interface PairSlice {
  readonly start: number
  readonly end: number
}

export type Settled<T> =
  { readonly isDone: true; readonly value: T } | { readonly isDone: false; readonly error: unknown }

/** At most `tasks` slices, contiguous, none empty, sizes differing by at most one. */
export function splitPairs(pairs: number, tasks: number): PairSlice[] {
  const count = Math.min(tasks, pairs)
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * pairs) / count),
    end: Math.floor(((i + 1) * pairs) / count),
  }))
}

export class Gathered {
  readonly byNode = new Map<string, { readonly tasks: number; readonly cpuMs: number }>()
  readonly #plan: EsPlan
  readonly #returns: Float32Array
  readonly #isPresent: Uint8Array
  #error: unknown = new Error('the plan has no pairs')
  steps = 0

  constructor(plan: EsPlan) {
    this.#plan = plan
    this.#returns = new Float32Array(2 * plan.indices.length)
    this.#isPresent = new Uint8Array(plan.indices.length)
  }

  /** Whether the result counts. */
  add(slice: PairSlice, result: Settled<RolloutResult>): boolean {
    if (!result.isDone) {
      this.#error = result.error
      return false
    }
    const { value } = result
    if (!this.#fits(slice, value)) {
      this.#error = new Error(`node ${value.nodeId} answered with returns that do not fit the request`)
      return false
    }
    this.#returns.set(value.returns, 2 * slice.start)
    this.#isPresent.fill(1, slice.start, slice.end)
    this.steps += value.steps
    const node = this.byNode.get(value.nodeId) ?? { tasks: 0, cpuMs: 0 }
    this.byNode.set(value.nodeId, { tasks: node.tasks + 1, cpuMs: node.cpuMs + value.cpuMs })
    return true
  }

  /** An iteration of which nothing came back is no progress: its last error says why. */
  throwIfEmpty(): void {
    if (!this.#isPresent.includes(1)) throw this.#error
  }

  /** Floating-point sums depend on their order, so it is the plan's, not that of arrival. */
  inPlanOrder(): EsOutcome {
    const present = [...this.#isPresent.keys()].filter((pair) => this.#isPresent[pair] === 1)
    return {
      indices: Int32Array.from(present, (pair) => this.#plan.indices[pair]!),
      returns: Float32Array.from(present.flatMap((pair) => [this.#returns[2 * pair]!, this.#returns[2 * pair + 1]!])),
    }
  }

  #fits(slice: PairSlice, value: RolloutResult): boolean {
    const pairs = slice.end - slice.start
    return (
      value.indices.length === pairs &&
      value.returns.length === 2 * pairs &&
      value.lengths.length === 2 * pairs &&
      value.indices.every((index, i) => index === this.#plan.indices[slice.start + i]) &&
      value.returns.every((x) => Number.isFinite(x)) &&
      Number.isFinite(value.steps)
    )
  }
}

import { createHash } from 'node:crypto'

/** What happened in a run, in order: a hash over everything, and the last lines for a person. */
export interface Trace {
  add(line: string): void
  /** Over all lines so far (R2: the same seed gives the same). */
  hash(): string
  readonly length: number
  /** The newest lines, oldest first. */
  tail(count: number): readonly string[]
}

const KEPT = 400

export function createTrace(now: () => number): Trace {
  const hash = createHash('sha256')
  const kept: string[] = []
  let length = 0
  return {
    add(text) {
      const line = `${now().toFixed(3).padStart(12)}  ${text}`
      hash.update(line)
      hash.update('\n')
      length++
      kept.push(line)
      if (kept.length > 2 * KEPT) kept.splice(0, KEPT)
    },
    hash: () => hash.copy().digest('hex'),
    get length() {
      return length
    },
    tail: (count) => kept.slice(-Math.min(count, KEPT)),
  }
}
